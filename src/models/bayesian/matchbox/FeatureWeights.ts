import type { DiagonalGaussian } from '../families/DiagonalGaussian.ts';
import type { Normal } from './between.ts';
import type { Properties } from './Marginals.ts';

type Numbers = Float64Array<ArrayBuffer>;

/**
 * Weights of features, `stride` of each feature, that all users or all items share. What ratings say of a variable is divided between its
 * own part and the weights, one user or item after the other (expectation propagation through a sum).
 */
export class FeatureWeights {
  readonly #properties: Properties;
  readonly #stride: number;
  /** What is believed of the weights now: h, and precision. */
  readonly #h: Numbers;
  readonly #p: Numbers;
  /** What each user or item says of each weight: places of variables × columns. */
  readonly #siteH: Numbers;
  readonly #siteP: Numbers;
  #rest: DiagonalGaussian;
  #message: DiagonalGaussian;

  constructor(properties: Properties, stride: number, rest: DiagonalGaussian) {
    const { data } = properties;
    this.#properties = properties;
    this.#stride = stride;
    this.#rest = rest;
    this.#message = rest.power(0);
    this.#siteH = new Float64Array(data.length * stride);
    this.#siteP = new Float64Array(data.length * stride);
    this.#h = new Float64Array(rest.dimension);
    this.#p = new Float64Array(rest.dimension);
    this.#believe();
  }

  /** What all users or items here say. */
  get message(): DiagonalGaussian {
    return this.#message;
  }

  hear(rest: DiagonalGaussian): void {
    this.#rest = rest;
    this.#believe();
  }

  /** Own part and features together, without what the variable at `place` says of the weights. */
  sum(place: number, own: Normal): Normal {
    const { columns } = this.#properties;
    let { mean, variance } = own;
    for (let column = 0; column < columns; column++) {
      const x = this.#feature(place, column);
      if (x === 0) continue;
      const weight = this.#without(place, column);
      mean += x * weight.mean;
      variance += x * x * weight.variance;
    }
    return { mean, variance };
  }

  /** Takes in what ratings say of the variable at `place`, and gives back what that says of its own part. */
  divide(place: number, own: Normal, h: number, p: number): { readonly h: number; readonly p: number } {
    const { columns } = this.#properties;
    const whole = this.sum(place, own);
    for (let column = 0; column < columns; column++) {
      const x = this.#feature(place, column);
      if (x === 0) continue;
      const weight = this.#without(place, column);
      const said = partOf(whole, { mean: x * weight.mean, variance: x * x * weight.variance }, h, p);
      this.#put(place, column, x * said.h, x * x * said.p);
    }
    return partOf(whole, own, h, p);
  }

  /** A sum of what all say, never a difference. */
  addUp(): void {
    const { columns } = this.#properties;
    const natural = new Float64Array(2 * this.#h.length);
    for (let at = 0; at < this.#siteH.length; at++) {
      const weight = this.#weightOf(Math.floor(at / columns), at % columns);
      natural[weight] = (natural[weight] as number) + (this.#siteH[at] as number);
      natural[this.#h.length + weight] =
        (natural[this.#h.length + weight] as number) + (this.#siteP[at] as number);
    }
    this.#message = this.#message.withNatural(natural);
    this.#believe();
  }

  #believe(): void {
    const { natural } = this.#rest.multiply(this.#message);
    this.#h.set(natural.subarray(0, this.#h.length));
    this.#p.set(natural.subarray(this.#h.length));
  }

  #feature(place: number, column: number): number {
    const { data, columns } = this.#properties;
    return data[Math.floor(place / this.#stride) * columns + column] as number;
  }

  #weightOf(place: number, column: number): number {
    return column * this.#stride + (place % this.#stride);
  }

  #without(place: number, column: number): Normal {
    const [at, weight] = [place * this.#properties.columns + column, this.#weightOf(place, column)];
    const precision = (this.#p[weight] as number) - (this.#siteP[at] as number);
    return {
      mean: ((this.#h[weight] as number) - (this.#siteH[at] as number)) / precision,
      variance: 1 / precision,
    };
  }

  #put(place: number, column: number, h: number, p: number): void {
    const [at, weight] = [place * this.#properties.columns + column, this.#weightOf(place, column)];
    this.#h[weight] = (this.#h[weight] as number) + h - (this.#siteH[at] as number);
    this.#p[weight] = (this.#p[weight] as number) + p - (this.#siteP[at] as number);
    this.#siteH[at] = h;
    this.#siteP[at] = p;
  }
}

/** What is said of a sum says this of one of its parts. */
export function partOf(whole: Normal, part: Normal, h: number, p: number): { h: number; p: number } {
  const through = 1 + p * Math.max(0, whole.variance - part.variance);
  return { h: (h - p * (whole.mean - part.mean)) / through, p: p / through };
}
