import type { Matrix } from '../../features.ts';
import { DiagonalGaussian } from '../families/DiagonalGaussian.ts';
import type { Numbers } from '../families/Distribution.ts';
import type { FactorisedRow } from './factorisedLoops.ts';
import { leaveOutRow, updateRow } from './factorisedLoops.ts';
import type { ProbitSites, WeightBeliefs } from './ProbitSites.ts';
import type { RowLikelihood, Scores } from './RowLikelihood.ts';
import { createScores, logExpectation } from './RowLikelihood.ts';

/** A weight vector during a sweep, and room for its cavity. */
interface Weights {
  readonly row: FactorisedRow;
  readonly means: Numbers;
  readonly variances: Numbers;
}

/**
 * A site for each weight of each row: weights are independent, a sweep takes time in proportion to the features and not to their
 * square, and 16 bytes are kept for each feature of each row and weight vector (Minka 2001, section 3.2).
 */
export class FactorisedSites implements ProbitSites {
  readonly #rows: Matrix & { readonly data: Numbers };
  readonly #labels: Int32Array;
  readonly #likelihood: RowLikelihood;
  /** Of each weight vector: rows × columns of h, and of P. */
  readonly #sites: readonly { readonly h: Numbers; readonly p: Numbers }[];
  readonly #scores: Scores;
  readonly #score = new Float64Array(1);
  #message: readonly DiagonalGaussian[];

  constructor(rows: Matrix & { readonly data: Numbers }, labels: Int32Array, likelihood: RowLikelihood) {
    const { size } = likelihood;
    const length = rows.rows * rows.columns;
    this.#rows = rows;
    this.#labels = labels;
    this.#likelihood = likelihood;
    this.#sites = Array.from({ length: size }, () => {
      return { h: new Float64Array(length), p: new Float64Array(length) };
    });
    this.#scores = createScores(size);
    this.#message = Array.from({ length: size }, () => DiagonalGaussian.uniform(rows.columns));
  }

  get message(): WeightBeliefs {
    return this.#message;
  }

  sweep(posterior: WeightBeliefs): void {
    const { rows, columns } = this.#rows;
    const weights = this.#weightsOf(posterior);
    const { variances, precisions, pulls } = this.#scores;
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      if (!this.#leaveOut(at, weights)) continue;
      if (!this.#likelihood.speak(this.#labels[row] as number, this.#scores)) continue;
      for (let vector = 0; vector < weights.length; vector++) {
        const own = weights[vector] as Weights;
        updateRow(
          own.row,
          at,
          own.means,
          own.variances,
          variances[vector] as number,
          precisions[vector] as number,
          pulls[vector] as number,
        );
      }
    }
    this.#message = this.#sites.map(({ h, p }) => this.#addUp(h, p));
  }

  logEvidence(posterior: WeightBeliefs): number {
    const { rows, columns } = this.#rows;
    const weights = this.#weightsOf(posterior);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      if (!this.#leaveOut(at, weights)) return Number.NaN;
      sum += this.#likelihood.logEvidence(this.#labels[row] as number, this.#scores);
      for (const { row: own, means, variances } of weights)
        for (let i = 0; i < columns; i++) {
          const [mean, precision] = [means[i] as number, own.siteP[at + i] as number];
          const pull = (own.siteH[at + i] as number) - precision * mean;
          sum -= logExpectation(mean, variances[i] as number, precision, pull);
        }
    }
    return sum;
  }

  #weightsOf(posterior: WeightBeliefs): Weights[] {
    const { data, columns } = this.#rows;
    return this.#sites.map(({ h: siteH, p: siteP }, vector) => {
      const natural = (posterior[vector] as DiagonalGaussian).natural.slice();
      const [h, p] = [natural.subarray(0, columns), natural.subarray(columns)];
      const row = { data, columns, h, p, siteH, siteP };
      return { row, means: new Float64Array(columns), variances: new Float64Array(columns) };
    });
  }

  /** Scores without what the row at `at` says; false where they are improper: it is left as it is. */
  #leaveOut(at: number, weights: readonly Weights[]): boolean {
    const { means, variances } = this.#scores;
    let isProper = true;
    for (let vector = 0; vector < weights.length; vector++) {
      const own = weights[vector] as Weights;
      const variance = leaveOutRow(own.row, at, own.means, own.variances, this.#score);
      means[vector] = this.#score[0] as number;
      variances[vector] = variance;
      if (Number.isNaN(variance)) isProper = false;
    }
    return isProper;
  }

  #addUp(siteH: Numbers, siteP: Numbers): DiagonalGaussian {
    const { rows, columns } = this.#rows;
    const [h, p] = [new Float64Array(columns), new Float64Array(columns)];
    for (let row = 0, at = 0; row < rows; row++)
      for (let i = 0; i < columns; i++, at++) {
        h[i] = (h[i] as number) + (siteH[at] as number);
        p[i] = (p[i] as number) + (siteP[at] as number);
      }
    return DiagonalGaussian.natural(h, p);
  }
}
