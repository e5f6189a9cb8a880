import { InvalidDataError, InvalidOptionError } from '../../../errors.ts';
import { show } from '../../../show.ts';
import type { Features } from '../../features.ts';
import { readMatrix } from '../../features.ts';
import { checkOptions, countOfOneOrMore, expecting } from '../../options.ts';
import type { BayesianModel } from '../BayesianModel.ts';
import type { Beliefs } from '../beliefs.ts';
import { multiplyBeliefs, requireSameVariables, uniformBeliefs } from '../beliefs.ts';
import { DiagonalGaussian } from '../families/DiagonalGaussian.ts';
import { settle } from '../settle.ts';
import { createBetween } from './between.ts';
import type { Properties } from './Marginals.ts';
import { RatingSites } from './RatingSites.ts';
import type { Rating, RatingPlaces } from './ratings.ts';
import { placeOf, readRatings } from './ratings.ts';
import type { TasteBeliefs, TasteProperties, TasteSize } from './Taste.ts';
import { fixedThreshold, priorThreshold, Taste } from './Taste.ts';

/** Options of MatchboxRecommender. */
export interface MatchboxRecommenderOptions {
  /** All users, by name; the same in the same order on all machines. */
  readonly users: readonly string[];
  /** All items, by name; the same on all machines. Those that most users have rated first: the first `traits` of them say what a trait is. */
  readonly items: readonly string[];
  /** All values that a rating may have, at least two. 1 to 5. */
  readonly ratings?: readonly number[];
  /** Rows of numbers, one for each user: who likes what is learned from them, too. Scale them to about 1. None unless given. */
  readonly userFeatures?: Features;
  /** The same of each item. */
  readonly itemFeatures?: Features;
  /** Hidden properties of users and items that are matched. 4. */
  readonly traits?: number;
  /** Iterations of one training at most; 20. It ends when no mean moves by a millionth of its standard deviation. */
  readonly maximumNumberOfIterations?: number;
}

/** An item and what a user is expected to think of it. */
export interface Recommendation {
  readonly item: string;
  /** Mean of the predicted distribution. */
  readonly expected: number;
}

const names = expecting(
  'a list of different names',
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => typeof name === 'string') &&
    new Set(value).size === value.length,
);

const checks = {
  users: names,
  items: names,
  ratings: expecting(
    'two different numbers or more',
    (value) =>
      Array.isArray(value) &&
      value.length > 1 &&
      value.every(Number.isFinite) &&
      new Set(value).size === value.length,
  ),
  userFeatures: () => {},
  itemFeatures: () => {},
  traits: countOfOneOrMore,
  maximumNumberOfIterations: countOfOneOrMore,
};

/**
 * Recommends what people will like, from ratings (Stern, Herbrich and Graepel 2009). How much a user likes an item is the sum of both
 * biases and of the products of their traits, with noise; which rating that becomes is up to the user's own thresholds. All of them are
 * inferred, with how certain they are. As a BayesianModel it is one of several that share users and items, each with ratings of its own.
 */
export class MatchboxRecommender implements BayesianModel<Beliefs> {
  readonly prior: Beliefs;
  readonly #places: RatingPlaces;
  readonly #size: TasteSize;
  readonly #values: readonly number[];
  readonly #iterationsMax: number;
  readonly #properties: TasteProperties;
  #taste: Taste;
  #batches: RatingSites[] = [];
  #inbox: Beliefs;

  /** Throws InvalidOptionError. */
  constructor(options: MatchboxRecommenderOptions) {
    const checked = checkOptions<MatchboxRecommenderOptions>(options, checks);
    const { users, items, ratings = [1, 2, 3, 4, 5], traits = 4, maximumNumberOfIterations = 20 } = checked;
    if (users === undefined || items === undefined)
      throw new InvalidOptionError('users and items are missing, expected the names of all there are');
    if (items.length <= traits)
      throw new InvalidOptionError(`there are ${items.length} items, expected more than traits, ${traits}`);
    this.#values = [...ratings].sort((a, b) => a - b);
    this.#places = { users: placesOf(users), items: placesOf(items), levels: placesOf(this.#values) };
    this.#size = { users: users.length, items: items.length, traits, levels: ratings.length };
    this.#iterationsMax = maximumNumberOfIterations;
    this.#properties = {
      users: propertiesOf(checked.userFeatures, users.length, 'userFeatures'),
      items: propertiesOf(checked.itemFeatures, items.length, 'itemFeatures'),
    };
    this.prior = priorOf(this.#size, this.#properties);
    this.#inbox = uniformBeliefs(this.prior);
    this.#taste = this.#untrained();
  }

  /** Takes ratings in, in addition to those there are, and learns nothing of them yet. Throws InvalidDataError. */
  observe(ratings: readonly Rating[]): void {
    if (ratings.length === 0) throw new InvalidDataError('there are no ratings, expected at least one');
    this.#batches.push(new RatingSites(readRatings(ratings, this.#places)));
  }

  /** Learns from these ratings and no others. Returns the residual of each iteration, as `BayesPointMachine.train` does. */
  train(ratings: readonly Rating[]): number[] {
    return this.trainOnMultipleBatches([ratings]);
  }

  /** The same with ratings that come in parts: how they are divided makes no difference. */
  trainOnMultipleBatches(batches: readonly (readonly Rating[])[]): number[] {
    const before = this.#batches;
    this.#batches = [];
    try {
      for (const ratings of batches) this.observe(ratings);
      if (batches.length === 0) throw new InvalidDataError('there are no batches, expected at least one');
    } catch (thrown) {
      this.#batches = before;
      throw thrown;
    }
    this.#taste = this.#untrained();
    return this.#settle();
  }

  /** Learns from these ratings in addition to those before. */
  trainIncremental(ratings: readonly Rating[]): number[] {
    this.observe(ratings);
    return this.#settle();
  }

  /** What the ratings say of users and items, given what others say. One iteration: what it leaves undone, the next round does. */
  computeMessage(inbox: Beliefs): Beliefs {
    requireSameVariables(inbox, this.prior);
    this.#inbox = inbox;
    this.#taste.hear(multiplyBeliefs(this.prior, inbox) as TasteBeliefs);
    this.#iterate();
    return this.#message();
  }

  /** Prior, what others have said last, and the ratings, together. */
  posterior(): Beliefs {
    return multiplyBeliefs(multiplyBeliefs(this.prior, this.#inbox), this.#message());
  }

  /** The most probable rating. Throws InvalidDataError for a user or an item that is not known. */
  predictRating(user: string, item: string): number {
    const shares = this.predictDistribution(user, item);
    const best = shares.reduce(
      (most, { probability }, index) => (probability > (shares[most]?.probability ?? 0) ? index : most),
      0,
    );
    return shares[best]?.rating as number;
  }

  /** How probable each rating is, lowest rating first. Throws InvalidDataError for a user or an item that is not known. */
  predictDistribution(user: string, item: string): { rating: number; probability: number }[] {
    const shares = this.#taste.predict(
      placeOf(this.#places.users, user, 'user'),
      placeOf(this.#places.items, item, 'item'),
      createBetween(),
    );
    return shares.map((probability, level) => ({ rating: this.#values[level] as number, probability }));
  }

  /** The items that this user is expected to like best, without those of `except`. Throws InvalidDataError. */
  recommend(
    user: string,
    { count = 10, except = [] }: { readonly count?: number; readonly except?: Iterable<string> } = {},
  ): Recommendation[] {
    if (!(Number.isSafeInteger(count) && count >= 1))
      throw new InvalidOptionError(`count is ${show(count)}, expected a whole number, 1 or more`);
    const left = new Set(except);
    const expected = [...this.#places.items.keys()]
      .filter((item) => !left.has(item))
      .map((item) => {
        const distribution = this.predictDistribution(user, item);
        return { item, expected: distribution.reduce((sum, one) => sum + one.rating * one.probability, 0) };
      });
    return expected.sort((a, b) => b.expected - a.expected).slice(0, count);
  }

  /** What is believed before there are ratings. */
  #untrained(): Taste {
    return new Taste(this.#size, this.prior as TasteBeliefs, this.#properties);
  }

  #settle(): number[] {
    this.#taste.hear(multiplyBeliefs(this.prior, this.#inbox) as TasteBeliefs);
    const inference = { posterior: () => this.posterior(), iterate: () => this.#iterate() };
    return settle(inference, this.#iterationsMax);
  }

  /** Items first, then users with the new items; all batches together at each step. */
  #iterate(): void {
    const taste = this.#taste;
    const { traits, levels } = this.#size;
    for (const sites of this.#batches) sites.constrain(taste);
    for (let number = 0; number < levels - 2; number++) taste.userThresholds?.replace(number);
    for (const sites of this.#batches) sites.sayItemBiases(taste);
    taste.itemBiases.replace();
    for (let trait = 0; trait < traits; trait++) {
      for (const sites of this.#batches) sites.sayItemTraits(taste, trait);
      taste.itemTraits.replace(trait);
    }
    for (const sites of this.#batches) sites.sayUserBiases(taste);
    taste.userBiases.replace();
    for (let trait = 0; trait < traits; trait++) {
      for (const sites of this.#batches) sites.sayUserTraits(taste, trait);
      taste.userTraits.replace(trait);
    }
  }

  #message(): Beliefs {
    const { messages } = this.#taste;
    return Object.fromEntries(
      Object.keys(this.prior).map((name) => [name, messages[name as keyof TasteBeliefs]]),
    ) as Beliefs;
  }
}

function placesOf<T>(values: readonly T[]): ReadonlyMap<T, number> {
  return new Map(values.map((value, place) => [value, place]));
}

/** Throws InvalidDataError unless there is a row for each. */
function propertiesOf(features: Features | undefined, count: number, name: string): Properties | undefined {
  if (features === undefined) return undefined;
  const { data, rows, columns } = readMatrix(features, 'float64', name);
  if (rows !== count)
    throw new InvalidDataError(`${name} have ${rows} rows, expected one for each, ${count}`);
  return { data: Float64Array.from(data), columns };
}

function priorOf({ users, items, traits, levels }: TasteSize, properties: TasteProperties): Beliefs {
  const standard = (count: number): DiagonalGaussian =>
    DiagonalGaussian.of(new Float64Array(count), new Float64Array(count).fill(1));
  const fixed = fixedThreshold(levels);
  const thresholds = Array.from({ length: levels - 1 }, (_, index) => index + 1).filter((k) => k !== fixed);
  const means = Array.from({ length: users }, () => thresholds.map((k) => priorThreshold(k, levels))).flat();
  return {
    userTraits: standard(users * traits),
    userBiases: standard(users),
    itemTraits: standard((items - traits) * traits),
    itemBiases: standard(items),
    ...(properties.users && {
      userTraitWeights: standard(properties.users.columns * traits),
      userBiasWeights: standard(properties.users.columns),
    }),
    ...(properties.items && {
      itemTraitWeights: standard(properties.items.columns * traits),
      itemBiasWeights: standard(properties.items.columns),
    }),
    ...(means.length > 0 && {
      userThresholds: DiagonalGaussian.of(
        means,
        means.map(() => 1),
      ),
    }),
  };
}
