import { describe, expect, it } from 'vitest';
import { exchangeMessages } from '../../../../src/models/bayesian/exchange.ts';
import type { DiagonalGaussian } from '../../../../src/models/bayesian/families/DiagonalGaussian.ts';
import { constrainBetween, createBetween } from '../../../../src/models/bayesian/matchbox/between.ts';
import type { MatchboxRecommenderOptions } from '../../../../src/models/bayesian/matchbox/MatchboxRecommender.ts';
import { MatchboxRecommender } from '../../../../src/models/bayesian/matchbox/MatchboxRecommender.ts';
import type { Rating } from '../../../../src/models/bayesian/matchbox/ratings.ts';
import { normalDensity } from '../../../../src/models/bayesian/probit/normal.ts';
import { seededRandom, standardNormal } from '../../../../src/random.ts';
import { distance } from '../probitProblems.ts';

const traits = 2;

/** Ratings of users by items from the model itself; of each a share is for training. */
function simulated(seed: number, users: number, items: number, share = 0.6) {
  const random = seededRandom(seed);
  const draw = (): number[] => Array.from({ length: traits }, () => standardNormal(random));
  const tastes = Array.from({ length: users }, () => ({ bias: standardNormal(random), traits: draw() }));
  const goods = Array.from({ length: items }, (_, item) => {
    const own = item < traits ? [0, 1].map((trait) => (trait === item ? 1 : 0)) : draw();
    return { bias: standardNormal(random), traits: own };
  });
  const train: Rating[] = [];
  const rest: Rating[] = [];
  for (const [u, user] of tastes.entries())
    for (const [i, item] of goods.entries()) {
      const affinity = user.traits.reduce(
        (sum, value, t) => sum + value * item.traits[t]!,
        user.bias + item.bias,
      );
      const noisy = affinity + standardNormal(random);
      const rating = 1 + [-1.5, -0.5, 0.5, 1.5].filter((threshold) => noisy > threshold).length;
      (random.next() < share ? train : rest).push({ user: `u${u}`, item: `i${i}`, rating });
    }
  const options: MatchboxRecommenderOptions = {
    users: tastes.map((_, u) => `u${u}`),
    items: goods.map((_, i) => `i${i}`),
    traits,
  };
  return { train, rest, options };
}

const small = simulated(1, 25, 15);

function parts(ratings: readonly Rating[], count: number): Rating[][] {
  return Array.from({ length: count }, (_, part) => ratings.filter((_, row) => row % count === part));
}

describe('a Matchbox recommender', () => {
  it.each([1, 2, 3, 4])('in %d batches the answer is the same, converged or not', (count) => {
    for (const maximumNumberOfIterations of [3, 20]) {
      const whole = new MatchboxRecommender({ ...small.options, maximumNumberOfIterations });
      whole.train(small.train);
      const batches = new MatchboxRecommender({ ...small.options, maximumNumberOfIterations });
      batches.trainOnMultipleBatches(parts(small.train, count));
      const [expected, got] = [whole.posterior(), batches.posterior()];
      for (const name of Object.keys(expected)) {
        const [a, b] = [expected[name] as DiagonalGaussian, got[name] as DiagonalGaussian];
        expect(distance(a.mean, b.mean)).toBeLessThan(1e-9);
        expect(distance(a.variance, b.variance)).toBeLessThan(1e-9);
      }
    }
  });

  it.each([2, 3])('over %d machines that exchange messages it ends where one machine does', (count) => {
    const options = { tolerance: 1e-11, maximumNumberOfRounds: 5_000 };
    const machine = (ratings: readonly Rating[]): MatchboxRecommender => {
      const one = new MatchboxRecommender(small.options);
      one.observe(ratings);
      return one;
    };
    const alone = exchangeMessages({ one: machine(small.train) }, options).posterior;
    const machines = Object.fromEntries(parts(small.train, count).map((part, i) => [`m${i}`, machine(part)]));
    const { posterior } = exchangeMessages(machines, options);
    for (const name of Object.keys(alone)) {
      const [a, b] = [alone[name] as DiagonalGaussian, posterior[name] as DiagonalGaussian];
      expect(distance(a.mean, b.mean)).toBeLessThan(1e-7);
      expect(distance(a.variance, b.variance)).toBeLessThan(1e-7);
    }
    // Whoever has heard of it predicts the same.
    const told = machines.m0!.predictDistribution('u3', 'i7');
    for (const [i, { probability }] of machines.m1!.predictDistribution('u3', 'i7').entries())
      expect(probability).toBeCloseTo(told[i]!.probability, 7);
  });

  it('one rating: mean and variance of a bias are those of the integral over all it could be', () => {
    const options = { users: ['ada'], items: ['a', 'b', 'c'], traits: 2, maximumNumberOfIterations: 100 };
    const model = new MatchboxRecommender(options);
    model.train([{ user: 'ada', item: 'a', rating: 4 }]);
    const { userBiases, userTraits } = model.posterior() as Record<string, DiagonalGaussian>;
    const { mean, variance } = userBiases!;
    // Rating 4 is between thresholds 0.5 and 1.5. Besides ada's bias the affinity has that of the item, and ada's first
    // trait, as it is believed by now; the second one is multiplied by 0. And noise of 1.
    const [trait] = userTraits!.mean;
    const rest = 1 + userTraits!.variance[0]! + 1;
    const between = createBetween();
    let [whole, first, second] = [0, 0, 0];
    for (let bias = -8; bias <= 8; bias += 0.01) {
      constrainBetween(
        { mean: bias + trait!, variance: rest },
        { mean: 0.5, variance: 1.25 },
        { mean: 1.5, variance: 1.25 },
        between,
      );
      const density = normalDensity(bias) * between.probability;
      whole += density;
      first += bias * density;
      second += bias * bias * density;
    }
    expect(mean[0]).toBeCloseTo(first / whole, 6);
    expect(variance[0]).toBeCloseTo(second / whole - (first / whole) ** 2, 6);
  });

  it('finds out what people like: far better than without traits of anybody', () => {
    const { train, rest, options } = simulated(2, 60, 40);
    const model = new MatchboxRecommender(options);
    const residuals = model.train(train);
    expect(residuals.at(-1)).toBeLessThan(residuals[0]!);
    const logLoss = (of: MatchboxRecommender): number =>
      rest.reduce((sum, { user, item, rating }) => {
        const { probability } = of.predictDistribution(user, item)[rating - 1]!;
        return sum - Math.log(probability) / rest.length;
      }, 0);
    const untrained = new MatchboxRecommender(options);
    expect(logLoss(model)).toBeLessThan(0.85 * logLoss(untrained));
    // Recommended is what is liked, of what has not been rated yet.
    const [user] = options.users;
    const seen = train.filter((rating) => rating.user === user).map(({ item }) => item);
    const recommended = model.recommend(user!, { count: 5, except: seen });
    expect(recommended).toHaveLength(5);
    for (const { item } of recommended) expect(seen).not.toContain(item);
    const expected = recommended.map((one) => one.expected);
    expect(expected).toEqual([...expected].sort((a, b) => b - a));
  });

  it('features: who has rated nothing is known by them, and so is an item that nobody has rated', () => {
    // What users like depends on their two features, what items are on theirs; nobody has much of their own.
    const random = seededRandom(9);
    const draw = (): number[] => [standardNormal(random), standardNormal(random)];
    const [users, items] = [60, 40].map((count) => Array.from({ length: count }, draw)) as [
      number[][],
      number[][],
    ];
    const ratings: Rating[] = [];
    const rest: Rating[] = [];
    for (const [u, user] of users.entries())
      for (const [i, item] of items.entries()) {
        const traitsOfItem = i < traits ? [0, 1].map((t) => Number(t === i)) : item;
        const affinity = user.reduce(
          (sum, value, t) => sum + value * traitsOfItem[t]!,
          0.3 * standardNormal(random),
        );
        const rating = 1 + [-1.5, -0.5, 0.5, 1.5].filter((threshold) => affinity > threshold).length;
        const one = { user: `u${u}`, item: `i${i}`, rating };
        // The last ten users and the last five items have rated, and are rated, nothing.
        if (u >= 50 || i >= 35) rest.push(one);
        else if (random.next() < 0.6) ratings.push(one);
      }
    const options = {
      users: users.map((_, u) => `u${u}`),
      items: items.map((_, i) => `i${i}`),
      ...{ traits, maximumNumberOfIterations: 100 },
    };
    const logLoss = (more: Partial<MatchboxRecommenderOptions>): number => {
      const model = new MatchboxRecommender({ ...options, ...more });
      model.train(ratings);
      return rest.reduce(
        (sum, { user, item, rating }) =>
          sum - Math.log(model.predictDistribution(user, item)[rating - 1]!.probability) / rest.length,
        0,
      );
    };
    const [without, withThem] = [logLoss({}), logLoss({ userFeatures: users, itemFeatures: items })];
    expect(withThem).toBeLessThan(0.85 * without);
    expect(withThem).toBeLessThan(logLoss({ userFeatures: users }));
  });

  it('features that say nothing change nothing; in batches the answer is still the same', () => {
    const options = { ...small.options, maximumNumberOfIterations: 10 };
    const zeros = (count: number): number[][] => Array.from({ length: count }, () => [0, 0]);
    const plain = new MatchboxRecommender(options);
    plain.train(small.train);
    const featured = new MatchboxRecommender({
      ...options,
      userFeatures: zeros(25),
      itemFeatures: zeros(15),
    });
    featured.train(small.train);
    const [expected, got] = [plain.posterior(), featured.posterior()];
    for (const name of Object.keys(expected))
      expect(distance(got[name]!.mean as Float64Array, expected[name]!.mean as Float64Array)).toBeLessThan(
        1e-12,
      );
    expect(Array.from(got.userTraitWeights!.variance as Float64Array)).toEqual([1, 1, 1, 1]);
    const features = { userFeatures: Array.from({ length: 25 }, (_, u) => [Math.sin(u), 1]) };
    const [whole, parted] = [1, 3].map((count) => {
      const model = new MatchboxRecommender({ ...options, ...features });
      model.trainOnMultipleBatches(parts(small.train, count));
      return model.posterior().userTraitWeights!.natural;
    });
    expect(distance(whole!, parted!)).toBeLessThan(1e-9);
    expect(Math.max(...whole!)).toBeGreaterThan(0);
  });

  it('what features share is the exact posterior where ratings say enough of one variable: ridge regression', () => {
    // With one user, one free item and one rating the bias of the user is b + x c: mean and variance are split 1 : x².
    const model = new MatchboxRecommender({
      ...{ users: ['ada'], items: ['a', 'b'], traits: 1, maximumNumberOfIterations: 200 },
      userFeatures: [[2]],
    });
    model.train([{ user: 'ada', item: 'a', rating: 5 }]);
    const { userBiases, userBiasWeights } = model.posterior() as Record<string, DiagonalGaussian>;
    // c gets twice what b gets.
    expect(userBiasWeights!.mean[0]! / userBiases!.mean[0]!).toBeCloseTo(2, 8);
    expect(1 - userBiasWeights!.variance[0]!).toBeCloseTo(4 * (1 - userBiases!.variance[0]!), 8);
  });

  it('probabilities are calibrated', () => {
    const { train, rest, options } = simulated(5, 80, 40);
    const model = new MatchboxRecommender({ ...options, maximumNumberOfIterations: 60 });
    model.train(train);
    const bins = Array.from({ length: 4 }, () => ({ told: 0, so: 0, count: 0 }));
    for (const { user, item, rating } of rest)
      for (const { rating: told, probability } of model.predictDistribution(user, item)) {
        const bin = bins[Math.min(3, Math.floor(probability * 4))]!;
        bin.told += probability;
        bin.count++;
        if (told === rating) bin.so++;
      }
    // Variational messages are a little too sure of the traits.
    for (const { told, so, count } of bins)
      expect(Math.abs(told - so) / count).toBeLessThan(0.05 + 3 * Math.sqrt(0.25 / count));
  });

  it('training again forgets what was learned before, not by iterations but at once', () => {
    const options = { ...small.options, userFeatures: Array.from({ length: 25 }, (_, u) => [Math.sin(u)]) };
    const [again, fresh] = [new MatchboxRecommender(options), new MatchboxRecommender(options)];
    again.train(small.train.map((one) => ({ ...one, rating: 6 - one.rating })));
    again.train(small.train);
    fresh.train(small.train);
    const [got, expected] = [again.posterior(), fresh.posterior()];
    for (const name of Object.keys(expected)) expect(got[name]!.natural).toEqual(expected[name]!.natural);
  });

  it('two ratings, yes and no, need no thresholds of the users', () => {
    const model = new MatchboxRecommender({
      users: ['a', 'b'],
      items: ['x', 'y', 'z'],
      ratings: [0, 1],
      traits: 1,
    });
    expect(Object.keys(model.prior)).toEqual(['userTraits', 'userBiases', 'itemTraits', 'itemBiases']);
    model.trainIncremental([{ user: 'a', item: 'x', rating: 1 }]);
    model.trainIncremental([{ user: 'a', item: 'y', rating: 1 }]);
    expect(model.predictRating('a', 'z')).toBe(1);
    expect(model.predictDistribution('b', 'x')[1]!.probability).toBeGreaterThan(0.5);
  });

  it('refuses what is not known, and is unchanged', () => {
    const model = new MatchboxRecommender(small.options);
    model.train(small.train);
    const before = model.posterior().userBiases!.natural;
    expect(() => model.train([{ user: 'nobody', item: 'i1', rating: 1 }])).toThrow(
      'user of rating 0 is "nobody"',
    );
    expect(() => model.train([{ user: 'u1', item: 'i1', rating: 6 }])).toThrow(
      'rating 0 is 6, expected one of 1, 2',
    );
    expect(() => model.train([])).toThrow('no ratings');
    expect(() => model.trainOnMultipleBatches([])).toThrow('no batches');
    expect(() => model.predictRating('u1', 'nothing')).toThrow('item is "nothing"');
    expect(() => model.recommend('u1', { count: 0 })).toThrow('count is 0');
    expect(() => new MatchboxRecommender({ ...small.options, items: ['a', 'b'] })).toThrow(
      'more than traits, 2',
    );
    expect(() => new MatchboxRecommender({ ...small.options, ratings: [1] })).toThrow(
      'two different numbers',
    );
    expect(() => new MatchboxRecommender({ ...small.options, userFeatures: [[1]] })).toThrow(
      '1 rows, expected one for each, 25',
    );
    expect(() => new MatchboxRecommender({} as never)).toThrow('users and items are missing');
    expect(model.posterior().userBiases!.natural).toEqual(before);
  });
});
