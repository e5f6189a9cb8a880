import type { Beliefs } from './beliefs.ts';

/**
 * A probabilistic model with data of its own, of which others share some variables: all that a model of your own needs. It is
 * asked again and again; what it remembers between two rounds (its sites) is its own affair.
 */
export interface BayesianModel<B extends Beliefs = Beliefs> {
  /** Over the shared variables, by name; the same for all who share them. */
  readonly prior: B;
  /**
   * What the data here say of them, given what those of all others say: the inbox. Infer with prior · inbox as the prior, and
   * give back what that has added. The prior and the inbox are in neither.
   */
  computeMessage(inbox: B): B;
}
