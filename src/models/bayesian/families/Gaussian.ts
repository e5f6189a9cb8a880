import type { Random } from '../../../random.ts';
import { standardNormal } from '../../../random.ts';
import type { Numbers } from './Distribution.ts';
import { Distribution } from './Distribution.ts';

/** A normal distribution. Natural parameters: h = mean / variance, and the precision 1 / variance. */
export class Gaussian extends Distribution<Gaussian> {
  readonly family = 'gaussian';

  /** The message h, precision; see also `of`. */
  static natural(meanTimesPrecision: number, precision: number): Gaussian {
    return new Gaussian(new Float64Array([meanTimesPrecision, precision]));
  }

  /** By mean and variance. */
  static of(mean: number, variance: number): Gaussian {
    return Gaussian.natural(mean / variance, 1 / variance);
  }

  static uniform(): Gaussian {
    return Gaussian.natural(0, 0);
  }

  get precision(): number {
    return this.natural[1] as number;
  }

  get isProper(): boolean {
    return this.precision > 0;
  }

  get mean(): number {
    this.assertProper();
    return (this.natural[0] as number) / this.precision;
  }

  get variance(): number {
    this.assertProper();
    return 1 / this.precision;
  }

  sample(random: Random): number {
    return this.mean + Math.sqrt(this.variance) * standardNormal(random);
  }

  /** Of x and −x²/2. */
  expectedStatistics(): Numbers {
    const { mean, variance } = this;
    return new Float64Array([mean, -0.5 * (mean * mean + variance)]);
  }

  override clipped(): Gaussian {
    return Gaussian.natural(this.natural[0] as number, Math.max(0, this.precision));
  }

  withNatural(natural: Numbers): Gaussian {
    return new Gaussian(natural);
  }

  logPartition(): number {
    const [h, precision] = [this.natural[0] as number, this.precision];
    return (h * h) / (2 * precision) - 0.5 * Math.log(precision);
  }
}
