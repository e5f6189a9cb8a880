import type { Numbers } from '../families/Distribution.ts';
import { logNormalCdf, truncation } from './normal.ts';

/** What a row says of its scores, one for each weight vector. */
export interface Scores {
  /** Of each score without this row: mean and variance. */
  readonly means: Numbers;
  readonly variances: Numbers;
  /** What the row says of each: a precision, and by how much more than precision · mean it pulls. */
  readonly precisions: Numbers;
  readonly pulls: Numbers;
}

/** How labels depend on scores. */
export interface RowLikelihood {
  /** Weight vectors, and so scores of a row. */
  readonly size: number;
  /** Fills in what a row of this label says of its scores; false where that is beyond the numbers there are. */
  speak(label: number, scores: Scores): boolean;
  /** Logarithm of the probability of this label. */
  logEvidence(label: number, scores: Scores): number;
}

export function createScores(size: number): Scores {
  const [means, variances, precisions, pulls] = [0, 1, 2, 3].map(() => new Float64Array(size));
  return {
    means: means as Numbers,
    variances: variances as Numbers,
    precisions: precisions as Numbers,
    pulls: pulls as Numbers,
  };
}

/** Two classes: label 1 where the score and its noise are above 0, label 0 where they are not. */
export class SignLikelihood implements RowLikelihood {
  readonly size = 1;
  readonly #noise: number;

  constructor(noiseVariance: number) {
    this.#noise = noiseVariance;
  }

  speak(label: number, { means, variances, precisions, pulls }: Scores): boolean {
    const variance = variances[0] as number;
    const whole = variance + this.#noise;
    const root = Math.sqrt(whole);
    const sign = label === 1 ? 1 : -1;
    const { first, second } = truncation((sign * (means[0] as number)) / root);
    const beta = second / whole;
    const scale = 1 / (1 - variance * beta);
    precisions[0] = beta * scale;
    pulls[0] = ((sign * first) / root) * scale;
    return precisions[0] < Infinity && Number.isFinite(pulls[0]);
  }

  logEvidence(label: number, { means, variances }: Scores): number {
    const z = (means[0] as number) / Math.sqrt((variances[0] as number) + this.#noise);
    return logNormalCdf(label === 1 ? z : -z);
  }
}

/**
 * ln E[exp(q s − p s²/2)] for s ~ N(mean, variance) with q = pull + p · mean: what a message of precision p has been worth to
 * a variable without it.
 */
export function logExpectation(mean: number, variance: number, precision: number, pull: number): number {
  const growth = precision * variance;
  const constant = mean * (pull + 0.5 * precision * mean);
  return constant - 0.5 * Math.log1p(growth) + (0.5 * pull * pull * variance) / (1 + growth);
}
