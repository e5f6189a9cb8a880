import { InvalidOptionError, NonFiniteError } from '../errors.ts';
import type { Evaluation } from '../evaluation/Evaluation.ts';
import type { MetricName } from '../evaluation/metricNames.ts';
import { isHigherBetter } from '../evaluation/metricNames.ts';
import type { Features } from '../models/features.ts';
import type { Labels } from '../models/labels.ts';
import type { Awaitable, Model, Scorable } from '../models/Model.ts';
import { isCloneable, isEvaluable, isGradientModel, isScorable } from '../models/Model.ts';
import type { TrainAsyncOptions } from '../models/trainOptions.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { SharedPart } from '../parameters/SharedPart.ts';
import { isPromiseLike } from '../promises.ts';
import type { UpdateKind } from '../protocol/messages.ts';

/** Rows that say whether a main is better than what the model has. */
export interface AdoptionTest {
  readonly features: Features;
  readonly labels: Labels;
  /** What tells better from worse; the model's own score unless given. */
  readonly metric?: MetricName;
}

/** A model whose training gives the event loop its turn. */
interface AsyncTrainable {
  trainAsync(features: Features, labels: Labels, options?: TrainAsyncOptions): Promise<number[]>;
}

/** A child's model, as its coordinator wants it: which kind of update it gives, and which tensors it shares. */
export class ChildModel {
  readonly #model: Model;
  #kind: UpdateKind = 'parameters';
  #shared: SharedPart | undefined;

  constructor(model: Model) {
    this.#model = model;
  }

  /** What the coordinator wants; `'parameters'` before it has said so. */
  get kind(): UpdateKind {
    return this.#kind;
  }

  /** Takes the coordinator's terms. Throws InvalidOptionError where `sharedTensors` is not legal. */
  accept(kind: UpdateKind, sharedTensors: readonly string[] | null): void {
    this.#shared = sharedTensors === null ? undefined : new SharedPart(sharedTensors);
    this.#kind = kind;
    if (kind === 'gradients' && isGradientModel(this.#model)) this.#model.setAreGradientsSaved(true);
  }

  /** The layout of the parameters; undefined while it is unknown. */
  async layout(): Promise<ParameterLayout | undefined> {
    try {
      return (await this.#model.getModelParameters()).layout;
    } catch {
      // Most models have no parameters before their first training, and each says so in its own way.
      return undefined;
    }
  }

  /** Whether a training holds its thread up. */
  get blocksWhileTraining(): boolean {
    return typeof (this.#model as Model & Partial<AsyncTrainable>).trainAsync !== 'function';
  }

  /** Trains with turns for the event loop where the model can. */
  async train(features: Features, labels: Labels, options?: TrainAsyncOptions): Promise<number[]> {
    const model = this.#model as Model & Partial<AsyncTrainable>;
    return typeof model.trainAsync === 'function'
      ? model.trainAsync(features, labels, options)
      : model.train(features, labels, options);
  }

  /** The shared part of the gradients of the last training, or of the parameters; at once where the model gives it so. */
  update(): Gradients | ModelParameters | PromiseLike<Gradients | ModelParameters> {
    const whole = this.#wholeUpdate();
    if (isPromiseLike(whole)) return whole.then((content) => this.#sharedPart(content));
    return this.#sharedPart(whole);
  }

  /**
   * Puts main into the model, the rest of which stays. False where `test` finds it no better, and where the model has
   * no tensors of its own yet to put beside the shared ones: its first training makes them.
   */
  async adopt(main: ModelParameters, test: AdoptionTest | undefined): Promise<boolean> {
    const isUntrained = (await this.layout()) === undefined;
    if (isUntrained && this.#shared !== undefined) return false;
    if (test !== undefined && !isScorable(this.#model)) {
      throw new InvalidOptionError('adopting only what is better needs a model with a score method');
    }
    if (test !== undefined && !isUntrained) {
      const score = await scoreOf(this.#model, test);
      if (!((await this.#withMain(main, (model) => scoreOf(model, test))) > score)) return false;
    }
    await this.#model.setModelParameters(await this.#joined(main));
    return true;
  }

  /** What the model with main in it makes of these rows. */
  async evaluate(main: ModelParameters, features: Features, labels: Labels): Promise<Evaluation> {
    return this.#withMain(main, (model) => {
      if (isEvaluable(model)) return model.evaluate(features, labels);
      throw new InvalidOptionError('evaluating main needs a model with an evaluate method');
    });
  }

  /** Asks the model with main in it: a copy where the model can make one, else itself, which is put back. */
  async #withMain<T>(main: ModelParameters, ask: (model: Model) => Awaitable<T>): Promise<T> {
    const whole = await this.#joined(main);
    if (isCloneable(this.#model)) {
      const copy = this.#model.clone();
      await copy.setModelParameters(whole);
      return ask(copy);
    }
    const before = await this.#model.getModelParameters();
    try {
      await this.#model.setModelParameters(whole);
      return await ask(this.#model);
    } finally {
      await this.#model.setModelParameters(before);
    }
  }

  /** Parameters for the whole model: main, and what is the child's own. */
  async #joined(main: ModelParameters): Promise<ModelParameters> {
    return this.#shared === undefined
      ? main
      : this.#shared.putInto(await this.#model.getModelParameters(), main);
  }

  #sharedPart(whole: Gradients | ModelParameters): Gradients | ModelParameters {
    return this.#shared?.take(whole) ?? whole;
  }

  #wholeUpdate(): Awaitable<Gradients | ModelParameters> {
    if (this.#kind !== 'gradients') return this.#model.getModelParameters();
    if (isGradientModel(this.#model)) return this.#model.getGradients();
    throw new InvalidOptionError(
      'this coordinator takes gradients and the model gives none; use a parameters coordinator',
    );
  }
}

/** The higher the better. */
async function scoreOf(
  model: Model & Partial<Scorable>,
  { features, labels, metric }: AdoptionTest,
): Promise<number> {
  const score = await model.score?.(features, labels, metric);
  if (score !== undefined && Number.isFinite(score))
    return metric === undefined || isHigherBetter(metric) ? score : -score;
  throw new NonFiniteError(`the score is ${score}, expected a finite number`);
}
