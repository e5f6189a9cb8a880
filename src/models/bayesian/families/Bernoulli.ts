import type { Random } from '../../../random.ts';
import type { Numbers } from './Distribution.ts';
import { Distribution } from './Distribution.ts';

/** Whether something is so. Natural parameter: the log odds. Always proper. */
export class Bernoulli extends Distribution<Bernoulli> {
  readonly family = 'bernoulli';
  readonly isProper = true;

  static natural(logOdds: number): Bernoulli {
    return new Bernoulli(new Float64Array([logOdds]));
  }

  /** By its probability, above 0 and below 1. */
  static of(probability: number): Bernoulli {
    return Bernoulli.natural(Math.log(probability) - Math.log1p(-probability));
  }

  static uniform(): Bernoulli {
    return Bernoulli.natural(0);
  }

  get logOdds(): number {
    return this.natural[0] as number;
  }

  /** The probability. */
  get mean(): number {
    return 1 / (1 + Math.exp(-this.logOdds));
  }

  get variance(): number {
    return this.mean / (1 + Math.exp(this.logOdds));
  }

  sample(random: Random): boolean {
    return random.next() < this.mean;
  }

  expectedStatistics(): Numbers {
    return new Float64Array([this.mean]);
  }

  withNatural(natural: Numbers): Bernoulli {
    return new Bernoulli(natural);
  }

  logPartition(): number {
    const { logOdds } = this;
    // ln(1 + eˣ) without overflow.
    return Math.max(0, logOdds) + Math.log1p(Math.exp(-Math.abs(logOdds)));
  }
}
