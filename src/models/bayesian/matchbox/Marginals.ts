import { DiagonalGaussian } from '../families/DiagonalGaussian.ts';

type Numbers = Float64Array<ArrayBuffer>;

/** Many independent normal variables during a training: what is believed of each, and what is being summed up anew. */
export class Marginals {
  readonly means: Numbers;
  readonly variances: Numbers;
  /** What is not from the ratings here: prior and inbox. */
  #rest: DiagonalGaussian;
  /** What the ratings here say, as it is summed up: h, then precisions. */
  readonly #sums: Numbers;
  #message: DiagonalGaussian;

  constructor(rest: DiagonalGaussian) {
    const { dimension } = rest;
    this.means = new Float64Array(dimension);
    this.variances = new Float64Array(dimension);
    this.#rest = rest;
    this.#sums = new Float64Array(2 * dimension);
    this.#message = DiagonalGaussian.uniform(dimension);
    this.#update();
  }

  /** What all ratings here say. */
  get message(): DiagonalGaussian {
    return this.#message;
  }

  /** Hears what others say: prior · inbox. What the ratings here say stays. */
  hear(rest: DiagonalGaussian): void {
    this.#rest = rest;
    this.#update();
  }

  /** Adds what a rating says of one of them. */
  add(place: number, h: number, precision: number): void {
    const at = this.means.length + place;
    this.#sums[place] = (this.#sums[place] as number) + h;
    this.#sums[at] = (this.#sums[at] as number) + precision;
  }

  /**
   * Puts what has been added since the last time in the place of what the ratings had said before: of all, or of each `stride`th from
   * `offset` on.
   */
  replace(offset = 0, stride = 1): void {
    const { length } = this.means;
    const sums = this.#message.natural.slice();
    for (let i = offset; i < length; i += stride) {
      sums[i] = this.#sums[i] as number;
      sums[length + i] = this.#sums[length + i] as number;
    }
    this.#sums.fill(0);
    const message = this.#message.withNatural(sums);
    const total = this.#rest.multiply(message);
    // A sum that is improper is not taken: the ratings have another cavity the next time.
    if (!total.isProper) return;
    this.#message = message;
    this.#update();
  }

  #update(): void {
    const { natural, precision } = this.#rest.multiply(this.#message);
    for (let i = 0; i < this.means.length; i++) {
      const variance = 1 / (precision[i] as number);
      this.variances[i] = variance;
      this.means[i] = (natural[i] as number) * variance;
    }
  }
}
