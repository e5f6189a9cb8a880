import type { DiagonalGaussian } from '../families/DiagonalGaussian.ts';
import type { Between, Normal } from './between.ts';
import { constrainBetween } from './between.ts';
import type { Properties } from './Marginals.ts';
import { Marginals } from './Marginals.ts';

/** How many of everything there are. */
export interface TasteSize {
  readonly users: number;
  readonly items: number;
  readonly traits: number;
  /** Different ratings. */
  readonly levels: number;
}

/** What is believed of users and items. Those that there are not, because all of them are fixed or nobody has features, are missing. */
export type TasteBeliefs = Readonly<
  Record<'userTraits' | 'userBiases' | 'itemTraits' | 'itemBiases', DiagonalGaussian>
> &
  Readonly<
    Partial<
      Record<
        'userThresholds' | 'userTraitWeights' | 'userBiasWeights' | 'itemTraitWeights' | 'itemBiasWeights',
        DiagonalGaussian
      >
    >
  >;

/** Features of users and of items, where they have any. */
export interface TasteProperties {
  readonly users?: Properties | undefined;
  readonly items?: Properties | undefined;
}

/** Of the noise of an affinity, and of a threshold. */
export const affinityNoise = 1;
export const thresholdNoise = 0.25;

/** What is believed of users and items during a training, with what is fixed in it. */
export class Taste {
  readonly size: TasteSize;
  readonly userTraits: Marginals;
  readonly userBiases: Marginals;
  readonly itemTraits: Marginals;
  readonly itemBiases: Marginals;
  readonly userThresholds: Marginals | undefined;

  constructor(size: TasteSize, rest: TasteBeliefs, { users, items }: TasteProperties = {}) {
    const { traits, levels } = size;
    this.size = size;
    this.userTraits = new Marginals(rest.userTraits, traits, users, rest.userTraitWeights);
    this.userBiases = new Marginals(rest.userBiases, 1, users, rest.userBiasWeights);
    // The traits of the first items are fixed, whatever their features are.
    const free = items && { ...items, data: items.data.subarray(traits * items.columns) };
    this.itemTraits = new Marginals(rest.itemTraits, traits, free, rest.itemTraitWeights);
    this.itemBiases = new Marginals(rest.itemBiases, 1, items, rest.itemBiasWeights);
    this.userThresholds = rest.userThresholds && new Marginals(rest.userThresholds, levels - 2);
  }

  /** Hears what others say. */
  hear(rest: TasteBeliefs): void {
    this.userTraits.hear(rest.userTraits, rest.userTraitWeights);
    this.userBiases.hear(rest.userBiases, rest.userBiasWeights);
    this.itemTraits.hear(rest.itemTraits, rest.itemTraitWeights);
    this.itemBiases.hear(rest.itemBiases, rest.itemBiasWeights);
    if (rest.userThresholds !== undefined) this.userThresholds?.hear(rest.userThresholds);
  }

  /** What all ratings here say, by the names of the variables. */
  get messages(): Readonly<Record<keyof TasteBeliefs, DiagonalGaussian | undefined>> {
    return {
      userTraits: this.userTraits.message,
      userBiases: this.userBiases.message,
      itemTraits: this.itemTraits.message,
      itemBiases: this.itemBiases.message,
      userThresholds: this.userThresholds?.message,
      userTraitWeights: this.userTraits.messageOfWeights,
      userBiasWeights: this.userBiases.messageOfWeights,
      itemTraitWeights: this.itemTraits.messageOfWeights,
      itemBiasWeights: this.itemBiases.messageOfWeights,
    };
  }

  /** Place of a trait of an item; below 0 where it is fixed: the first items have a trait each. */
  itemTrait(item: number, trait: number): number {
    const { traits } = this.size;
    return (item - traits) * traits + trait;
  }

  /** Mean of a trait of an item. */
  itemMean(item: number, trait: number): number {
    const place = this.itemTrait(item, trait);
    if (item >= this.size.traits) return this.itemTraits.means[place] as number;
    return item === trait ? 1 : 0;
  }

  itemVariance(item: number, trait: number): number {
    const place = this.itemTrait(item, trait);
    return item >= this.size.traits ? (this.itemTraits.variances[place] as number) : 0;
  }

  /** Place of a threshold of a user, 1 to levels − 1; undefined where it is the fixed one. */
  threshold(user: number, threshold: number): number | undefined {
    const { levels } = this.size;
    const fixed = fixedThreshold(levels);
    if (threshold === fixed) return undefined;
    return user * (levels - 2) + threshold - (threshold > fixed ? 2 : 1);
  }

  /** The threshold below a rating of this level, or above it with the next level; undefined where there is none. */
  thresholdBelief(user: number, threshold: number): Normal | undefined {
    const { levels } = this.size;
    if (threshold <= 0 || threshold >= levels) return undefined;
    const place = this.threshold(user, threshold);
    const { userThresholds } = this;
    if (place === undefined || userThresholds === undefined)
      return { mean: priorThreshold(threshold, levels), variance: 0 };
    return {
      mean: userThresholds.means[place] as number,
      variance: userThresholds.variances[place] as number,
    };
  }

  /** The product of a trait of a user and of an item. */
  product(user: number, item: number, trait: number): Normal {
    const own = user * this.size.traits + trait;
    const [m, v] = [this.userTraits.means[own] as number, this.userTraits.variances[own] as number];
    const [n, w] = [this.itemMean(item, trait), this.itemVariance(item, trait)];
    return { mean: m * n, variance: n * n * v + m * m * w + v * w };
  }

  /** What is believed of an affinity. */
  affinity(user: number, item: number): Normal {
    const { traits } = this.size;
    const { userBiases, itemBiases } = this;
    let mean = (userBiases.means[user] as number) + (itemBiases.means[item] as number);
    let variance = (userBiases.variances[user] as number) + (itemBiases.variances[item] as number);
    for (let t = 0; t < traits; t++) {
      const part = this.product(user, item, t);
      mean += part.mean;
      variance += part.variance;
    }
    return { mean, variance };
  }

  /** How probable each level is. */
  predict(user: number, item: number, between: Between): number[] {
    const { mean, variance } = this.affinity(user, item);
    const value = { mean, variance: variance + affinityNoise };
    const noisy = (threshold: number): Normal | undefined => {
      const belief = this.thresholdBelief(user, threshold);
      return belief && { mean: belief.mean, variance: belief.variance + thresholdNoise };
    };
    const shares = Array.from({ length: this.size.levels }, (_, level) => {
      constrainBetween(value, noisy(level), noisy(level + 1), between);
      return between.probability;
    });
    const whole = shares.reduce((sum, share) => sum + share, 0);
    return shares.map((share) => share / whole);
  }
}

/** The threshold in the middle is fixed, or adding to all would change nothing. */
export function fixedThreshold(levels: number): number {
  return Math.floor(levels / 2);
}

/** Mean of a threshold, 1 to levels − 1, in the prior. */
export function priorThreshold(threshold: number, levels: number): number {
  return threshold - levels / 2;
}
