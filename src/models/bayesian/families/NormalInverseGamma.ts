import type { Random } from '../../../random.ts';
import { drawLogGamma, standardNormal } from '../../../random.ts';
import {
  cholesky,
  inverseSquare,
  invertFrom,
  logDeterminant,
  requireSquare,
  solveFrom,
  solveUpper,
} from '../cholesky.ts';
import { digamma, logGamma } from '../gammaFunctions.ts';
import type { Numbers } from './Distribution.ts';
import { Distribution } from './Distribution.ts';

/** What a normal-inverse-gamma distribution is by. */
export interface NormalInverseGammaParameters {
  readonly mean: ArrayLike<number>;
  /** Of the weights, in units of 1 / σ²: d × d, row-major. */
  readonly precision: ArrayLike<number>;
  /** Of the gamma distribution of 1 / σ². */
  readonly shape: number;
  readonly rate: number;
}

/**
 * Weights w and a variance σ² that are not known: 1/σ² ~ Gamma(shape, rate), w | σ² ~ N(mean, σ² Λ⁻¹). Natural parameters:
 * Λ·mean (d), Λ (d × d), shape, and rate + ½ meanᵀ Λ mean; as a message of rows X with labels y: Xᵀy, XᵀX, n/2, yᵀy/2.
 */
export class NormalInverseGamma extends Distribution<NormalInverseGamma> {
  readonly dimension: number;
  readonly family: string;
  #lower: Numbers | undefined;

  private constructor(natural: Numbers, dimension: number) {
    super(natural);
    this.dimension = dimension;
    this.family = `normalInverseGamma(${dimension})`;
  }

  /** The message; see also `of`. Throws LayoutMismatchError unless Λ is d × d. */
  static natural(
    precisionTimesMean: ArrayLike<number>,
    precision: ArrayLike<number>,
    shape: number,
    halfSquares: number,
  ): NormalInverseGamma {
    const { length } = precisionTimesMean;
    requireSquare(precision, length);
    const natural = new Float64Array(length + length * length + 2);
    natural.set(precisionTimesMean);
    natural.set(precision, length);
    natural[natural.length - 2] = shape;
    natural[natural.length - 1] = halfSquares;
    return new NormalInverseGamma(natural, length);
  }

  static of({ mean, precision, shape, rate }: NormalInverseGammaParameters): NormalInverseGamma {
    const { length } = mean;
    const h = Float64Array.from({ length }, (_, r) => {
      let sum = 0;
      for (let c = 0; c < length; c++) sum += (precision[r * length + c] as number) * (mean[c] as number);
      return sum;
    });
    const square = h.reduce((sum, value, i) => sum + value * (mean[i] as number), 0);
    return NormalInverseGamma.natural(h, precision, shape, rate + 0.5 * square);
  }

  static uniform(dimension: number): NormalInverseGamma {
    return new NormalInverseGamma(new Float64Array(dimension + dimension ** 2 + 2), dimension);
  }

  /** Λ, row-major: a live view. */
  get precision(): Numbers {
    return this.natural.subarray(this.dimension, this.dimension + this.dimension ** 2);
  }

  get shape(): number {
    return this.natural[this.natural.length - 2] as number;
  }

  /** Rate of the gamma distribution of 1 / σ². */
  get rate(): number {
    return (this.natural[this.natural.length - 1] as number) - 0.5 * this.#square();
  }

  get isProper(): boolean {
    return this.#factor() !== undefined && this.shape > 0 && this.rate > 0;
  }

  /** Of the weights. */
  get mean(): Numbers {
    this.assertProper();
    return this.#mean();
  }

  /** Λ⁻¹: the covariance of the weights in units of σ². Row-major. */
  get inverse(): Numbers {
    this.assertProper();
    return invertFrom(this.#factor() as Numbers, this.dimension);
  }

  /** Of the weights, whatever σ² is (a Student distribution): ∞ where shape ≤ 1. Row-major. */
  get covariance(): Numbers {
    const { noiseVariance } = this;
    return this.inverse.map((value) => value * noiseVariance);
  }

  /** The diagonal of the covariance. */
  get variance(): Numbers {
    const { covariance, dimension } = this;
    return Float64Array.from({ length: dimension }, (_, i) => covariance[i * dimension + i] as number);
  }

  /** Mean of σ²; ∞ where shape ≤ 1. */
  get noiseVariance(): number {
    this.assertProper();
    return this.shape > 1 ? this.rate / (this.shape - 1) : Infinity;
  }

  sample(random: Random): { weights: Numbers; noiseVariance: number } {
    this.assertProper();
    const noiseVariance = this.rate / Math.exp(drawLogGamma(this.shape, random));
    const deviation = Float64Array.from({ length: this.dimension }, () => standardNormal(random));
    solveUpper(this.#factor() as Numbers, deviation);
    const weights = this.#mean().map(
      (value, i) => value + Math.sqrt(noiseVariance) * (deviation[i] as number),
    );
    return { weights, noiseVariance };
  }

  /** Of w/σ², −w wᵀ/(2σ²), −ln σ² and −1/σ². */
  expectedStatistics(): Numbers {
    this.assertProper();
    const { dimension, shape, rate } = this;
    const mean = this.#mean();
    const inverse = invertFrom(this.#factor() as Numbers, dimension);
    const statistics = new Float64Array(this.natural.length);
    const noisePrecision = shape / rate;
    for (let r = 0; r < dimension; r++) {
      statistics[r] = noisePrecision * (mean[r] as number);
      for (let c = 0; c < dimension; c++) {
        const second = noisePrecision * (mean[r] as number) * (mean[c] as number);
        statistics[dimension + r * dimension + c] = -0.5 * (second + (inverse[r * dimension + c] as number));
      }
    }
    statistics[statistics.length - 2] = digamma(shape) - Math.log(rate);
    statistics[statistics.length - 1] = -noisePrecision;
    return statistics;
  }

  withNatural(natural: Numbers): NormalInverseGamma {
    return new NormalInverseGamma(natural, this.dimension);
  }

  logPartition(): number {
    const lower = this.#factor() as Numbers;
    return (
      logGamma(this.shape) - this.shape * Math.log(this.rate) - 0.5 * logDeterminant(lower, this.dimension)
    );
  }

  #factor(): Numbers | undefined {
    this.#lower ??= cholesky(this.precision, this.dimension);
    return this.#lower;
  }

  #mean(): Numbers {
    const mean = this.natural.slice(0, this.dimension);
    solveFrom(this.#factor() as Numbers, mean);
    return mean;
  }

  /** meanᵀ Λ mean. */
  #square(): number {
    const lower = this.#factor();
    return lower === undefined ? 0 : inverseSquare(lower, this.natural.subarray(0, this.dimension));
  }
}
