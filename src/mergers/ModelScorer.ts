import { ContractViolationError, InvalidOptionError, NonFiniteError } from '../errors.ts';
import type { Features } from '../models/features.ts';
import type { Labels } from '../models/labels.ts';
import type { Model, Scorable } from '../models/Model.ts';
import { isCloneable, isScorable } from '../models/Model.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { isPromiseLike } from '../promises.ts';

/** Scores parameters on validation rows without changing the user's model. */
export class ModelScorer {
  readonly #model: Model & Scorable;
  readonly #features: Features;
  readonly #labels: Labels;
  readonly #isOwnCopy: boolean;

  /** Throws InvalidOptionError where the model has no `score`. */
  constructor(model: Model, features: Features, labels: Labels) {
    if (!isScorable(model)) throw new InvalidOptionError('setData needs a model with a score method');
    this.#isOwnCopy = isCloneable(model);
    this.#model = isCloneable(model) ? requireScorable(model.clone()) : model;
    this.#features = features;
    this.#labels = labels;
  }

  /** The score of the model with these parameters. Throws where it is not a finite number at once. */
  score(parameters: ModelParameters): number {
    if (this.#isOwnCopy) return this.#scoreWith(parameters);
    const before = settled(this.#model.getModelParameters(), 'getModelParameters');
    try {
      return this.#scoreWith(parameters);
    } finally {
      settled(this.#model.setModelParameters(before), 'setModelParameters');
    }
  }

  #scoreWith(parameters: ModelParameters): number {
    settled(this.#model.setModelParameters(parameters), 'setModelParameters');
    const score = settled(this.#model.score(this.#features, this.#labels), 'score');
    if (!Number.isFinite(score)) throw new NonFiniteError(`the score is ${score}, expected a finite number`);
    return score;
  }
}

function requireScorable(model: Model): Model & Scorable {
  if (isScorable(model)) return model;
  throw new ContractViolationError('the clone of a scorable model has no score method');
}

/** A merge happens within one call, so that a model must score without promises. */
function settled<T>(value: T | Promise<T>, method: string): T {
  if (isPromiseLike(value)) {
    throw new ContractViolationError(
      `merging by score needs a model whose ${method} returns at once, got a promise`,
    );
  }
  return value;
}
