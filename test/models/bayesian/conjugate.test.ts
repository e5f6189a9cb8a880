import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BayesianLinearRegression } from '../../../src/models/bayesian/conjugate/BayesianLinearRegression.ts';
import {
  BetaBernoulli,
  DirichletCategorical,
  GammaPoisson,
} from '../../../src/models/bayesian/conjugate/counts.ts';
import {
  betaBernoulliMessage,
  dirichletCategoricalMessage,
  gammaPoissonMessage,
  linearRegressionMessage,
  noisyLinearRegressionMessage,
} from '../../../src/models/bayesian/conjugate/messages.ts';
import { exchangeMessages } from '../../../src/models/bayesian/exchange.ts';
import { Beta } from '../../../src/models/bayesian/families/Beta.ts';
import { Dirichlet } from '../../../src/models/bayesian/families/Dirichlet.ts';
import { Gamma } from '../../../src/models/bayesian/families/Gamma.ts';
import { NormalInverseGamma } from '../../../src/models/bayesian/families/NormalInverseGamma.ts';
import { VectorGaussian } from '../../../src/models/bayesian/families/VectorGaussian.ts';
import { SharedVariable } from '../../../src/models/bayesian/SharedVariable.ts';
import { drawLogGamma, seededRandom, shuffle, standardNormal } from '../../../src/random.ts';

/** Whichever family. */
interface Any {
  readonly natural: Float64Array<ArrayBuffer>;
  multiply(other: Any): Any;
}

/** A conjugate model: data from a seed, their message, and a prior. */
interface Conjugate {
  readonly prior: () => unknown;
  readonly draw: (seed: number, rows: number) => readonly unknown[];
  readonly message: (rows: readonly never[]) => unknown;
}

const models: [string, Conjugate][] = [
  [
    'beta and Bernoulli',
    {
      prior: () => Beta.of(2, 1.5),
      draw: (seed, rows) => draws(seed, rows, (random) => random.next() < 0.3),
      message: (rows) => betaBernoulliMessage(rows),
    },
  ],
  [
    'gamma and Poisson',
    {
      prior: () => Gamma.of(1.5, 0.5),
      draw: (seed, rows) => draws(seed, rows, (random) => Math.floor(Math.exp(drawLogGamma(3, random)))),
      message: (rows) => gammaPoissonMessage(rows),
    },
  ],
  [
    'Dirichlet and categorical',
    {
      prior: () => Dirichlet.of([1, 2, 0.5, 1]),
      draw: (seed, rows) => draws(seed, rows, (random) => Math.floor(random.next() * 4)),
      message: (rows) => dirichletCategoricalMessage(rows, 4),
    },
  ],
  [
    'linear regression with known noise',
    {
      prior: () => VectorGaussian.isotropic(3, 0, 2),
      draw: regressionRows,
      message: (rows: readonly [number[], number][]) =>
        linearRegressionMessage(
          rows.map(([x]) => x),
          rows.map(([, y]) => y),
          0.25,
        ),
    } as unknown as Conjugate,
  ],
  [
    'linear regression with unknown noise',
    {
      prior: () =>
        NormalInverseGamma.of({ mean: [0, 0, 0], precision: [1, 0, 0, 0, 1, 0, 0, 0, 1], shape: 2, rate: 1 }),
      draw: regressionRows,
      message: (rows: readonly [number[], number][]) =>
        noisyLinearRegressionMessage(
          rows.map(([x]) => x),
          rows.map(([, y]) => y),
        ),
    } as unknown as Conjugate,
  ],
];

function draws<T>(seed: number, rows: number, one: (random: ReturnType<typeof seededRandom>) => T): T[] {
  const random = seededRandom(seed);
  return Array.from({ length: rows }, () => one(random));
}

function regressionRows(seed: number, rows: number): [number[], number][] {
  return draws(seed, rows, (random) => {
    const x = [1, standardNormal(random), standardNormal(random)];
    return [x, 0.5 + 2 * x[1]! - x[2]! + 0.5 * standardNormal(random)];
  });
}

function expectRelative(got: ArrayLike<number>, exact: ArrayLike<number>, tolerance: number): void {
  const size = Math.max(...Array.from(exact, Math.abs));
  for (let i = 0; i < exact.length; i++)
    expect(Math.abs(got[i]! - exact[i]!)).toBeLessThanOrEqual(
      tolerance * Math.max(Math.abs(exact[i]!), 1e-3 * size),
    );
}

describe.each(models)('%s', (_, { prior, draw, message }) => {
  it.each([
    2, 3, 7,
  ])('property: over %d machines the posterior is that of all rows, in one exchange', (machines) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const rows = draw(seed, 60) as never[];
        const random = seededRandom(seed, 2);
        // Any split: some may have nothing.
        const shards: never[][] = Array.from({ length: machines }, () => []);
        for (const row of rows) shards[Math.floor(random.next() * machines)]!.push(row);
        const variable = new SharedVariable('shared', prior() as never);
        const messages = shards.flatMap((shard, machine) =>
          shard.length === 0 ? [] : [{ machine: `machine-${machine}`, message: message(shard) }],
        );
        // In any order, and some of them twice.
        const order = shuffle([...messages.keys(), ...messages.keys()], random);
        for (const index of order) {
          const { machine, message: said } = messages[index]!;
          variable.receive(machine, said as never, { round: 1 });
        }
        const pooled = (prior() as Any).multiply(message(rows) as Any);
        expectRelative((variable.posterior as Any).natural, pooled.natural, 1e-12);
        // What a machine believes is the same: prior, what others say, and its own.
        const { machine, message: own } = messages[0]!;
        const believed = (prior() as Any).multiply(variable.inboxOf(machine) as Any).multiply(own as Any);
        expectRelative(believed.natural, pooled.natural, 1e-12);
      }),
      { numRuns: 30 },
    );
  });

  it('without a machine it is as if that had never been there', () => {
    const [all, some] = [0, 1].map(() => new SharedVariable('shared', prior() as never));
    for (const machine of ['a', 'b', 'c']) {
      const said = message(draw(machine.charCodeAt(0), 40) as never[]) as never;
      all!.receive(machine, said, { round: 1 });
      if (machine !== 'b') some!.receive(machine, said, { round: 1 });
    }
    expect(all!.forget('b')).toBe(true);
    expect(all!.forget('b')).toBe(false);
    expect(Array.from((all!.posterior as Any).natural)).toEqual(Array.from((some!.posterior as Any).natural));
  });
});

describe('SharedVariable', () => {
  it('a message replaces the one before; duplicates and late ones change nothing', () => {
    const variable = new SharedVariable('rate', Gamma.of(1, 1));
    const say = (round: number, value: number): string =>
      variable.receive('a', Gamma.natural(value, value), { round });
    expect([say(2, 3), say(2, 9), say(1, 9), say(3, 5)]).toEqual([
      'applied',
      'duplicate',
      'stale',
      'applied',
    ]);
    expect(Array.from(variable.posterior.natural)).toEqual([5, 6]);
    expect(Array.from(variable.inboxOf('a').natural)).toEqual([0, 0]);
    expect(Array.from(variable.inboxOf('b').natural)).toEqual([5, 5]);
    expect(variable.machines).toEqual(['a']);
  });

  it('damping takes a message a part of the way', () => {
    const variable = new SharedVariable('p', Beta.of(1, 1));
    variable.receive('a', Beta.natural(4, 8), { round: 1 });
    variable.receive('a', Beta.natural(8, 0), { round: 2, damping: 0.25 });
    expect(Array.from(variable.messageOf('a').natural)).toEqual([5, 6]);
  });

  it('refuses other families, rounds and dampings, and is unchanged', () => {
    const variable = new SharedVariable('p', Dirichlet.of([1, 1]));
    const say = (message: Dirichlet, options: object) => () =>
      variable.receive('a', message, { round: 1, ...options });
    expect(say(Dirichlet.uniform(3), {})).toThrow('dirichlet(3)');
    expect(say(Dirichlet.uniform(2), { round: 0 })).toThrow('round is 0');
    expect(say(Dirichlet.uniform(2), { damping: 2 })).toThrow('damping is 2');
    expect(variable.machines).toEqual([]);
  });
});

describe('messages of conjugate models', () => {
  it('refuse what is no data of theirs', () => {
    for (const call of [
      () => gammaPoissonMessage([1, -1]),
      () => gammaPoissonMessage([1], [0]),
      () => dirichletCategoricalMessage([0, 4], 4),
      () => linearRegressionMessage([[1], [2]], [1], 1),
      () => noisyLinearRegressionMessage([[1]], [Number.NaN]),
    ])
      expect(call).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });

  it('calibrated: 90 % intervals of a regression have the truth in them nine times in ten', () => {
    let [inside, count] = [0, 0];
    for (let seed = 0; seed < 400; seed++) {
      const prior = NormalInverseGamma.of({ mean: [0, 0], precision: [1, 0, 0, 1], shape: 3, rate: 2 });
      const random = seededRandom(seed);
      const { weights, noiseVariance } = prior.sample(random);
      const rows = Array.from({ length: 15 }, () => [1, standardNormal(random)]);
      const labels = rows.map(
        ([one, x]) =>
          weights[0]! * one! + weights[1]! * x! + Math.sqrt(noiseVariance) * standardNormal(random),
      );
      const posterior = prior.multiply(noisyLinearRegressionMessage(rows, labels));
      const samples = Array.from({ length: 99 }, () => posterior.sample(random).weights[1]!).sort(
        (a, b) => a - b,
      );
      count++;
      if (weights[1]! > samples[4]! && weights[1]! < samples[94]!) inside++;
    }
    // Three standard errors.
    expect(Math.abs(inside / count - 0.9)).toBeLessThan(3 * Math.sqrt((0.9 * 0.1) / count));
  });
});

describe('BayesianLinearRegression', () => {
  const rows = regressionRows(5, 60).map(([x, y]) => ({ x: x.slice(1), y }));
  const features = rows.map(({ x }) => x);
  const labels = rows.map(({ y }) => y);

  it.each([0.25, undefined])('noise %s: over machines as with all rows, in one exchange', (noiseVariance) => {
    const create = () => new BayesianLinearRegression(noiseVariance === undefined ? {} : { noiseVariance });
    const pooled = create();
    pooled.train(features, labels);
    const machines = Object.fromEntries(
      [0, 1, 2].map((shard) => {
        const machine = create();
        const own = rows.filter((_, row) => row % 3 === shard);
        machine.train(
          own.map(({ x }) => x),
          own.map(({ y }) => y),
        );
        return [`m${shard}`, machine];
      }),
    );
    const { posterior, rounds } = exchangeMessages(machines);
    expect(rounds).toHaveLength(2);
    expect(rounds[1]!.residual).toBe(0);
    expectRelative(posterior.weights.natural, pooled.posterior().weights.natural, 1e-12);
    // Each machine has heard the others.
    expectRelative(machines.m2!.posterior().weights.natural, pooled.posterior().weights.natural, 1e-12);
    expect(machines.m0!.predict([[0.5, 1]])[0]![0]).toBeCloseTo(0.5 + 1 - 1, 0);
  });

  it.each([
    0.25,
    undefined,
  ])('noise %s: intervals of predictions have as many labels in them as they say', (known) => {
    let [inside, count] = [0, 0];
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed);
      // Drawn from the prior: intercept and two weights, and the noise where it is not known.
      const noise = known ?? 1 / Math.exp(drawLogGamma(2, random));
      const scale = known === undefined ? noise : 1;
      const weights = [0, 1, 2].map(() => Math.sqrt(scale) * standardNormal(random));
      const all = Array.from({ length: 12 }, () => [standardNormal(random), standardNormal(random)]);
      const y = all.map(
        ([a, b]) =>
          weights[0]! + weights[1]! * a! + weights[2]! * b! + Math.sqrt(noise) * standardNormal(random),
      );
      const model = new BayesianLinearRegression(
        known === undefined ? { noiseShape: 2, noiseRate: 1 } : { noiseVariance: known },
      );
      model.train(all.slice(0, 8), y.slice(0, 8));
      for (const [row, { low, high }] of model.predictIntervals(all.slice(8), 0.8).entries()) {
        count++;
        if (y[8 + row]! > low && y[8 + row]! < high) inside++;
      }
    }
    // Four labels share a model: three standard errors of 200 independent ones are more than enough.
    expect(Math.abs(inside / count - 0.8)).toBeLessThan(3 * Math.sqrt((0.8 * 0.2) / 200));
  });

  it('without rows it believes the prior, and then what others say', () => {
    const empty = new BayesianLinearRegression({ numberOfFeatures: 2 });
    const other = new BayesianLinearRegression();
    other.observe(features, labels);
    exchangeMessages({ empty, other });
    expect(empty.predict([[0.5, 1]])).toEqual(other.predict([[0.5, 1]]));
  });

  it('learns more, forgets, and refuses what is no data of its', () => {
    const [once, twice] = [new BayesianLinearRegression(), new BayesianLinearRegression()];
    once.train(features, labels);
    twice.train(features.slice(0, 20), labels.slice(0, 20));
    twice.trainIncremental(features.slice(20), labels.slice(20));
    expectRelative(twice.posterior().weights.natural, once.posterior().weights.natural, 1e-12);
    twice.train(features, labels);
    expectRelative(twice.posterior().weights.natural, once.posterior().weights.natural, 1e-12);
    const before = once.posterior().weights.natural;
    expect(() => once.train([[1]], [1])).toThrow('2 columns, the weights are 3');
    expect(() => once.train([[1, 2]], [1, 2])).toThrow('2 labels for 1 rows');
    expect(once.posterior().weights.natural).toEqual(before);
    expect(() => new BayesianLinearRegression().predict([[1]])).toThrow('no rows yet');
    expect(() => new BayesianLinearRegression({ noiseVariance: 1, noiseRate: 1 })).toThrow(
      'the noise is known',
    );
    expect(() => once.predictIntervals([[1, 2]], 1)).toThrow('probability is 1');
  });
});

describe('models of counts', () => {
  it('predict by what they have observed, and over machines', () => {
    const [europe, asia] = [new BetaBernoulli(), new BetaBernoulli()];
    europe.observe([true, true, false]);
    europe.observe([true]);
    asia.observe([false]);
    exchangeMessages({ europe, asia });
    // Uniform prior: (3 + 1) / (5 + 2).
    expect(asia.predict()).toBeCloseTo(4 / 7, 15);
    const shares = new DirichletCategorical({ size: 3 });
    shares.observe([0, 2, 2]);
    expect(Array.from(shares.predict())).toEqual([2 / 6, 1 / 6, 3 / 6]);
    shares.reset();
    expect(Array.from(shares.predict())).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  it('a count is negative binomial', () => {
    const model = new GammaPoisson({ prior: Gamma.of(2, 3) });
    model.observe([4, 1], [2, 1]);
    // Gamma(7, 6): the expected count in two units is 7 / 6 · 2.
    expect(model.predict(2)).toBeCloseTo(7 / 3, 14);
    const probabilities = Array.from({ length: 80 }, (_, count) => model.probabilityOf(count, 2));
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    expect(probabilities.reduce((sum, p, count) => sum + count * p, 0)).toBeCloseTo(7 / 3, 10);
    expect(() => model.probabilityOf(-1)).toThrow('count is -1');
  });

  it('refuse priors and sizes that are none', () => {
    expect(() => new BetaBernoulli({ prior: Gamma.of(1, 1) as never })).toThrow(
      'expected a beta distribution',
    );
    expect(() => new DirichletCategorical({})).toThrow('expected the number of categories');
    expect(() => new DirichletCategorical({ size: 3, prior: Dirichlet.of([1, 1]) })).toThrow(
      'number of categories',
    );
  });
});
