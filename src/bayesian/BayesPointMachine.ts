import { InvalidDataError, InvalidOptionError } from '../errors.ts';
import type { Features, Matrix } from '../models/features.ts';
import { readMatrix } from '../models/features.ts';
import { checkOptions, expecting } from '../models/options.ts';
import { show } from '../show.ts';
import { cholesky, invertFrom } from './cholesky.ts';
import type { Machine } from './exchange.ts';
import type { Numbers } from './families/Distribution.ts';
import { VectorGaussian } from './families/VectorGaussian.ts';
import { normalCdf, truncation } from './probit.ts';

/** Options of BayesPointMachine. */
export interface BayesPointMachineOptions {
  /** Variance of the noise of a score, above 0. 1. */
  readonly noiseVariance?: number;
  /** Variance of each weight in the prior, above 0. 1. */
  readonly priorVariance?: number;
  /** Whether a column of ones is put before the features. False: there is no hidden intercept. */
  readonly fitIntercept?: boolean;
  /** Sweeps over the rows for each message. 1: what a sweep leaves undone, the next round does. */
  readonly sweeps?: number;
}

const isAbove = (value: unknown): boolean => Number.isFinite(value) && Number(value) > 0;
const checks = {
  noiseVariance: expecting('a number above 0', isAbove),
  priorVariance: expecting('a number above 0', isAbove),
  fitIntercept: expecting('true or false', (value) => typeof value === 'boolean'),
  sweeps: expecting(
    'a whole number, 1 or more',
    (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  ),
};

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

  /** Throws InvalidOptionError or InvalidDataError. Labels are true and false. */
  constructor(features: Features, labels: readonly boolean[], options: BayesPointMachineOptions = {}) {
    const {
      noiseVariance = 1,
      priorVariance = 1,
      fitIntercept = false,
      sweeps = 1,
    } = checkOptions<BayesPointMachineOptions>(options, checks);
    this.#noise = noiseVariance;
    this.#sweeps = sweeps;
    this.#hasIntercept = fitIntercept;
    const rows = this.#read(features);
    if (labels.length !== rows.rows)
      throw new InvalidDataError(`there are ${rows.rows} rows and ${labels.length} labels, expected as many`);
    this.prior = VectorGaussian.isotropic(rows.columns, 0, priorVariance);
    this.#inbox = this.prior.power(0);
    this.#data = {
      rows,
      signs: Int8Array.from(labels, signOf),
      precisions: new Float64Array(rows.rows),
      shifts: new Float64Array(rows.rows),
    };
  }

  /** What the rows say of the weights, given what others say. */
  computeMessage(inbox: VectorGaussian): VectorGaussian {
    this.#inbox = inbox;
    for (let sweep = 0; sweep < this.#sweeps; sweep++) this.#sweep(this.prior.multiply(inbox));
    return this.#message();
  }

  /** Prior, what others have said last, and the rows, together. */
  posterior(): VectorGaussian {
    return this.prior.multiply(this.#inbox).multiply(this.#message());
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
    const { data, rows, columns } = this.#read(features);
    const { mean, covariance } = posterior;
    if (columns !== mean.length)
      throw new InvalidDataError(`features have ${columns} columns, the weights are ${mean.length}`);
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
  #sweep(cavity: VectorGaussian): void {
    const { rows, columns, data } = this.#data.rows;
    const posterior = cavity.multiply(this.#message());
    const lower = cholesky(posterior.precision, columns);
    // Nothing can be made of it now: the sites stay, and the next round has another inbox.
    if (lower === undefined) return;
    const covariance = invertFrom(lower, columns);
    const { mean } = posterior;
    const spread = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      const x = data.subarray(row * columns, (row + 1) * columns) as Numbers;
      const a = multiplyInto(spread, covariance, x);
      const b = dot(x, mean);
      const site = this.#siteOf(row, a, b);
      if (site === undefined) continue;
      const { precisions, shifts } = this.#data;
      const [dt, du] = [site.precision - (precisions[row] as number), site.shift - (shifts[row] as number)];
      precisions[row] = site.precision;
      shifts[row] = site.shift;
      const gain = dt / (1 + dt * a);
      const step = du - gain * (b + a * du);
      for (let r = 0; r < columns; r++) {
        const s = spread[r] as number;
        mean[r] = (mean[r] as number) + s * step;
        for (let c = 0; c < columns; c++)
          covariance[r * columns + c] =
            (covariance[r * columns + c] as number) - gain * s * (spread[c] as number);
      }
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

  /** The product of the sites: a sum, never a difference. */
  #message(): VectorGaussian {
    const { rows: matrix, precisions, shifts } = this.#data;
    const { rows, columns, data } = matrix;
    const h = new Float64Array(columns);
    const p = new Float64Array(columns * columns);
    for (let row = 0; row < rows; row++) {
      const [t, u] = [precisions[row] as number, shifts[row] as number];
      for (let r = 0; r < columns; r++) {
        const x = data[row * columns + r] as number;
        h[r] = (h[r] as number) + u * x;
        for (let c = 0; c < columns; c++)
          p[r * columns + c] = (p[r * columns + c] as number) + t * x * (data[row * columns + c] as number);
      }
    }
    return VectorGaussian.natural(h, p);
  }

  #read(features: Features): Matrix {
    const matrix = readMatrix(features, 'float64');
    if (!this.#hasIntercept) return matrix;
    const columns = matrix.columns + 1;
    const data = new Float64Array(matrix.rows * columns);
    for (let row = 0; row < matrix.rows; row++) {
      data[row * columns] = 1;
      data.set(matrix.data.subarray(row * matrix.columns, (row + 1) * matrix.columns), row * columns + 1);
    }
    return { data, rows: matrix.rows, columns };
  }
}

function signOf(label: boolean, row: number): number {
  if (typeof label === 'boolean') return label ? 1 : -1;
  throw new InvalidOptionError(`label ${row} is ${show(label)}, expected true or false`);
}

/** target = C x; returns xᵀ C x. */
function multiplyInto(target: Numbers, matrix: Numbers, x: Numbers): number {
  const size = x.length;
  let square = 0;
  for (let r = 0; r < size; r++) {
    let sum = 0;
    for (let c = 0; c < size; c++) sum += (matrix[r * size + c] as number) * (x[c] as number);
    target[r] = sum;
    square += sum * (x[r] as number);
  }
  return square;
}

function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
