import { logNormalCdf, truncation } from './normal.ts';
import type { RowLikelihood, Scores } from './RowLikelihood.ts';
import { logExpectation } from './RowLikelihood.ts';

const iterationsMax = 100;
const tolerance = 1e-13;

/**
 * More than two classes: the label is the class whose score, with noise of its own, is above all others. That is K − 1
 * constraints winner − other > 0, each of which speaks to two noisy scores; they listen to each other until nothing changes
 * (expectation propagation within the row).
 */
export class WinnerLikelihood implements RowLikelihood {
  readonly size: number;
  readonly #noise: number;
  /** What each constraint says of the winner, and of the other: precision, and precision · mean. */
  readonly #winnerP: Float64Array;
  readonly #winnerH: Float64Array;
  readonly #otherP: Float64Array;
  readonly #otherPull: Float64Array;
  /** Of the difference of each constraint without it: mean / standard deviation. */
  readonly #margins: Float64Array;

  constructor(classes: number, noiseVariance: number) {
    this.size = classes;
    this.#noise = noiseVariance;
    this.#winnerP = new Float64Array(classes);
    this.#winnerH = new Float64Array(classes);
    this.#otherP = new Float64Array(classes);
    this.#otherPull = new Float64Array(classes);
    this.#margins = new Float64Array(classes);
  }

  speak(label: number, scores: Scores): boolean {
    if (!this.#settle(label, scores)) return false;
    const { means, precisions, pulls } = scores;
    const mean = means[label] as number;
    const [p, h] = this.#sums(-1);
    precisions[label] = p;
    pulls[label] = h - p * mean;
    for (let c = 0; c < this.size; c++) {
      if (c !== label) {
        precisions[c] = this.#otherP[c] as number;
        pulls[c] = this.#otherPull[c] as number;
      }
      // Through the noise.
      const through = 1 + (precisions[c] as number) * this.#noise;
      precisions[c] = (precisions[c] as number) / through;
      pulls[c] = (pulls[c] as number) / through;
    }
    return true;
  }

  logEvidence(label: number, scores: Scores): number {
    if (!this.#settle(label, scores)) return -Infinity;
    const mean = scores.means[label] as number;
    const variance = (scores.variances[label] as number) + this.#noise;
    const [p, h] = this.#sums(-1);
    let sum = logExpectation(mean, variance, p, h - p * mean);
    for (let c = 0; c < this.size; c++) {
      if (c === label) continue;
      const without = this.#without(c, mean, variance);
      const precision = this.#winnerP[c] as number;
      const pull = (this.#winnerH[c] as number) - precision * without.mean;
      sum += logNormalCdf(this.#margins[c] as number);
      sum -= logExpectation(without.mean, without.variance, precision, pull);
    }
    return sum;
  }

  /** Goes round the constraints until nothing changes; false where that is beyond the numbers there are. */
  #settle(label: number, { means, variances }: Scores): boolean {
    this.#winnerP.fill(0);
    this.#winnerH.fill(0);
    const mean = means[label] as number;
    const variance = (variances[label] as number) + this.#noise;
    for (let iteration = 0; iteration < iterationsMax; iteration++) {
      let change = 0;
      for (let c = 0; c < this.size; c++) {
        if (c === label) continue;
        const other = { mean: means[c] as number, variance: (variances[c] as number) + this.#noise };
        const before = [this.#winnerP[c] as number, this.#winnerH[c] as number] as const;
        if (!this.#constrain(c, this.#without(c, mean, variance), other)) return false;
        const moved = Math.abs((this.#winnerP[c] as number) - before[0]) * variance;
        const pulled = Math.abs((this.#winnerH[c] as number) - before[1]) * Math.sqrt(variance);
        change = Math.max(change, moved, pulled);
      }
      if (change < tolerance) break;
    }
    return true;
  }

  /** The winner's score without what constraint `c` says; without nothing where c is −1. */
  #without(c: number, mean: number, variance: number): { mean: number; variance: number } {
    const [p, h] = this.#sums(c);
    const precision = 1 / variance + p;
    return { mean: (mean / variance + h) / precision, variance: 1 / precision };
  }

  #sums(without: number): [number, number] {
    let [p, h] = [0, 0];
    for (let c = 0; c < this.size; c++)
      if (c !== without) {
        p += this.#winnerP[c] as number;
        h += this.#winnerH[c] as number;
      }
    return [p, h];
  }

  #constrain(
    c: number,
    winner: { mean: number; variance: number },
    other: { mean: number; variance: number },
  ): boolean {
    const variance = winner.variance + other.variance;
    const root = Math.sqrt(variance);
    const difference = winner.mean - other.mean;
    this.#margins[c] = difference / root;
    const { first, second } = truncation(difference / root);
    const scale = 1 / (1 - second);
    // Of the difference; what is left of it beyond the other end's variance reaches each score.
    const precision = (second / variance) * scale;
    const pull = (first / root) * scale;
    const toWinner = 1 + precision * other.variance;
    const toOther = 1 + precision * winner.variance;
    this.#winnerP[c] = precision / toWinner;
    this.#winnerH[c] = pull / toWinner + (precision / toWinner) * winner.mean;
    this.#otherP[c] = precision / toOther;
    this.#otherPull[c] = -pull / toOther;
    return precision < Infinity && Number.isFinite(pull);
  }
}
