import type { DiagonalGaussian } from '../families/DiagonalGaussian.ts';
import type { VectorGaussian } from '../families/VectorGaussian.ts';

/** What is believed of the weights: of one vector for two classes, of one for each class for more. */
export type WeightBeliefs = readonly (VectorGaussian | DiagonalGaussian)[];

/**
 * Some rows, and what each of them says of the weights: its sites, which are kept between two sweeps. Implementations differ in what
 * they keep of how weights depend on each other.
 */
export interface ProbitSites {
  /** The product of what all rows say, a sum of the sites and never a difference: what was rounded in a sweep is gone. */
  readonly message: WeightBeliefs;
  /** One pass over the rows, each of which hears what all others say now. `posterior` has the message of these rows in it. */
  sweep(posterior: WeightBeliefs): void;
  /** Σ over the rows of ln of what each adds to the evidence, but for the normalisation of the whole. */
  logEvidence(posterior: WeightBeliefs): number;
}
