import { toError } from '../errors.ts';
import { selectedBuild } from '../kernels/selection.ts';
import type { PassSession } from '../kernels/TrainingSession.ts';
import type { WasmBuild } from '../kernels/wasm/compile.ts';
import type { KernelMemory } from '../kernels/wasm/KernelMemory.ts';
import { SharedTraining } from '../kernels/wasm/SharedTraining.ts';
import { createSharedMemory } from '../kernels/wasm/sharedModules.ts';
import type { Logger } from '../logger.ts';
import type { Features } from '../models/features.ts';
import type { Labels } from '../models/labels.ts';
import type { Predictions } from '../models/Model.ts';
import type { TrainingOptions } from '../models/options.ts';
import type { SessionPlan } from '../models/sessions.ts';
import { rateOf } from '../models/sessions.ts';
import type { TrainableModel } from '../models/TrainableModel.ts';
import type { TrainingThreads } from '../models/TrainingThreads.ts';
import type { TrainAsyncOptions } from '../models/trainOptions.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { dataTypeOf } from '../parameters/values.ts';
import type { Crew } from './Crew.ts';
import type { ThreadsGain } from './gain.ts';
import { estimateGain } from './gain.ts';
import type { ThreadedWork } from './suitability.ts';
import { threadedWork } from './suitability.ts';
import { ThreadedSession } from './ThreadedSession.ts';

/** How a training with threads went. */
export interface ThreadedTraining {
  /** The cost of each iteration, as `train` returns them. */
  readonly costs: readonly number[];
  /** Threads that it ran on; 1: on the thread that called. */
  readonly threads: number;
  /** Why on so many. */
  readonly message: string;
}

/** What threads are made of. */
export interface ThreadsParts {
  /** Undefined where there are none. */
  readonly crew: Crew | undefined;
  readonly count: number;
  /** Why there is no crew. */
  readonly reason: string;
  readonly gainMin: number;
  readonly logger: Logger;
}

/** What was decided about a training. */
interface Decision {
  readonly session: PassSession | undefined;
  readonly threads: number;
  readonly message: string;
}

/**
 * Threads that train one model together, each a part of every batch. Made by `createThreads`. The same seed on the
 * same number of threads gives the same bits; the numbers differ from those of one thread by rounding.
 */
export class Threads implements TrainingThreads {
  readonly #parts: ThreadsParts;
  readonly #memories = new Map<WasmBuild, KernelMemory>();

  constructor(parts: ThreadsParts) {
    this.#parts = parts;
  }

  /** Threads that a training may take; 1 where the platform has no memory that threads can share. */
  get count(): number {
    return this.#parts.count;
  }

  /**
   * `model.trainAsync` on these threads, where it should be faster on them; else on this one. The result says which.
   * Rejects with ThreadFailedError where a thread fails, and the model is as before.
   */
  async train<Options extends TrainingOptions, Output extends Predictions>(
    model: TrainableModel<Options, Output>,
    features: Features,
    labels: Labels,
    options: Omit<TrainAsyncOptions, 'threads'> = {},
  ): Promise<ThreadedTraining> {
    let decision: Decision = {
      session: undefined,
      threads: 1,
      message: 'the model needs no steps; it runs on one thread',
    };
    const threads: TrainingThreads = {
      createTraining: (plan) => {
        decision = this.#decide(plan);
        return decision.session;
      },
    };
    const costs = await model.trainAsync(features, labels, { ...options, threads });
    return { costs, threads: decision.threads, message: decision.message };
  }

  /**
   * Whether a training of this model on so many rows would be faster on these threads, by the number of its
   * operations; with an optimizer like Adam. `batchSize` is the model's own, all rows unless given. Throws NotTrainedError where the model has no
   * shape yet.
   */
  gain(
    model: { getModelParameters(): ModelParameters },
    rows: number,
    batchSize: number = rows,
  ): ThreadsGain {
    const { crew, count, reason, gainMin } = this.#parts;
    if (crew === undefined) return { threads: 1, speedup: 1, message: reason };
    const { layout, values } = model.getModelParameters();
    const weights = layout.tensors.filter(({ shape }) => shape.length === 2);
    const widths = weights.flatMap(({ shape: [inputs, outputs] }, index) =>
      index === 0 ? [inputs as number, outputs as number] : [outputs as number],
    );
    const work = {
      widths,
      parameters: values.length,
      rows,
      batchSize: Math.min(rows, batchSize),
      dtype: dataTypeOf(values),
      slotCount: 2,
      meetings: 2,
    };
    return estimateGain(work, count, gainMin);
  }

  /** The training on these threads, or undefined where it is to run on this one. Used by `trainAsync`. */
  createTraining(plan: SessionPlan): PassSession | undefined {
    return this.#decide(plan).session;
  }

  /** Ends the threads, so that the process can end. What trains on them rejects with ThreadsClosedError. */
  async close(): Promise<void> {
    await this.#parts.crew?.close();
    this.#memories.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #decide(plan: SessionPlan): Decision {
    const decision = this.#choose(plan);
    const { logger } = this.#parts;
    if (decision.session === undefined) logger.warn(decision.message);
    else logger.debug(decision.message);
    return decision;
  }

  #choose(plan: SessionPlan): Decision {
    const { crew, reason, count, gainMin } = this.#parts;
    const alone = (message: string): Decision => ({ session: undefined, threads: 1, message });
    if (crew === undefined) return alone(reason);
    if (crew.failure !== undefined) throw crew.failure;
    const build = selectedBuild();
    if (build === undefined) return alone('the reference kernels are selected; it runs on one thread');
    const work = threadedWork(plan);
    if (typeof work === 'string') return alone(`${work}; it runs on one thread`);
    const { threads, message } = estimateGain(work, count, gainMin);
    if (threads === 1) return alone(message);
    let memory: KernelMemory;
    try {
      memory = this.#memoryOf(crew, build);
    } catch (error) {
      // No address space left, or a page that may not compile at once.
      return alone(`threads cannot share memory here (${toError(error).message}); it runs on one thread`);
    }
    const training = layOut(memory, plan, work, threads);
    if (training === undefined) {
      return alone('the data have no room in the memory that threads share; it runs on one thread');
    }
    return { session: new ThreadedSession(crew, training, { build, dtype: plan.dtype }), threads, message };
  }

  /** One memory for all trainings of a build: it is made once, and its parts are used again. */
  #memoryOf(crew: Crew, build: WasmBuild): KernelMemory {
    const known = this.#memories.get(build);
    if (known !== undefined) return known;
    const { memory, kernels } = createSharedMemory(build);
    crew.share(build, kernels);
    this.#memories.set(build, memory);
    return memory;
  }
}

function layOut(
  memory: KernelMemory,
  plan: SessionPlan,
  { shape, kernel }: ThreadedWork,
  threads: number,
): SharedTraining | undefined {
  const { features, targets, batchSize, values, rule, penalty, savedGradient } = plan;
  return SharedTraining.create(memory, {
    shape,
    data: { features, targets },
    batchSize,
    threads,
    values,
    state: rule.state,
    rule: kernel,
    rateAt: (stepsBefore) => rateOf(rule, stepsBefore),
    clipping: rule.clipping,
    trainable: rule.trainable,
    penalty,
    savedGradient,
  });
}
