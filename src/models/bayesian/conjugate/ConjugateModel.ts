import type { BayesianModel } from '../BayesianModel.ts';
import type { Beliefs } from '../beliefs.ts';
import { checkPrior, multiplyBeliefs, requireSameVariables, uniformBeliefs } from '../beliefs.ts';

/**
 * What conjugate models have in common: what the data say does not depend on what others say, so that one exchange is enough, and all
 * that is kept of the data is the sum of that.
 */
export abstract class ConjugateModel<B extends Beliefs> implements BayesianModel<B> {
  readonly prior: B;
  #message: B;
  #inbox: B;

  protected constructor(prior: B) {
    checkPrior(prior);
    this.prior = prior;
    this.#message = uniformBeliefs(prior);
    this.#inbox = uniformBeliefs(prior);
  }

  /** What all data so far say, and nothing else. Throws LayoutMismatchError for an inbox about other variables. */
  computeMessage(inbox: B): B {
    requireSameVariables(inbox, this.prior);
    this.#inbox = inbox;
    return this.#message;
  }

  /** Prior, what others have said last, and the data, together. */
  posterior(): B {
    return multiplyBeliefs(multiplyBeliefs(this.prior, this.#inbox), this.#message);
  }

  /** Forgets the data; what others have said stays. */
  reset(): void {
    this.#message = uniformBeliefs(this.prior);
  }

  protected add(message: B): void {
    this.#message = multiplyBeliefs(this.#message, message);
  }
}
