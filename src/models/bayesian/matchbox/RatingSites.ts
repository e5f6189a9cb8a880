import type { Between, Change, Normal } from './between.ts';
import { constrainBetween, createBetween } from './between.ts';
import { partOf } from './FeatureWeights.ts';
import type { Marginals } from './Marginals.ts';
import type { RatingTable } from './ratings.ts';
import type { Taste } from './Taste.ts';
import { affinityNoise, thresholdNoise } from './Taste.ts';

type Numbers = Float64Array<ArrayBuffer>;

/** What each of the ratings says of a variable: mean · precision, and precision. */
class Sites {
  readonly h: Numbers;
  readonly p: Numbers;

  constructor(length: number) {
    this.h = new Float64Array(length);
    this.p = new Float64Array(length);
  }

  /** A variable without what a rating says of it. */
  without(row: number, mean: number, variance: number): Normal {
    const precision = 1 / variance - (this.p[row] as number);
    return { mean: (mean / variance - (this.h[row] as number)) / precision, variance: 1 / precision };
  }

  put(row: number, h: number, p: number): void {
    this.h[row] = h;
    this.p[row] = p;
  }
}

/**
 * Some ratings, and what each of them says: of its affinity, of the thresholds on both sides, of both biases. What it says of traits is
 * made anew each time, with what is believed of the other end (variational messages: Stern, Herbrich and Graepel 2009). Every method
 * goes over all ratings with what is believed before, and adds up what they say: how ratings are divided makes no difference.
 */
export class RatingSites {
  readonly #table: RatingTable;
  readonly #affinity: Sites;
  readonly #lower: Sites;
  readonly #upper: Sites;
  readonly #userBias: Sites;
  readonly #itemBias: Sites;
  readonly #between: Between = createBetween();

  constructor(table: RatingTable) {
    const { length } = table.users;
    this.#table = table;
    this.#affinity = new Sites(length);
    this.#lower = new Sites(length);
    this.#upper = new Sites(length);
    this.#userBias = new Sites(length);
    this.#itemBias = new Sites(length);
  }

  /** The rating is between two thresholds: what that says of the affinity, and of the thresholds. */
  constrain(taste: Taste): void {
    const { users, levels } = this.#table;
    for (let row = 0; row < users.length; row++) {
      const [user, level] = [users[row] as number, levels[row] as number];
      const affinity = this.#affinityOf(row, taste);
      const lower = this.#threshold(row, user, level, taste, this.#lower);
      const upper = this.#threshold(row, user, level + 1, taste, this.#upper);
      constrainBetween(
        { mean: affinity.mean, variance: affinity.variance + affinityNoise },
        lower && { mean: lower.mean, variance: lower.variance + thresholdNoise },
        upper && { mean: upper.mean, variance: upper.variance + thresholdNoise },
        this.#between,
      );
      tell(this.#affinity, row, affinity, this.#between.value);
      if (lower !== undefined) tell(this.#lower, row, lower, this.#between.lower);
      if (upper !== undefined) tell(this.#upper, row, upper, this.#between.upper);
      this.#addThreshold(row, user, level, taste, this.#lower);
      this.#addThreshold(row, user, level + 1, taste, this.#upper);
    }
  }

  sayUserBiases(taste: Taste): void {
    this.#sayBiases(taste, this.#userBias, this.#table.users, taste.userBiases);
  }

  sayItemBiases(taste: Taste): void {
    this.#sayBiases(taste, this.#itemBias, this.#table.items, taste.itemBiases);
  }

  /** Of a trait of the items; those that are fixed hear nothing. */
  sayItemTraits(taste: Taste, trait: number): void {
    const { users, items } = this.#table;
    const { traits } = taste.size;
    for (let row = 0; row < users.length; row++) {
      const [user, item] = [users[row] as number, items[row] as number];
      if (item < traits) continue;
      const own = user * traits + trait;
      const [mean, variance] = [
        taste.userTraits.means[own] as number,
        taste.userTraits.variances[own] as number,
      ];
      const { h, p } = this.#rest(row, taste, taste.product(user, item, trait));
      taste.itemTraits.add(taste.itemTrait(item, trait), h * mean, p * (variance + mean * mean));
    }
  }

  /** Of a trait of the users. */
  sayUserTraits(taste: Taste, trait: number): void {
    const { users, items } = this.#table;
    const { traits } = taste.size;
    for (let row = 0; row < users.length; row++) {
      const [user, item] = [users[row] as number, items[row] as number];
      const [mean, variance] = [taste.itemMean(item, trait), taste.itemVariance(item, trait)];
      const { h, p } = this.#rest(row, taste, taste.product(user, item, trait));
      taste.userTraits.add(user * traits + trait, h * mean, p * (variance + mean * mean));
    }
  }

  #sayBiases(taste: Taste, sites: Sites, places: Int32Array, marginals: Marginals): void {
    for (let row = 0; row < places.length; row++) {
      const place = places[row] as number;
      const own = sites.without(row, marginals.means[place] as number, marginals.variances[place] as number);
      const { h, p } = this.#rest(row, taste, own);
      sites.put(row, h, p);
      marginals.add(place, h, p);
    }
  }

  /** The affinity without what the rating says of it: biases as others see them, traits as they are believed. */
  #affinityOf(row: number, taste: Taste): Normal {
    const [user, item] = [this.#table.users[row] as number, this.#table.items[row] as number];
    const { userBiases, itemBiases, size } = taste;
    const a = this.#userBias.without(
      row,
      userBiases.means[user] as number,
      userBiases.variances[user] as number,
    );
    const b = this.#itemBias.without(
      row,
      itemBiases.means[item] as number,
      itemBiases.variances[item] as number,
    );
    let mean = a.mean + b.mean;
    let variance = a.variance + b.variance;
    for (let t = 0; t < size.traits; t++) {
      const part = taste.product(user, item, t);
      mean += part.mean;
      variance += part.variance;
    }
    return { mean, variance };
  }

  /** What the rating says of one of the parts that make up its affinity: h and precision. */
  #rest(row: number, taste: Taste, part: Normal): { readonly h: number; readonly p: number } {
    const whole = this.#affinityOf(row, taste);
    return partOf(whole, part, this.#affinity.h[row] as number, this.#affinity.p[row] as number);
  }

  /** A threshold without what the rating says of it; undefined where there is none on this side. */
  #threshold(row: number, user: number, threshold: number, taste: Taste, sites: Sites): Normal | undefined {
    const belief = taste.thresholdBelief(user, threshold);
    if (belief === undefined || belief.variance === 0) return belief;
    return sites.without(row, belief.mean, belief.variance);
  }

  #addThreshold(row: number, user: number, threshold: number, taste: Taste, sites: Sites): void {
    if (threshold <= 0 || threshold >= taste.size.levels) return;
    const place = taste.threshold(user, threshold);
    if (place === undefined) return;
    taste.userThresholds?.add(place, sites.h[row] as number, sites.p[row] as number);
  }
}

/** What a rating has found out about a variable becomes its site; what is beyond the numbers there are is left out. */
function tell(sites: Sites, row: number, { mean, variance }: Normal, { slope, curvature }: Change): void {
  const scale = 1 / (1 - variance * curvature);
  const [p, h] = [curvature * scale, (slope + mean * curvature) * scale];
  if (Number.isFinite(p) && Number.isFinite(h) && p >= 0) sites.put(row, h, p);
}
