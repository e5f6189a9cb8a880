import { LayoutMismatchError } from '../../../errors.ts';
import type { Random } from '../../../random.ts';
import { standardNormal } from '../../../random.ts';
import type { Numbers } from './Distribution.ts';
import { Distribution } from './Distribution.ts';

/** d independent normal distributions. Natural parameters: mean / variance (d), then 1 / variance (d): 16 · d bytes. */
export class DiagonalGaussian extends Distribution<DiagonalGaussian> {
  readonly dimension: number;
  readonly family: string;

  private constructor(natural: Numbers) {
    super(natural);
    this.dimension = natural.length / 2;
    this.family = `diagonalGaussian(${this.dimension})`;
  }

  /** The message h, precisions; see also `of`. Throws LayoutMismatchError unless they are as many. */
  static natural(meansTimesPrecisions: ArrayLike<number>, precisions: ArrayLike<number>): DiagonalGaussian {
    const { length } = meansTimesPrecisions;
    if (precisions.length !== length)
      throw new LayoutMismatchError(
        `got ${length} numbers and ${precisions.length} precisions, expected as many`,
      );
    const natural = new Float64Array(2 * length);
    natural.set(meansTimesPrecisions);
    natural.set(precisions, length);
    return new DiagonalGaussian(natural);
  }

  /** By means and variances. */
  static of(means: ArrayLike<number>, variances: ArrayLike<number>): DiagonalGaussian {
    const precisions = Float64Array.from(variances, (variance) => 1 / variance);
    const h = Float64Array.from(means, (mean, i) => mean * (precisions[i] as number));
    return DiagonalGaussian.natural(h, precisions);
  }

  static uniform(dimension: number): DiagonalGaussian {
    return new DiagonalGaussian(new Float64Array(2 * dimension));
  }

  /** A live view. */
  get precision(): Numbers {
    return this.natural.subarray(this.dimension);
  }

  get isProper(): boolean {
    return this.precision.every((precision) => precision > 0);
  }

  get mean(): Numbers {
    this.assertProper();
    const { precision } = this;
    return this.natural.slice(0, this.dimension).map((h, i) => h / (precision[i] as number));
  }

  get variance(): Numbers {
    this.assertProper();
    return this.precision.map((precision) => 1 / precision);
  }

  sample(random: Random): Numbers {
    const { mean, variance } = this;
    return mean.map((value, i) => value + Math.sqrt(variance[i] as number) * standardNormal(random));
  }

  /** Of each x, and of each −x²/2. */
  expectedStatistics(): Numbers {
    const { mean, variance, dimension } = this;
    const statistics = new Float64Array(2 * dimension);
    for (let i = 0; i < dimension; i++) {
      statistics[i] = mean[i] as number;
      statistics[dimension + i] = -0.5 * ((mean[i] as number) ** 2 + (variance[i] as number));
    }
    return statistics;
  }

  override clipped(): DiagonalGaussian {
    return this.withNatural(
      this.natural.map((value, i) => (i < this.dimension ? value : Math.max(0, value))),
    );
  }

  withNatural(natural: Numbers): DiagonalGaussian {
    return new DiagonalGaussian(natural);
  }

  logPartition(): number {
    let sum = 0;
    for (let i = 0; i < this.dimension; i++) {
      const [h, precision] = [this.natural[i] as number, this.precision[i] as number];
      sum += (h * h) / (2 * precision) - 0.5 * Math.log(precision);
    }
    return sum;
  }
}
