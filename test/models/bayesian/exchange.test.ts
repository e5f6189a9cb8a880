import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BayesPointMachine } from '../../../src/models/bayesian/BayesPointMachine.ts';
import {
  betaBernoulliMessage,
  dirichletCategoricalMessage,
  gammaPoissonMessage,
  linearRegressionMessage,
  noisyLinearRegressionMessage,
} from '../../../src/models/bayesian/conjugate.ts';
import { changeOf, exchangeMessages } from '../../../src/models/bayesian/exchange.ts';
import { Beta } from '../../../src/models/bayesian/families/Beta.ts';
import { Dirichlet } from '../../../src/models/bayesian/families/Dirichlet.ts';
import { Gamma } from '../../../src/models/bayesian/families/Gamma.ts';
import { NormalInverseGamma } from '../../../src/models/bayesian/families/NormalInverseGamma.ts';
import { VectorGaussian } from '../../../src/models/bayesian/families/VectorGaussian.ts';
import { truncation } from '../../../src/models/bayesian/probit.ts';
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

/** Rows of two classes that no line parts, sorted by label if wanted. */
function probitRows(seed: number, rows: number, size: number): { features: number[][]; labels: boolean[] } {
  const random = seededRandom(seed);
  const weights = Array.from({ length: size }, () => standardNormal(random));
  const features = Array.from({ length: rows }, () =>
    Array.from({ length: size }, () => standardNormal(random)),
  );
  const labels = features.map(
    (x) => x.reduce((sum, value, i) => sum + value * weights[i]!, 0) + standardNormal(random) > 0,
  );
  return { features, labels };
}

function machinesOf(
  { features, labels }: { features: number[][]; labels: boolean[] },
  count: number,
  isSorted: boolean,
): Record<string, BayesPointMachine> {
  const order = [...labels.keys()];
  if (isSorted) order.sort((a, b) => Number(labels[a]) - Number(labels[b]));
  return Object.fromEntries(
    Array.from({ length: count }, (_, machine) => {
      const own = isSorted
        ? order.slice((machine * order.length) / count, ((machine + 1) * order.length) / count)
        : order.filter((row) => row % count === machine);
      const model = new BayesPointMachine(
        own.map((row) => features[row]!),
        own.map((row) => labels[row]!),
      );
      return [`machine-${machine}`, model];
    }),
  );
}

describe('a Bayes point machine', () => {
  const data = probitRows(3, 120, 4);
  const exact = { tolerance: 1e-12, maximumNumberOfRounds: 400 };
  const alone = exchangeMessages(machinesOf(data, 1, false), exact);

  describe.each([false, true])('sorted by label: %s', (isSorted) => {
    it.each([
      [1, 'serial'],
      [2, 'serial'],
      [3, 'serial'],
      [6, 'serial'],
      [2, 'parallel'],
      [3, 'parallel'],
      [6, 'parallel'],
    ] as const)('over %d machines, %s, it ends where one machine with all rows does', (count, schedule) => {
      const { posterior, improperRounds } = exchangeMessages(machinesOf(data, count, isSorted), {
        ...exact,
        schedule,
      });
      expect(improperRounds).toBe(0);
      for (const [i, value] of posterior.mean.entries())
        expect(Math.abs(value - alone.posterior.mean[i]!)).toBeLessThan(1e-8);
      for (const [i, value] of posterior.covariance.entries())
        expect(Math.abs(value - alone.posterior.covariance[i]!)).toBeLessThan(1e-8);
    });
  });

  it('needs few rounds', () => {
    expect(exchangeMessages(machinesOf(data, 3, true)).rounds).toBeLessThanOrEqual(15);
  });

  it('its posterior matches the moments of every row: the equations of expectation propagation', () => {
    const { posterior } = alone;
    const { mean, covariance } = posterior;
    const machine = machinesOf(data, 1, false)['machine-0']!;
    exchangeMessages({ machine }, exact);
    // Each row: the tilted distribution of its score (cavity × probit) has mean and variance of the posterior.
    for (const [row, x] of data.features.entries()) {
      const a = quadratic(x, covariance);
      const b = x.reduce((sum, value, i) => sum + value * mean[i]!, 0);
      const without = machine.posteriorWithout(row);
      const v = quadratic(x, without.covariance);
      const m = x.reduce((sum, value, i) => sum + value * without.mean[i]!, 0);
      const y = data.labels[row] ? 1 : -1;
      const { first, second } = truncation((y * m) / Math.sqrt(v + 1));
      const tiltedMean = m + (y * first * v) / Math.sqrt(v + 1);
      const tiltedVariance = v - (second * v * v) / (v + 1);
      expect(Math.abs(tiltedMean - b)).toBeLessThan(1e-10);
      expect(Math.abs(tiltedVariance - a)).toBeLessThan(1e-10);
    }
  });

  it('probabilities are calibrated: of those told with 70 to 80 %, as many are so', () => {
    const bins = Array.from({ length: 5 }, () => ({ told: 0, so: 0, count: 0 }));
    for (let seed = 0; seed < 40; seed++) {
      const all = probitRows(seed + 100, 160, 3);
      const train = { features: all.features.slice(0, 80), labels: all.labels.slice(0, 80) };
      const machines = machinesOf(train, 2, false);
      const { posterior } = exchangeMessages(machines);
      const told = machines['machine-0']!.predictProbabilities(all.features.slice(80), posterior);
      for (const [i, p] of told.entries()) {
        const bin = bins[Math.min(4, Math.floor(p * 5))]!;
        bin.told += p;
        bin.count++;
        if (all.labels[80 + i]) bin.so++;
      }
    }
    for (const { told, so, count } of bins)
      expect(Math.abs(told - so) / count).toBeLessThan(4 * Math.sqrt(0.25 / count));
  });

  it('a sweep is that of the equations, row by row, with every matrix made anew', () => {
    const rows = probitRows(9, 12, 3);
    const machine = machinesOf(rows, 1, false)['machine-0']!;
    const inbox = VectorGaussian.of([0.3, -0.2, 0.1], [2, 0.1, 0, 0.1, 2, 0, 0, 0, 2]);
    const sites = rows.labels.map(() => VectorGaussian.uniform(3));
    for (let sweep = 0; sweep < 2; sweep++) {
      for (const [row, x] of rows.features.entries()) {
        const others = sites
          .filter((_, other) => other !== row)
          .reduce((product, site) => product.multiply(site));
        const cavity = machine.prior.multiply(inbox).multiply(others);
        const [v, m] = [
          quadratic(x, cavity.covariance),
          x.reduce((sum, value, i) => sum + value * cavity.mean[i]!, 0),
        ];
        const y = rows.labels[row] ? 1 : -1;
        const { first, second } = truncation((y * m) / Math.sqrt(v + 1));
        const [mean, variance] = [m + (y * first * v) / Math.sqrt(v + 1), v - (second * v * v) / (v + 1)];
        const [t, u] = [1 / variance - 1 / v, mean / variance - m / v];
        sites[row] = VectorGaussian.natural(
          x.map((value) => u * value),
          x.flatMap((r) => x.map((c) => t * r * c)),
        );
      }
      const message = sites.reduce((product, site) => product.multiply(site));
      expectRelative(machine.computeMessage(inbox).natural, message.natural, 1e-9);
    }
  });

  it('with an intercept, a prior and noise of its own', () => {
    const options = { fitIntercept: true, priorVariance: 4, noiseVariance: 0.5 };
    const model = new BayesPointMachine([[1], [2], [3], [4]], [false, false, true, true], options);
    exchangeMessages({ model });
    const [low, high] = model.predictProbabilities([[0], [5]]);
    expect(low).toBeLessThan(0.2);
    expect(high).toBeGreaterThan(0.8);
    expect(model.posterior().mean[0]).toBeLessThan(0);
  });

  it('property: random problems converge, or say by how much they did not; never NaN', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (seed, machines, size) => {
          const rows = probitRows(seed, 4 + (seed % 40), size);
          // Now and then separable, huge, or all alike.
          const scale = [1, 1, 30, 1e-3][seed % 4]!;
          const scaled = {
            labels: rows.labels,
            features: rows.features.map((x) => x.map((value) => scale * value)),
          };
          const count = Math.min(machines, scaled.labels.length);
          try {
            const { posterior } = exchangeMessages(machinesOf(scaled, count, seed % 2 === 0), {
              schedule: seed % 3 === 0 ? 'parallel' : 'serial',
            });
            expect(posterior.isProper).toBe(true);
            for (const value of posterior.mean) expect(Number.isFinite(value)).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: 'DID_NOT_CONVERGE', residual: expect.any(Number) });
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('refuses what it cannot use', () => {
    expect(() => new BayesPointMachine([[1]], [true, false])).toThrow('1 rows and 2 labels');
    expect(() => new BayesPointMachine([[1]], ['yes'] as never)).toThrow('expected true or false');
    expect(() => new BayesPointMachine([[1]], [true], { noiseVariance: 0 })).toThrow('noiseVariance is 0');
    const model = new BayesPointMachine([[1, 2]], [true]);
    expect(() => model.predictProbabilities([[1]])).toThrow('1 columns, the weights are 2');
    expect(() => exchangeMessages({})).toThrow('no machines');
  });
});

describe('exchangeMessages', () => {
  it('says that it did not converge, and by how much', () => {
    // Says the opposite each time.
    let sign = 1;
    const machine = {
      prior: Gamma.of(5, 5),
      computeMessage: () => {
        sign = -sign;
        return Gamma.natural(2 * sign, 0);
      },
    };
    expect(() => exchangeMessages({ machine }, { maximumNumberOfRounds: 8, tolerance: 1e-9 })).toThrow(
      expect.objectContaining({ code: 'DID_NOT_CONVERGE' }),
    );
  });

  it('changes are in standard deviations', () => {
    const of = (mean: number, variance: number) => VectorGaussian.of([mean, 0], [variance, 0, 0, 1]);
    expect(changeOf(of(0, 4), of(1, 4))).toBeCloseTo(0.5, 12);
    expect(changeOf(of(0, 4), of(0, 2))).toBeCloseTo(Math.log(2), 12);
  });
});

function quadratic(x: readonly number[], matrix: ArrayLike<number>): number {
  let sum = 0;
  for (let r = 0; r < x.length; r++)
    for (let c = 0; c < x.length; c++) sum += x[r]! * matrix[r * x.length + c]! * x[c]!;
  return sum;
}
