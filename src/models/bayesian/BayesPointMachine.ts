import type { Features, Matrix } from '../features.ts';
import { checkOptions } from '../options.ts';
import { cholesky, invertFrom } from './cholesky.ts';
import type { Machine } from './exchange.ts';
import type { Numbers } from './families/Distribution.ts';
import { VectorGaussian } from './families/VectorGaussian.ts';
import { normalCdf, truncation } from './probit.ts';
import type { BayesPointMachineOptions } from './probitRows.ts';
import { machineChecks, readRows, readSigns, requireColumns } from './probitRows.ts';
import { addSquare, multiplyTriangle, triangleLength, triangleOf, wholeOf } from './triangle.ts';

/** The rows of a machine, and what is remembered of each: its site t x xᵀ, u x, between two rounds. */
interface Data {
  readonly rows: Matrix;
  /** 1 or −1. */
  readonly signs: Int8Array;
  readonly precisions: Numbers;
  readonly shifts: Numbers;
}

/**
 * A probit classifier of two classes by expectation propagation (Minka 2001, chapter 5): the score of a row is x · w and the
 * label the sign of N(score, noiseVariance), with w ~ N(0, priorVariance). Weights have a full covariance. Features are taken as
 * they are. As a Machine it is one of several that share the weights, each with rows of its own.
 */
export class BayesPointMachine implements Machine<VectorGaussian> {
  readonly prior: VectorGaussian;
  readonly #noise: number;
  readonly #sweeps: number;
  readonly #hasIntercept: boolean;
  readonly #data: Data;
  #inbox: VectorGaussian;
  /** The product of what all rows say. */
  #message: VectorGaussian;

  /** Throws InvalidOptionError or InvalidDataError. Labels are true and false. */
  constructor(features: Features, labels: readonly boolean[], options: BayesPointMachineOptions = {}) {
    const checked = checkOptions<BayesPointMachineOptions>(options, machineChecks);
    const { noiseVariance = 1, priorVariance = 1, fitIntercept = false, sweeps = 1 } = checked;
    this.#noise = noiseVariance;
    this.#sweeps = sweeps;
    this.#hasIntercept = fitIntercept;
    const rows = readRows(features, fitIntercept);
    const signs = readSigns(labels, rows.rows);
    this.prior = VectorGaussian.isotropic(rows.columns, 0, priorVariance);
    this.#inbox = this.prior.power(0);
    this.#message = this.prior.power(0);
    this.#data = {
      rows,
      signs,
      precisions: new Float64Array(rows.rows),
      shifts: new Float64Array(rows.rows),
    };
  }

  /** What the rows say of the weights, given what others say. */
  computeMessage(inbox: VectorGaussian): VectorGaussian {
    this.#inbox = inbox;
    for (let sweep = 0; sweep < this.#sweeps; sweep++) {
      this.#sweep(this.posterior());
      this.#message = this.#addUp();
    }
    return this.#message;
  }

  /** Prior, what others have said last, and the rows, together. */
  posterior(): VectorGaussian {
    return this.prior.multiply(this.#inbox).multiply(this.#message);
  }

  /** The same without what one of its rows says. */
  posteriorWithout(row: number): VectorGaussian {
    const { rows, precisions, shifts } = this.#data;
    const { columns, data } = rows;
    const x = data.subarray(row * columns, (row + 1) * columns);
    const [t, u] = [precisions[row] as number, shifts[row] as number];
    const outer = Float64Array.from({ length: columns * columns }, (_, at) => {
      const [r, c] = [Math.floor(at / columns), at % columns];
      return t * (x[r] as number) * (x[c] as number);
    });
    return this.posterior().divide(
      VectorGaussian.natural(
        Float64Array.from(x, (value) => u * value),
        outer,
      ),
    );
  }

  /** The probability of `true` for each row, by this posterior; the machine's own unless given. */
  predictProbabilities(features: Features, posterior: VectorGaussian = this.posterior()): number[] {
    const { data, rows, columns } = readRows(features, this.#hasIntercept);
    const { mean, covariance } = posterior;
    requireColumns(columns, mean.length);
    return Array.from({ length: rows }, (_, row) => {
      const x = data.subarray(row * columns, (row + 1) * columns);
      let [score, variance] = [0, this.#noise];
      for (let r = 0; r < columns; r++) {
        score += (x[r] as number) * (mean[r] as number);
        for (let c = 0; c < columns; c++)
          variance += (x[r] as number) * (covariance[r * columns + c] as number) * (x[c] as number);
      }
      return normalCdf(score / Math.sqrt(variance));
    });
  }

  /** One pass over the rows, with the posterior kept up to date after each. */
  #sweep(posterior: VectorGaussian): void {
    const { rows, columns, data } = this.#data.rows;
    const lower = cholesky(posterior.precision, columns);
    // Nothing can be made of it now: the sites stay, and the next round has another inbox.
    if (lower === undefined) return;
    const covariance = triangleOf(invertFrom(lower, columns), columns);
    const { mean } = posterior;
    const spread = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      const x = data.subarray(row * columns, (row + 1) * columns) as Numbers;
      const a = multiplyTriangle(covariance, x, spread);
      const b = dot(x, mean);
      const site = this.#siteOf(row, a, b);
      if (site === undefined) continue;
      const { precisions, shifts } = this.#data;
      const [dt, du] = [site.precision - (precisions[row] as number), site.shift - (shifts[row] as number)];
      precisions[row] = site.precision;
      shifts[row] = site.shift;
      const gain = dt / (1 + dt * a);
      const step = du - gain * (b + a * du);
      for (let r = 0; r < columns; r++) mean[r] = (mean[r] as number) + (spread[r] as number) * step;
      addSquare(covariance, spread, -gain);
    }
  }

  /** The site of a row whose score has variance a and mean b; undefined where its cavity is improper: it is left as it is. */
  #siteOf(row: number, a: number, b: number): { precision: number; shift: number } | undefined {
    const { precisions, shifts, signs } = this.#data;
    const [t, u, y] = [precisions[row] as number, shifts[row] as number, signs[row] as number];
    const rest = 1 - t * a;
    if (!(rest > 0) || !(a > 0)) return undefined;
    const [v, m] = [a / rest, (b - a * u) / rest];
    const variance = v + this.#noise;
    const { first, second } = truncation((y * m) / Math.sqrt(variance));
    const alpha = (y * first) / Math.sqrt(variance);
    const beta = second / variance;
    const scale = 1 / (1 - v * beta);
    const [precision, shift] = [beta * scale, (alpha + m * beta) * scale];
    return Number.isFinite(precision) && Number.isFinite(shift) ? { precision, shift } : undefined;
  }

  /** The product of what all rows say: a sum, never a difference. */
  #addUp(): VectorGaussian {
    const { rows: matrix, precisions, shifts } = this.#data;
    const { rows, columns, data } = matrix;
    const h = new Float64Array(columns);
    const p = new Float64Array(triangleLength(columns));
    for (let row = 0; row < rows; row++) {
      const x = data.subarray(row * columns, (row + 1) * columns) as Numbers;
      const u = shifts[row] as number;
      for (let i = 0; i < columns; i++) h[i] = (h[i] as number) + u * (x[i] as number);
      addSquare(p, x, precisions[row] as number);
    }
    return VectorGaussian.natural(h, wholeOf(p, columns));
  }
}

function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
