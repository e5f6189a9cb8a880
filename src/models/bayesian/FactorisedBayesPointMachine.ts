import type { Features, Matrix } from '../features.ts';
import { checkOptions } from '../options.ts';
import type { Machine } from './exchange.ts';
import { sweepFactorised } from './factorisedSweep.ts';
import { DiagonalGaussian } from './families/DiagonalGaussian.ts';
import { normalCdf } from './probit.ts';
import type { BayesPointMachineOptions } from './probitRows.ts';
import { machineChecks, readRows, readSigns, requireColumns } from './probitRows.ts';

/**
 * BayesPointMachine with weights that are independent in the posterior: a sweep takes time in proportion to the features and
 * not to their square, a message 16 bytes a weight. Means are nearly the same; variances are too small where features depend on
 * each other. Remembers 16 bytes for each feature of each row.
 */
export class FactorisedBayesPointMachine implements Machine<DiagonalGaussian> {
  readonly prior: DiagonalGaussian;
  readonly #noise: number;
  readonly #sweeps: number;
  readonly #hasIntercept: boolean;
  readonly #rows: Matrix;
  readonly #signs: Int8Array;
  readonly #siteH: Float64Array;
  readonly #siteP: Float64Array;
  #inbox: DiagonalGaussian;
  /** The product of what all rows say. */
  #message: DiagonalGaussian;

  /** Throws InvalidOptionError or InvalidDataError. */
  constructor(features: Features, labels: readonly boolean[], options: BayesPointMachineOptions = {}) {
    const checked = checkOptions<BayesPointMachineOptions>(options, machineChecks);
    const { noiseVariance = 1, priorVariance = 1, fitIntercept = false, sweeps = 1 } = checked;
    this.#noise = noiseVariance;
    this.#sweeps = sweeps;
    this.#hasIntercept = fitIntercept;
    this.#rows = readRows(features, fitIntercept);
    const { rows, columns } = this.#rows;
    this.#signs = readSigns(labels, rows);
    this.#siteH = new Float64Array(rows * columns);
    this.#siteP = new Float64Array(rows * columns);
    const variances = new Float64Array(columns).fill(priorVariance);
    this.prior = DiagonalGaussian.of(new Float64Array(columns), variances);
    this.#inbox = this.prior.power(0);
    this.#message = this.prior.power(0);
  }

  /** What the rows say of the weights, given what others say. */
  computeMessage(inbox: DiagonalGaussian): DiagonalGaussian {
    this.#inbox = inbox;
    const { data, rows, columns } = this.#rows;
    for (let sweep = 0; sweep < this.#sweeps; sweep++) {
      const { natural } = this.posterior();
      sweepFactorised({
        ...{ data: data as Float64Array, rows, columns, signs: this.#signs, noise: this.#noise },
        ...{ h: natural.subarray(0, columns), p: natural.subarray(columns) },
        ...{ siteH: this.#siteH, siteP: this.#siteP },
        ...{ means: new Float64Array(columns), variances: new Float64Array(columns) },
      });
      this.#message = this.#addUp();
    }
    return this.#message;
  }

  /** Prior, what others have said last, and the rows, together. */
  posterior(): DiagonalGaussian {
    return this.prior.multiply(this.#inbox).multiply(this.#message);
  }

  /** The probability of `true` for each row, by this posterior; the machine's own unless given. */
  predictProbabilities(features: Features, posterior: DiagonalGaussian = this.posterior()): number[] {
    const { data, rows, columns } = readRows(features, this.#hasIntercept);
    const { mean, variance } = posterior;
    requireColumns(columns, mean.length);
    return Array.from({ length: rows }, (_, row) => {
      let [score, spread] = [0, this.#noise];
      for (let i = 0; i < columns; i++) {
        const x = data[row * columns + i] as number;
        score += x * (mean[i] as number);
        spread += x * x * (variance[i] as number);
      }
      return normalCdf(score / Math.sqrt(spread));
    });
  }

  /** A sum of the sites, never a difference: what was rounded in a sweep is gone. */
  #addUp(): DiagonalGaussian {
    const { rows, columns } = this.#rows;
    const [h, p] = [new Float64Array(columns), new Float64Array(columns)];
    for (let row = 0, at = 0; row < rows; row++)
      for (let i = 0; i < columns; i++, at++) {
        h[i] = (h[i] as number) + (this.#siteH[at] as number);
        p[i] = (p[i] as number) + (this.#siteP[at] as number);
      }
    return DiagonalGaussian.natural(h, p);
  }
}
