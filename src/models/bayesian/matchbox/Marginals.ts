import { DiagonalGaussian } from '../families/DiagonalGaussian.ts';
import type { Normal } from './between.ts';
import { FeatureWeights } from './FeatureWeights.ts';

type Numbers = Float64Array<ArrayBuffer>;

/** Properties of those whom the variables belong to: a row for each, of as many numbers as there are columns. */
export interface Properties {
  readonly data: Numbers;
  readonly columns: number;
}

/**
 * Many normal variables during a training, `stride` of each user or item: what is believed of each, and what is being summed up anew. Where
 * users or items have features, a variable is its own part plus Σ feature · weight, with weights that all of them share.
 */
export class Marginals {
  readonly means: Numbers;
  readonly variances: Numbers;
  readonly #stride: number;
  readonly #weights: FeatureWeights | undefined;
  /** Of the own parts: what is not from the ratings here, prior and inbox. */
  #rest: DiagonalGaussian;
  /** What the ratings here say of the variables: h, then precisions. As it is summed up, and as it was the last time. */
  readonly #sums: Numbers;
  readonly #said: Numbers;
  /** What that says of the own parts. */
  #message: DiagonalGaussian;

  constructor(rest: DiagonalGaussian, stride = 1, properties?: Properties, restOfWeights?: DiagonalGaussian) {
    const { dimension } = rest;
    this.means = new Float64Array(dimension);
    this.variances = new Float64Array(dimension);
    this.#stride = stride;
    this.#weights = properties && restOfWeights && new FeatureWeights(properties, stride, restOfWeights);
    this.#rest = rest;
    this.#sums = new Float64Array(2 * dimension);
    this.#said = new Float64Array(2 * dimension);
    this.#message = DiagonalGaussian.uniform(dimension);
    this.#update();
  }

  /** What all ratings here say of the own parts. */
  get message(): DiagonalGaussian {
    return this.#message;
  }

  /** What they say of the weights, where there are any. */
  get messageOfWeights(): DiagonalGaussian | undefined {
    return this.#weights?.message;
  }

  /** Hears what others say: prior · inbox. What the ratings here say stays. */
  hear(rest: DiagonalGaussian, restOfWeights?: DiagonalGaussian): void {
    this.#rest = rest;
    if (restOfWeights !== undefined) this.#weights?.hear(restOfWeights);
    this.#update();
  }

  /** Adds what a rating says of one of them. */
  add(place: number, h: number, precision: number): void {
    const at = this.means.length + place;
    this.#sums[place] = (this.#sums[place] as number) + h;
    this.#sums[at] = (this.#sums[at] as number) + precision;
  }

  /**
   * Puts what has been added since the last time in the place of what the ratings had said before: of the variables of this number of
   * each user or item.
   */
  replace(number = 0): void {
    const { length } = this.means;
    const own = this.#message.natural.slice();
    for (let place = number; place < length; place += this.#stride) {
      const [h, p] = [this.#sums[place] as number, this.#sums[length + place] as number];
      this.#said[place] = h;
      this.#said[length + place] = p;
      this.#sums[place] = 0;
      this.#sums[length + place] = 0;
      const message = this.#weights?.divide(place, this.#restOf(place), h, p) ?? { h, p };
      own[place] = message.h;
      own[length + place] = message.p;
    }
    this.#message = this.#message.withNatural(own);
    this.#weights?.addUp();
    // Those of other numbers have other weights.
    this.#update(number, this.#stride);
  }

  /** An own part without what the ratings say. */
  #restOf(place: number): Normal {
    const precision = this.#rest.precision[place] as number;
    return { mean: (this.#rest.natural[place] as number) / precision, variance: 1 / precision };
  }

  /** The variables: what their parts are without what the ratings say, and what the ratings say. */
  #update(from = 0, step = 1): void {
    const { length } = this.means;
    for (let place = from; place < length; place += step) {
      const rest = this.#restOf(place);
      const { mean, variance } = this.#weights?.sum(place, rest) ?? rest;
      const precision = 1 / variance + (this.#said[length + place] as number);
      this.variances[place] = 1 / precision;
      this.means[place] = (mean / variance + (this.#said[place] as number)) / precision;
    }
  }
}
