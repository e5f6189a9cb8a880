import { InvalidOptionError } from '../../../errors.ts';
import type { Random } from '../../../random.ts';
import { standardNormal } from '../../../random.ts';
import {
  cholesky,
  inverseSquare,
  invertFrom,
  logDeterminant,
  requireSquare,
  solveFrom,
  solveUpper,
} from '../cholesky.ts';
import type { Numbers } from './Distribution.ts';
import { Distribution } from './Distribution.ts';

/** A normal distribution of d numbers. Natural parameters: h = P · mean (d), and the precision P (d × d, row-major, symmetric). */
export class VectorGaussian extends Distribution<VectorGaussian> {
  readonly dimension: number;
  readonly family: string;
  #lower: Numbers | undefined;

  private constructor(natural: Numbers, dimension: number) {
    super(natural);
    this.dimension = dimension;
    this.family = `vectorGaussian(${dimension})`;
  }

  /** The message h, P; see also `of`. Throws LayoutMismatchError unless P is d × d. */
  static natural(precisionTimesMean: ArrayLike<number>, precision: ArrayLike<number>): VectorGaussian {
    const { length } = precisionTimesMean;
    requireSquare(precision, length);
    const natural = new Float64Array(length + length * length);
    natural.set(precisionTimesMean);
    natural.set(precision, length);
    return new VectorGaussian(natural, length);
  }

  /** By mean and covariance. Throws InvalidOptionError where that is not positive definite. */
  static of(mean: ArrayLike<number>, covariance: ArrayLike<number>): VectorGaussian {
    const { length } = mean;
    requireSquare(covariance, length);
    const lower = cholesky(Float64Array.from(covariance), length);
    if (lower === undefined) throw new InvalidOptionError('the covariance is not positive definite');
    const h = Float64Array.from(mean);
    solveFrom(lower, h);
    return VectorGaussian.natural(h, invertFrom(lower, length));
  }

  /** Independent numbers of one mean and one variance. */
  static isotropic(dimension: number, mean: number, variance: number): VectorGaussian {
    const natural = new Float64Array(dimension + dimension * dimension);
    for (let i = 0; i < dimension; i++) {
      natural[i] = mean / variance;
      natural[dimension + i * dimension + i] = 1 / variance;
    }
    return new VectorGaussian(natural, dimension);
  }

  static uniform(dimension: number): VectorGaussian {
    return new VectorGaussian(new Float64Array(dimension + dimension * dimension), dimension);
  }

  /** P, row-major: a live view. */
  get precision(): Numbers {
    return this.natural.subarray(this.dimension);
  }

  get isProper(): boolean {
    return this.#factor() !== undefined;
  }

  get mean(): Numbers {
    const lower = this.#requireFactor();
    const mean = this.natural.slice(0, this.dimension);
    solveFrom(lower, mean);
    return mean;
  }

  /** d × d, row-major. */
  get covariance(): Numbers {
    return invertFrom(this.#requireFactor(), this.dimension);
  }

  /** The diagonal of the covariance. */
  get variance(): Numbers {
    const { covariance, dimension } = this;
    return Float64Array.from({ length: dimension }, (_, i) => covariance[i * dimension + i] as number);
  }

  sample(random: Random): Numbers {
    const lower = this.#requireFactor();
    const deviation = Float64Array.from({ length: this.dimension }, () => standardNormal(random));
    // Of covariance L⁻ᵀ L⁻¹.
    solveUpper(lower, deviation);
    const { mean } = this;
    return mean.map((value, i) => value + (deviation[i] as number));
  }

  /** Of x and −x xᵀ/2. */
  expectedStatistics(): Numbers {
    const { mean, covariance, dimension } = this;
    const statistics = new Float64Array(this.natural.length);
    statistics.set(mean);
    for (let r = 0; r < dimension; r++)
      for (let c = 0; c < dimension; c++) {
        const second = (mean[r] as number) * (mean[c] as number) + (covariance[r * dimension + c] as number);
        statistics[dimension + r * dimension + c] = -0.5 * second;
      }
    return statistics;
  }

  withNatural(natural: Numbers): VectorGaussian {
    return new VectorGaussian(natural, this.dimension);
  }

  logPartition(): number {
    const lower = this.#requireFactor();
    const square = inverseSquare(lower, this.natural.subarray(0, this.dimension));
    return 0.5 * (square - logDeterminant(lower, this.dimension));
  }

  #factor(): Numbers | undefined {
    this.#lower ??= cholesky(this.precision, this.dimension);
    return this.#lower;
  }

  #requireFactor(): Numbers {
    this.assertProper();
    return this.#factor() as Numbers;
  }
}
