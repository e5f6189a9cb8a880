import { InvalidOptionError, NonFiniteError } from '../errors.ts';
import type { Evaluation } from '../evaluation/Evaluation.ts';
import type { MetricName } from '../evaluation/metricNames.ts';
import { isHigherBetter } from '../evaluation/metricNames.ts';
import type { Features } from '../models/features.ts';
import type { Labels } from '../models/labels.ts';
import type { Model, Scorable } from '../models/Model.ts';
import { isCloneable, isEvaluable, isGradientModel, isScorable } from '../models/Model.ts';
import type { TrainAsyncOptions } from '../models/trainOptions.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { SharedPart } from '../parameters/SharedPart.ts';
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

  /** Trains with turns for the event loop where the model can. */
  async train(features: Features, labels: Labels, options?: TrainAsyncOptions): Promise<number[]> {
    const model = this.#model as Model & Partial<AsyncTrainable>;
    return typeof model.trainAsync === 'function'
      ? model.trainAsync(features, labels, options)
      : model.train(features, labels, options);
  }

  /** The shared part of the gradients of the last training, or of the parameters. */
  async update(): Promise<Gradients | ModelParameters> {
    const whole = await this.#wholeUpdate();
    return this.#shared?.take(whole) ?? whole;
  }

  /** Puts main into the model, the rest of which stays; false where `test` finds it no better. */
  async adopt(main: ModelParameters, test: AdoptionTest | undefined): Promise<boolean> {
    if (test === undefined) {
      await this.#set(main);
      return true;
    }
    const model = this.#scorable();
    if ((await this.layout()) === undefined) {
      await this.#set(main);
      return true;
    }
    const before = await model.getModelParameters();
    const scoreBefore = await scoreOf(model, test);
    await this.#set(main);
    let isBetter = false;
    try {
      isBetter = (await scoreOf(model, test)) > scoreBefore;
    } finally {
      if (!isBetter) await model.setModelParameters(before);
    }
    return isBetter;
  }

  /** What the model with main in it makes of these rows. A copy is asked where the model can make one. */
  async evaluate(main: ModelParameters, features: Features, labels: Labels): Promise<Evaluation> {
    const whole = await this.#withShared(main);
    const model = isCloneable(this.#model) ? this.#model.clone() : this.#model;
    if (!isEvaluable(model)) {
      throw new InvalidOptionError('evaluating main needs a model with an evaluate method');
    }
    if (model !== this.#model) {
      await model.setModelParameters(whole);
      return model.evaluate(features, labels);
    }
    const before = await model.getModelParameters();
    try {
      await model.setModelParameters(whole);
      return await model.evaluate(features, labels);
    } finally {
      await model.setModelParameters(before);
    }
  }

  async #set(main: ModelParameters): Promise<void> {
    await this.#model.setModelParameters(await this.#withShared(main));
  }

  /** Parameters for the whole model: main, and what is the child's own. */
  async #withShared(main: ModelParameters): Promise<ModelParameters> {
    return this.#shared === undefined
      ? main
      : this.#shared.putInto(await this.#model.getModelParameters(), main);
  }

  async #wholeUpdate(): Promise<Gradients | ModelParameters> {
    if (this.#kind === 'parameters') return this.#model.getModelParameters();
    if (isGradientModel(this.#model)) return this.#model.getGradients();
    throw new InvalidOptionError(
      'this coordinator takes gradients and the model gives none; use a parameters coordinator',
    );
  }

  #scorable(): Model & Scorable {
    if (isScorable(this.#model)) return this.#model;
    throw new InvalidOptionError('adopting only what is better needs a model with a score method');
  }
}

/** The higher the better. */
async function scoreOf(model: Scorable, { features, labels, metric }: AdoptionTest): Promise<number> {
  const score = await model.score(features, labels, metric);
  if (Number.isFinite(score)) return metric === undefined || isHigherBetter(metric) ? score : -score;
  throw new NonFiniteError(`the score is ${score}, expected a finite number`);
}
