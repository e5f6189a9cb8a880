import type { Matrix } from '../../features.ts';
import { DiagonalGaussian } from '../families/DiagonalGaussian.ts';
import type { Numbers } from '../families/Distribution.ts';
import type { VectorGaussian } from '../families/VectorGaussian.ts';
import type { WeightBeliefs } from './ProbitSites.ts';
import type { RowLikelihood } from './RowLikelihood.ts';
import { createScores } from './RowLikelihood.ts';

/** A weight vector, ready for many rows. */
interface Weights {
  readonly mean: Numbers;
  /** xᵀ covariance x. */
  spread(x: Numbers): number;
}

/** Rows × classes of probabilities: of each label its evidence, over that of all. */
export function predictRows(
  { data, rows, columns }: Matrix & { readonly data: Numbers },
  posterior: WeightBeliefs,
  likelihood: RowLikelihood,
): number[][] {
  const weights = posterior.map(readWeights);
  const scores = createScores(likelihood.size);
  return Array.from({ length: rows }, (_, row) => {
    const x = data.subarray(row * columns, (row + 1) * columns);
    for (const [vector, { mean, spread }] of weights.entries()) {
      scores.means[vector] = x.reduce((sum, value, i) => sum + value * (mean[i] as number), 0);
      scores.variances[vector] = spread(x);
    }
    const logs = Array.from({ length: Math.max(2, weights.length) }, (_, label) =>
      likelihood.logEvidence(label, scores),
    );
    const most = Math.max(...logs);
    const shares = logs.map((log) => Math.exp(log - most));
    const whole = shares.reduce((sum, share) => sum + share, 0);
    return shares.map((share) => share / whole);
  });
}

function readWeights(belief: VectorGaussian | DiagonalGaussian): Weights {
  const { mean } = belief;
  if (belief instanceof DiagonalGaussian) {
    const { variance } = belief;
    return {
      mean,
      spread: (x) => x.reduce((sum, value, i) => sum + value * value * (variance[i] as number), 0),
    };
  }
  const { covariance, dimension } = belief;
  const spread = (x: Numbers): number => {
    let sum = 0;
    for (let r = 0; r < dimension; r++) {
      let row = 0;
      for (let c = 0; c < dimension; c++) row += (covariance[r * dimension + c] as number) * (x[c] as number);
      sum += (x[r] as number) * row;
    }
    return sum;
  };
  return { mean, spread };
}
