import type { Random } from '../../../random.ts';
import { drawDirichlet } from '../../../random.ts';
import { digamma, logGamma } from '../gammaFunctions.ts';
import type { Numbers } from './Distribution.ts';
import { Distribution } from './Distribution.ts';

/** A beta distribution. Natural parameters: a − 1 and b − 1; as a message, successes and failures. */
export class Beta extends Distribution<Beta> {
  readonly family = 'beta';

  /** The message a − 1, b − 1; see also `of`. */
  static natural(successes: number, failures: number): Beta {
    return new Beta(new Float64Array([successes, failures]));
  }

  static of(a: number, b: number): Beta {
    return Beta.natural(a - 1, b - 1);
  }

  static uniform(): Beta {
    return Beta.natural(0, 0);
  }

  get a(): number {
    return (this.natural[0] as number) + 1;
  }

  get b(): number {
    return (this.natural[1] as number) + 1;
  }

  get isProper(): boolean {
    return this.a > 0 && this.b > 0;
  }

  get mean(): number {
    this.assertProper();
    return this.a / (this.a + this.b);
  }

  get variance(): number {
    const { mean } = this;
    return (mean * (1 - mean)) / (this.a + this.b + 1);
  }

  sample(random: Random): number {
    this.assertProper();
    return drawDirichlet([this.a, this.b], random)[0] as number;
  }

  /** Of ln x and ln(1 − x). */
  expectedStatistics(): Numbers {
    this.assertProper();
    const whole = digamma(this.a + this.b);
    return new Float64Array([digamma(this.a) - whole, digamma(this.b) - whole]);
  }

  override clipped(): Beta {
    return this.withNatural(this.natural.map((value) => Math.max(0, value)));
  }

  withNatural(natural: Numbers): Beta {
    return new Beta(natural);
  }

  logPartition(): number {
    return logGamma(this.a) + logGamma(this.b) - logGamma(this.a + this.b);
  }
}
