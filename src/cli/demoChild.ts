import type { ClientTransport, NeuralNetwork } from 'mainstem';
import { Child, DivergedError, Preprocessing } from 'mainstem';
import type { ChildModuleContext } from 'mainstem/worker';
import { CountingTransport } from './countingTransport.ts';
import type { LabelledRows } from './digits.ts';
import { loadDigits } from './digits.ts';
import type { Federation } from './federations.ts';
import { federationName, federations, scheduleOf } from './federations.ts';
import type { Plan } from './plan.ts';
import { childSeeds, createNetwork } from './setting.ts';
import { dealOut, holdOutForDemo } from './shards.ts';

/** What some of the demo's children are told, wherever they are: their rows, seeds and models follow from it. */
export interface DemoTask {
  readonly seed: number;
  /** How many children there are in all. */
  readonly children: number;
  readonly plan: Plan;
  /** Which of them these are, from 0. */
  readonly indices: readonly number[];
}

/** How one federation went for them. */
export interface ChildrenOutcome {
  /** Bytes of all their frames, both ways. */
  readonly bytes: number;
  /** Whether the training of one has diverged, which ends the federation. */
  readonly hasDiverged: boolean;
}

/**
 * All that children of the demo do, in a thread, in a process, or beside the coordinator: they take part in one
 * federation after the other. Where they are is the transport's matter. Resolves with how it went in each.
 */
export async function run({
  transport,
  data: task,
  signal,
}: ChildModuleContext<DemoTask>): Promise<ChildrenOutcome[]> {
  const { training } = holdOutForDemo(loadDigits(), task.seed);
  const outcomes: ChildrenOutcome[] = [];
  for (const federation of federations) {
    const shards = dealOut(federation.split, training, task);
    const counting = new CountingTransport(transport);
    const diverged = await Promise.all(
      task.indices.map((index) =>
        takePart(federation, task, {
          index,
          rows: shards[index] as LabelledRows,
          transport: counting,
          signal,
        }),
      ),
    );
    outcomes.push({ bytes: counting.bytes, hasDiverged: diverged.includes(true) });
  }
  return outcomes;
}

interface Part {
  readonly index: number;
  readonly rows: LabelledRows;
  readonly transport: ClientTransport;
  readonly signal: AbortSignal;
}

/**
 * One child in one federation; resolves with whether its training has diverged. Main's version is the number of the
 * round that starts from it.
 */
async function takePart(
  federation: Federation,
  task: DemoTask,
  { index, rows, transport, signal }: Part,
): Promise<boolean> {
  const { features, labels } = rows;
  const { rounds, epochs } = scheduleOf(federation.way, task.plan);
  const child = await Child.connect({
    transport,
    model: createModel(federation, task, index, labels.length),
    childId: `child-${index}`,
    federation: federationName(federation),
    // Nobody is far away: where a connection breaks, something is wrong.
    reconnect: false,
  });
  const main = new AwaitedMain(child);
  let hasDiverged = false;
  try {
    if (federation.way === 'scaled') {
      const statistics = new Preprocessing('standardScaler').createStatistics().add(features);
      await child.reportFeatureStatistics(statistics);
    }
    for (let round = 1; round <= rounds && (await main.reaches(round)); round++) {
      const { receipt } = await child.train(features, labels, { maximumNumberOfIterations: epochs, signal });
      await receipt.committed;
    }
  } catch (thrown) {
    hasDiverged = thrown instanceof DivergedError;
    // Where the training of another has diverged, what waits for an answer gets none.
    if (!hasDiverged && !main.isClosed) throw thrown;
  }
  await child.leave();
  return hasDiverged;
}

/** The coordinator closes a federation early where a training has diverged. */
class AwaitedMain {
  readonly #child: Child;
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(child: Child) {
    this.#child = child;
    child.on('mainUpdated', () => this.#wake());
    child.on('closed', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when main has this version, or with false when the coordinator is closed. */
  async reaches(version: number): Promise<boolean> {
    while (this.#child.version < version && !this.#isClosed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return !this.#isClosed;
  }
}

function createModel(
  { way }: Federation,
  { seed, children, plan }: DemoTask,
  index: number,
  rowCount: number,
): NeuralNetwork {
  // One batch, and no step of its own: the gradient is that of all the child's rows at main.
  if (way === 'gradients') return createNetwork({ batchSize: rowCount, learningRate: 0 });
  const own = { seed: childSeeds(seed, children)[index] as number };
  if (way === 'parameters') {
    const { learningRate, batchSize } = plan.parameters;
    return createNetwork({ ...own, learningRate, batchSize });
  }
  const { learningRate, batchSize } = plan.scaling;
  const options = { ...own, learningRate, batchSize, optimizer: 'gradientDescent' } as const;
  return createNetwork(way === 'scaled' ? { ...options, preprocessing: 'standardScaler' } : options);
}
