import { InvalidOptionError, LayoutMismatchError, NonFiniteError } from '../../../errors.ts';
import { findNonFinite } from '../../../parameters/values.ts';

export type Numbers = Float64Array<ArrayBuffer>;

/**
 * A member of an exponential family by its natural parameters: a belief, or a message, which need not be proper. A product
 * adds them, a ratio subtracts them, a power multiplies them; all 0 is uniform. None of that changes what it is called on.
 */
export abstract class Distribution<Self extends Distribution<Self>> {
  /** Live. What they are is in the docblock of each family. */
  readonly natural: Numbers;

  /** Takes the array, does not copy it. Throws NonFiniteError. */
  protected constructor(natural: Numbers) {
    const bad = findNonFinite(natural);
    if (bad >= 0)
      throw new NonFiniteError(`natural parameter ${bad} is ${natural[bad]}, expected a finite number`);
    this.natural = natural;
  }

  /** Name of the family, and of its size where it has one: `vectorGaussian(3)`. */
  abstract readonly family: string;
  /** Whether it can be normalised. */
  abstract readonly isProper: boolean;
  /** Of one number, or of each of several; of a normal-inverse-gamma distribution the weights'. Throws where it is improper. */
  abstract readonly mean: number | Numbers;
  abstract readonly variance: number | Numbers;
  /** Another one of the same family and size. Takes the array, does not copy it. Throws NonFiniteError. */
  abstract withNatural(natural: Numbers): Self;
  /** Logarithm of what it has to be divided by, to within a constant of the family. */
  abstract logPartition(): number;
  /** The derivatives of `logPartition`: expected sufficient statistics, which identify a proper one. */
  abstract expectedStatistics(): Numbers;

  /** this · other. */
  multiply(other: Self): Self {
    return this.addScaled(other, 1);
  }

  /** this / other. */
  divide(other: Self): Self {
    return this.addScaled(other, -1);
  }

  /** this to the power of a finite number: 0 makes it uniform, 1/2 halves what it knows. */
  power(exponent: number): Self {
    if (!Number.isFinite(exponent))
      throw new InvalidOptionError(`exponent is ${exponent}, expected a finite number`);
    return this.withNatural(this.natural.map((value) => exponent * value));
  }

  /** this · other^factor. */
  addScaled(other: Self, factor: number): Self {
    this.assertSameFamily(other);
    const sum = new Float64Array(this.natural.length);
    for (let i = 0; i < sum.length; i++)
      sum[i] = (this.natural[i] as number) + factor * (other.natural[i] as number);
    return this.withNatural(sum);
  }

  /**
   * As a message: without what would take knowledge away, but with what pulls at the mean (a precision below 0 is 0, say).
   * Undefined where a family knows no such part.
   */
  clipped(): Self | undefined {
    return undefined;
  }

  /**
   * KL(this ‖ other), 0 or more: A(η′) − A(η) − ∇A(η) · (η′ − η), A being `logPartition`. Throws InvalidOptionError where one of
   * them is improper.
   */
  kullbackLeibler(other: Self): number {
    this.assertSameFamily(other);
    this.assertProper();
    other.assertProper();
    const statistics = this.expectedStatistics();
    let product = 0;
    for (let i = 0; i < statistics.length; i++)
      product += (statistics[i] as number) * ((other.natural[i] as number) - (this.natural[i] as number));
    return Math.max(0, other.logPartition() - this.logPartition() - product);
  }

  /** Throws InvalidOptionError where it has no mean, variance or samples. */
  assertProper(): void {
    if (!this.isProper)
      throw new InvalidOptionError(`this ${this.family} is improper: it cannot be normalised`);
  }

  protected assertSameFamily(other: Self): void {
    if (other?.family !== this.family)
      throw new LayoutMismatchError(`got a ${other?.family ?? typeof other}, expected a ${this.family}`);
  }
}
