import type { Random } from '../../../random.ts';
import { drawLogGamma } from '../../../random.ts';
import { digamma, logGamma } from '../gammaFunctions.ts';
import type { Numbers } from './Distribution.ts';
import { Distribution } from './Distribution.ts';

/** A gamma distribution. Natural parameters: shape − 1, and the rate, which is 1 / scale. */
export class Gamma extends Distribution<Gamma> {
  readonly family = 'gamma';

  /** The message shape − 1, rate; see also `of`. */
  static natural(shapeMinusOne: number, rate: number): Gamma {
    return new Gamma(new Float64Array([shapeMinusOne, rate]));
  }

  static of(shape: number, rate: number): Gamma {
    return Gamma.natural(shape - 1, rate);
  }

  static uniform(): Gamma {
    return Gamma.natural(0, 0);
  }

  get shape(): number {
    return (this.natural[0] as number) + 1;
  }

  get rate(): number {
    return this.natural[1] as number;
  }

  get isProper(): boolean {
    return this.shape > 0 && this.rate > 0;
  }

  get mean(): number {
    this.assertProper();
    return this.shape / this.rate;
  }

  get variance(): number {
    this.assertProper();
    return this.shape / this.rate ** 2;
  }

  sample(random: Random): number {
    this.assertProper();
    return Math.exp(drawLogGamma(this.shape, random)) / this.rate;
  }

  /** Of ln x and −x. */
  expectedStatistics(): Numbers {
    this.assertProper();
    return new Float64Array([digamma(this.shape) - Math.log(this.rate), -this.mean]);
  }

  override clipped(): Gamma {
    return this.withNatural(this.natural.map((value) => Math.max(0, value)));
  }

  withNatural(natural: Numbers): Gamma {
    return new Gamma(natural);
  }

  logPartition(): number {
    return logGamma(this.shape) - this.shape * Math.log(this.rate);
  }
}
