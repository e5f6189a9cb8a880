import { NotTrainedError } from '../../../errors.ts';
import type { BayesianModel } from '../BayesianModel.ts';
import type { Beliefs } from '../beliefs.ts';
import { checkPrior, multiplyBeliefs, requireSameVariables, uniformBeliefs } from '../beliefs.ts';

/** What is believed beforehand, what others have said, and what the data here say. */
interface Known<B> {
  readonly prior: B;
  readonly inbox: B;
  readonly message: B;
}

/**
 * What conjugate models have in common: what the data say does not depend on what others say, so that one exchange is enough, and all
 * that is kept of the data is the sum of that.
 */
export abstract class ConjugateModel<B extends Beliefs> implements BayesianModel<B> {
  #known: Known<B> | undefined;

  /** Without a prior it is unknown until `expect` says it. */
  protected constructor(prior?: B) {
    if (prior !== undefined) this.expect(prior);
  }

  /** Throws NotTrainedError where it is not known before there are data. */
  get prior(): B {
    return this.#require().prior;
  }

  /** What all data so far say, and nothing else. Throws LayoutMismatchError for an inbox about other variables. */
  computeMessage(inbox: B): B {
    const known = this.#require();
    requireSameVariables(inbox, known.prior);
    this.#known = { ...known, inbox };
    return known.message;
  }

  /** Prior, what others have said last, and the data, together. */
  posterior(): B {
    const { prior, inbox, message } = this.#require();
    return multiplyBeliefs(multiplyBeliefs(prior, inbox), message);
  }

  /** Forgets the data; what others have said stays. */
  reset(): void {
    if (this.#known !== undefined)
      this.#known = { ...this.#known, message: uniformBeliefs(this.#known.prior) };
  }

  /** Whether the prior is known. */
  protected get hasPrior(): boolean {
    return this.#known !== undefined;
  }

  /** This is the prior. */
  protected expect(prior: B): void {
    checkPrior(prior);
    const nothing = uniformBeliefs(prior);
    this.#known = { prior, inbox: nothing, message: nothing };
  }

  protected add(message: B): void {
    const known = this.#require();
    this.#known = { ...known, message: multiplyBeliefs(known.message, message) };
  }

  #require(): Known<B> {
    if (this.#known !== undefined) return this.#known;
    throw new NotTrainedError('the model has no rows yet; call train or observe first');
  }
}
