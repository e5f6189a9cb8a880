import type { Random } from '../../../random.ts';
import { drawDirichlet } from '../../../random.ts';
import { digamma, logGamma } from '../gammaFunctions.ts';
import type { Numbers } from './Distribution.ts';
import { Distribution } from './Distribution.ts';

/** A Dirichlet distribution of shares that add up to 1. Natural parameters: α − 1. */
export class Dirichlet extends Distribution<Dirichlet> {
  readonly family: string;

  private constructor(natural: Numbers) {
    super(natural);
    this.family = `dirichlet(${natural.length})`;
  }

  /** The message α − 1, counts for example; see also `of`. */
  static natural(alphaMinusOne: ArrayLike<number>): Dirichlet {
    return new Dirichlet(Float64Array.from(alphaMinusOne));
  }

  static of(alpha: ArrayLike<number>): Dirichlet {
    return new Dirichlet(Float64Array.from(alpha, (value) => value - 1));
  }

  /** Of so many shares. */
  static uniform(size: number): Dirichlet {
    return new Dirichlet(new Float64Array(size));
  }

  get alpha(): Numbers {
    return this.natural.map((value) => value + 1);
  }

  get isProper(): boolean {
    return this.natural.every((value) => value > -1);
  }

  get mean(): Numbers {
    this.assertProper();
    const { alpha } = this;
    const sum = total(alpha);
    return alpha.map((value) => value / sum);
  }

  get variance(): Numbers {
    const { mean } = this;
    const sum = total(this.alpha);
    return mean.map((share) => (share * (1 - share)) / (sum + 1));
  }

  sample(random: Random): Numbers {
    this.assertProper();
    return Float64Array.from(drawDirichlet(this.alpha, random));
  }

  /** Of the logarithms of the shares. */
  expectedStatistics(): Numbers {
    this.assertProper();
    const { alpha } = this;
    const whole = digamma(total(alpha));
    return alpha.map((value) => digamma(value) - whole);
  }

  override clipped(): Dirichlet {
    return this.withNatural(this.natural.map((value) => Math.max(0, value)));
  }

  withNatural(natural: Numbers): Dirichlet {
    return new Dirichlet(natural);
  }

  logPartition(): number {
    const { alpha } = this;
    return alpha.reduce((sum, value) => sum + logGamma(value), 0) - logGamma(total(alpha));
  }
}

function total(values: Numbers): number {
  return values.reduce((sum, value) => sum + value, 0);
}
