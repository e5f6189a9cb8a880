import { InvalidOptionError } from '../../errors.ts';
import type { ModelParameters } from '../../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../../parameters/ParameterLayout.ts';
import type { Features } from '../features.ts';
import type { Labels } from '../labels.ts';
import type { Awaitable, Model, Predictions } from '../Model.ts';
import type { BayesianModel } from './BayesianModel.ts';
import type { Beliefs } from './beliefs.ts';
import { divideBeliefs, multiplyBeliefs, uniformBeliefs } from './beliefs.ts';
import { layoutOfBeliefs, parametersOfBeliefs, readBeliefs } from './tensors.ts';

/** What models may have besides: rows to learn from, and predictions. */
interface Learner {
  train(features: Features, labels: Labels): Awaitable<number[]>;
  predict(features: Features): Awaitable<Predictions>;
}

/**
 * A BayesianModel as the Model of a Child: its parameters are what it says, and what it is given as main is prior · what all others
 * say. `train` and `predict` are those of the model itself.
 */
export class MessageModel<B extends Beliefs> implements Model {
  readonly #model: BayesianModel<B>;
  readonly #layout: ParameterLayout;
  #message: B;
  #inbox: B;

  /** The model's prior must be known: one that infers how many weights there are from its rows needs rows first. */
  constructor(model: BayesianModel<B>) {
    this.#model = model;
    this.#layout = layoutOfBeliefs(model.prior);
    this.#message = uniformBeliefs(model.prior);
    this.#inbox = this.#message;
  }

  /** Prior · what others have said · what it has said itself: what it believes now. */
  get posterior(): B {
    return multiplyBeliefs(multiplyBeliefs(this.#model.prior, this.#inbox), this.#message);
  }

  /** Infers anew, with what others have said last. */
  compute(): void {
    this.#message = this.#model.computeMessage(this.#inbox);
  }

  /** The message. */
  getModelParameters(): ModelParameters {
    return parametersOfBeliefs(this.#message, this.#layout);
  }

  /** Reads the inbox. Throws LayoutMismatchError where main is about other variables, or of another prior. */
  setModelParameters(main: ModelParameters): void {
    this.#layout.assertFits(main.layout, 'main', 'the prior of the model');
    this.#inbox = divideBeliefs(readBeliefs(main, this.#model.prior), this.#model.prior);
  }

  /** Has the model learn from these rows, and then says what it has learned. */
  async train(features: Features, labels: Labels): Promise<number[]> {
    const costs = await this.#learner('train').train(features, labels);
    this.compute();
    return costs;
  }

  predict(features: Features): Awaitable<Predictions> {
    return this.#learner('predict').predict(features);
  }

  #learner(method: keyof Learner): Learner {
    const learner = this.#model as BayesianModel<B> & Partial<Learner>;
    if (typeof learner[method] === 'function') return learner as unknown as Learner;
    throw new InvalidOptionError(`the model has no method ${method}`);
  }
}
