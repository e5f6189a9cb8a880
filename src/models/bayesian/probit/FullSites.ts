import type { Matrix } from '../../features.ts';
import { cholesky, invertFrom } from '../cholesky.ts';
import type { Numbers } from '../families/Distribution.ts';
import { VectorGaussian } from '../families/VectorGaussian.ts';
import type { ProbitSites, WeightBeliefs } from './ProbitSites.ts';
import type { RowLikelihood, Scores } from './RowLikelihood.ts';
import { createScores, logExpectation } from './RowLikelihood.ts';
import { addSquare, multiplyTriangle, triangleLength, triangleOf, wholeOf } from './triangle.ts';

/** A weight vector during a sweep. */
interface Weights {
  /** The triangle of its covariance. */
  readonly covariance: Numbers;
  readonly mean: Numbers;
  /** Covariance · x of the row at hand. */
  readonly spread: Numbers;
  /** Variance and mean of the score of that row. */
  a: number;
  b: number;
}

/** Sites t x xᵀ, u x: with a full covariance a row says something of its score and of nothing else (Minka 2001, chapter 5). */
export class FullSites implements ProbitSites {
  readonly #rows: Matrix & { readonly data: Numbers };
  readonly #labels: Int32Array;
  readonly #likelihood: RowLikelihood;
  /** Rows × weight vectors: t and u. */
  readonly #precisions: Numbers;
  readonly #shifts: Numbers;
  readonly #scores: Scores;
  #message: readonly VectorGaussian[];

  constructor(rows: Matrix & { readonly data: Numbers }, labels: Int32Array, likelihood: RowLikelihood) {
    const { size } = likelihood;
    this.#rows = rows;
    this.#labels = labels;
    this.#likelihood = likelihood;
    this.#precisions = new Float64Array(rows.rows * size);
    this.#shifts = new Float64Array(rows.rows * size);
    this.#scores = createScores(size);
    this.#message = Array.from({ length: size }, () => VectorGaussian.uniform(rows.columns));
  }

  get message(): WeightBeliefs {
    return this.#message;
  }

  sweep(posterior: WeightBeliefs): void {
    const weights = this.#weightsOf(posterior);
    // Nothing can be made of it now: the sites stay, and the next round has another inbox.
    if (weights === undefined) return;
    for (let row = 0; row < this.#rows.rows; row++) this.#visit(row, weights);
    this.#message = weights.map((_, vector) => this.#addUp(vector));
  }

  logEvidence(posterior: WeightBeliefs): number {
    const weights = this.#weightsOf(posterior);
    if (weights === undefined) return Number.NaN;
    const { means, variances } = this.#scores;
    let sum = 0;
    for (let row = 0; row < this.#rows.rows; row++) {
      if (!this.#leaveOut(row, weights)) return Number.NaN;
      sum += this.#likelihood.logEvidence(this.#labels[row] as number, this.#scores);
      for (let vector = 0; vector < weights.length; vector++) {
        const at = row * weights.length + vector;
        const [mean, precision] = [means[vector] as number, this.#precisions[at] as number];
        const pull = (this.#shifts[at] as number) - precision * mean;
        sum -= logExpectation(mean, variances[vector] as number, precision, pull);
      }
    }
    return sum;
  }

  #weightsOf(posterior: WeightBeliefs): Weights[] | undefined {
    const { columns } = this.#rows;
    const weights: Weights[] = [];
    for (const belief of posterior as readonly VectorGaussian[]) {
      const lower = cholesky(belief.precision, columns);
      if (lower === undefined) return undefined;
      const covariance = triangleOf(invertFrom(lower, columns), columns);
      weights.push({ covariance, mean: belief.mean, spread: new Float64Array(columns), a: 0, b: 0 });
    }
    return weights;
  }

  #rowAt(row: number): Numbers {
    const { columns, data } = this.#rows;
    return data.subarray(row * columns, (row + 1) * columns);
  }

  /** Scores without what this row says; false where they are improper. */
  #leaveOut(row: number, weights: readonly Weights[]): boolean {
    const { means, variances } = this.#scores;
    const x = this.#rowAt(row);
    for (let vector = 0; vector < weights.length; vector++) {
      const own = weights[vector] as Weights;
      const at = row * weights.length + vector;
      const a = multiplyTriangle(own.covariance, x, own.spread);
      const b = dot(x, own.mean);
      own.a = a;
      own.b = b;
      const rest = 1 - (this.#precisions[at] as number) * a;
      if (!(rest > 0) || !(a >= 0)) return false;
      variances[vector] = a / rest;
      means[vector] = (b - a * (this.#shifts[at] as number)) / rest;
    }
    return true;
  }

  /** A row whose cavity is improper, or that is beyond the numbers there are, is left as it is. */
  #visit(row: number, weights: readonly Weights[]): void {
    if (!this.#leaveOut(row, weights)) return;
    if (!this.#likelihood.speak(this.#labels[row] as number, this.#scores)) return;
    const { means, precisions, pulls } = this.#scores;
    for (let vector = 0; vector < weights.length; vector++) {
      const { covariance, mean, spread, a, b } = weights[vector] as Weights;
      const at = row * weights.length + vector;
      const precision = precisions[vector] as number;
      const shift = (pulls[vector] as number) + precision * (means[vector] as number);
      const dt = precision - (this.#precisions[at] as number);
      const du = shift - (this.#shifts[at] as number);
      this.#precisions[at] = precision;
      this.#shifts[at] = shift;
      const gain = dt / (1 + dt * a);
      const step = du - gain * (b + a * du);
      for (let r = 0; r < mean.length; r++) mean[r] = (mean[r] as number) + (spread[r] as number) * step;
      addSquare(covariance, spread, -gain);
    }
  }

  #addUp(vector: number): VectorGaussian {
    const { rows, columns } = this.#rows;
    const h = new Float64Array(columns);
    const p = new Float64Array(triangleLength(columns));
    for (let row = 0; row < rows; row++) {
      const x = this.#rowAt(row);
      const at = row * this.#likelihood.size + vector;
      const u = this.#shifts[at] as number;
      for (let i = 0; i < columns; i++) h[i] = (h[i] as number) + u * (x[i] as number);
      addSquare(p, x, this.#precisions[at] as number);
    }
    return VectorGaussian.natural(h, wholeOf(p, columns));
  }
}

function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
