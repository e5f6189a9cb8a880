import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exchangeMessages } from '../../../src/models/bayesian/exchange.ts';
import type { DiagonalGaussian } from '../../../src/models/bayesian/families/DiagonalGaussian.ts';
import { VectorGaussian } from '../../../src/models/bayesian/families/VectorGaussian.ts';
import type { WeightsBeliefs } from '../../../src/models/bayesian/probit/BayesPointMachine.ts';
import { BayesPointMachine } from '../../../src/models/bayesian/probit/BayesPointMachine.ts';
import { normalCdf, normalDensity, truncation } from '../../../src/models/bayesian/probit/normal.ts';
import { seededRandom, standardNormal } from '../../../src/random.ts';
import { distance, dot, machinesOf, problem, quadratic } from './probitProblems.ts';

const data = problem(3, 120, 4);
const exact = { tolerance: 1e-12, maximumNumberOfRounds: 500 };

function full(beliefs: WeightsBeliefs): VectorGaussian {
  return beliefs.weights as VectorGaussian;
}

describe.each(['full', 'diagonal'] as const)('%s covariance', (covariance) => {
  const alone = exchangeMessages(machinesOf(data, 1, false, { covariance }), exact).posterior;

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
      const { posterior, rounds } = exchangeMessages(machinesOf(data, count, isSorted, { covariance }), {
        ...exact,
        schedule,
      });
      expect(rounds.reduce((sum, { improper }) => sum + improper, 0)).toBe(0);
      const [got, expected] = [posterior.weights!, alone.weights!];
      expect(distance(got.mean, expected.mean)).toBeLessThan(1e-8);
      expect(distance(got.variance, expected.variance)).toBeLessThan(1e-8);
      if (covariance === 'full')
        expect(distance(full(posterior).covariance, full(alone).covariance)).toBeLessThan(1e-8);
    });
  });

  it('needs few rounds', () => {
    const { rounds } = exchangeMessages(machinesOf(data, 3, true, { covariance }));
    expect(rounds.length).toBeLessThanOrEqual(15);
  });

  it('training, in one part or in several, or one after the other, ends there too', () => {
    const parts = [0, 1, 2].map((part) => {
      const own = [...data.labels.keys()].filter((row) => row % 3 === part);
      return { features: own.map((row) => data.features[row]!), labels: own.map((row) => data.labels[row]!) };
    });
    const machines = [0, 1, 2].map(() => new BayesPointMachine({ covariance, classes: [0, 1] }));
    const [whole, batches, incremental] = machines;
    const residuals = whole!.train(data.features, data.labels);
    expect(residuals.at(-1)).toBeLessThan(1e-6);
    batches!.trainOnMultipleBatches(parts);
    for (const { features, labels } of parts) incremental!.trainIncremental(features, labels);
    for (const machine of machines)
      expect(distance(machine.posterior().weights!.mean, alone.weights!.mean)).toBeLessThan(1e-6);
    // Once more the same: nothing counts twice.
    whole!.train(data.features, data.labels);
    expect(distance(whole!.posterior().weights!.mean, alone.weights!.mean)).toBeLessThan(1e-6);
  });

  it('several classes: over machines as on one, and it predicts them', () => {
    const many = problem(7, 120, 3, 4);
    // What all classes' weights have in common is known by the prior alone, which independent weights find slowly.
    const options = { tolerance: 1e-10, maximumNumberOfRounds: 2_000 };
    const one = exchangeMessages(machinesOf(many, 1, false, { covariance }), options);
    const machines = machinesOf(many, 3, true, { covariance });
    const { posterior } = exchangeMessages(machines, { ...options, schedule: 'parallel' });
    expect(Object.keys(posterior)).toEqual(['weights.0', 'weights.1', 'weights.2', 'weights.3']);
    for (const name of Object.keys(posterior)) {
      expect(distance(posterior[name]!.mean, one.posterior[name]!.mean)).toBeLessThan(1e-8);
      expect(distance(posterior[name]!.variance, one.posterior[name]!.variance)).toBeLessThan(1e-8);
    }
    const machine = new BayesPointMachine({ covariance });
    machine.train(many.features, many.labels);
    const probabilities = machine.predictProbabilities(many.features);
    for (const row of probabilities) expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    const right = machine.predict(many.features).filter((label, row) => label === many.labels[row]).length;
    // Best is what the noise leaves: the machine is far above chance, 0.25.
    expect(right / many.labels.length).toBeGreaterThan(0.6);
  });

  it('separable and huge rows end in finite numbers', () => {
    const model = new BayesPointMachine({ covariance, maximumNumberOfSweeps: 400 });
    model.train(
      data.features.map((x) => x.map((value) => 1e4 * value)),
      data.features.map(([x]) => (x! > 0 ? 1 : 0)),
    );
    expect(model.posterior().weights!.isProper).toBe(true);
    expect(model.posterior().weights!.mean[0]).toBeGreaterThan(0);
  });
});

describe('the equations of expectation propagation', () => {
  it('hold for every row: its tilted distribution has the moments of the posterior', () => {
    // A machine for each row: what a row says is its message, and the cavity is all the rest.
    const rows = problem(11, 40, 3);
    const machines = machinesOf(rows, 40);
    const { posterior, variables } = exchangeMessages(machines, exact);
    const { mean, covariance } = full(posterior);
    for (const [row, x] of rows.features.entries()) {
      const cavity = full(variables.inboxOf(`machine-${row}`)).multiply(full(variables.prior));
      const v = quadratic(x, cavity.covariance);
      const m = dot(x, cavity.mean);
      const y = rows.labels[row] === 1 ? 1 : -1;
      const { first, second } = truncation((y * m) / Math.sqrt(v + 1));
      const tiltedMean = m + (y * first * v) / Math.sqrt(v + 1);
      const tiltedVariance = v - (second * v * v) / (v + 1);
      expect(Math.abs(tiltedMean - dot(x, mean))).toBeLessThan(1e-10);
      expect(Math.abs(tiltedVariance - quadratic(x, covariance))).toBeLessThan(1e-10);
    }
  });

  it.each([
    'full',
    'diagonal',
  ] as const)('%s: a sweep is theirs, row by row, made anew each time', (covariance) => {
    const rows = problem(9, 12, 3);
    const machine = machinesOf(rows, 1, false, { covariance, noiseVariance: 0.5, priorVariance: 2 })[
      'machine-0'
    ]!;
    const prior = machine.prior.weights as VectorGaussian;
    const inbox =
      covariance === 'full'
        ? VectorGaussian.of([0.3, -0.2, 0.1], [2, 0.1, 0, 0.1, 2, 0, 0, 0, 2])
        : prior.power(0.5).withNatural(Float64Array.from([0.3, -0.2, 0.1, 0.5, 1, 0.3]));
    const sites = rows.labels.map(() => prior.power(0));
    for (let sweep = 0; sweep < 2; sweep++) {
      for (const [row, x] of rows.features.entries()) {
        const cavity = sites
          .filter((_, other) => other !== row)
          .reduce((product, site) => product.multiply(site), prior.multiply(inbox));
        sites[row] = tilt(cavity, x, rows.labels[row]!, 0.5);
      }
      const message = sites.reduce((product, site) => product.multiply(site));
      const said = machine.computeMessage({ weights: inbox }).weights!;
      expect(distance(said.natural, message.natural)).toBeLessThan(1e-9);
    }
  });
});

/** Tilted · cavity⁻¹ by the moments of the whole weight vector, of a full or of independent weights. */
function tilt(
  cavity: VectorGaussian | DiagonalGaussian,
  x: readonly number[],
  label: number,
  noise: number,
): VectorGaussian {
  const isFull = cavity.family.startsWith('vector');
  const size = x.length;
  const matrix = isFull
    ? (cavity as VectorGaussian).covariance
    : Float64Array.from({ length: size * size }, (_, i) =>
        i % (size + 1) === 0 ? (cavity.variance[i / (size + 1)] as number) : 0,
      );
  const spread = x.map((_, r) => x.reduce((sum, value, c) => sum + value * matrix[r * size + c]!, 0));
  const v = dot(x, spread);
  const y = label === 1 ? 1 : -1;
  const { first, second } = truncation((y * dot(x, cavity.mean)) / Math.sqrt(v + noise));
  const mean = cavity.mean.map((value, i) => value + (y * first * spread[i]!) / Math.sqrt(v + noise));
  const covariance = Float64Array.from(
    { length: size * size },
    (_, i) => matrix[i]! - (second * spread[Math.floor(i / size)]! * spread[i % size]!) / (v + noise),
  );
  if (isFull) return VectorGaussian.of(mean, covariance).divide(cavity as VectorGaussian);
  const variances = mean.map((_, i) => covariance[i * (size + 1)]!);
  const natural = new Float64Array(2 * size);
  for (let i = 0; i < size; i++) {
    natural[i] = mean[i]! / variances[i]!;
    natural[size + i] = 1 / variances[i]!;
  }
  return cavity.withNatural(natural).divide(cavity as never) as never;
}

describe('evidence', () => {
  /** ln ∫ N(w; 0, prior) ∏ Φ(±x w / √noise) dw, by the trapezoidal rule. */
  function exactEvidence(
    x: readonly number[],
    labels: readonly number[],
    prior: number,
    noise: number,
  ): number {
    let sum = 0;
    const step = 0.004;
    for (let w = -12; w < 12; w += step) {
      let density = normalDensity(w / Math.sqrt(prior)) / Math.sqrt(prior);
      for (const [row, value] of x.entries())
        density *= normalCdf(((labels[row] === 1 ? 1 : -1) * value * w) / Math.sqrt(noise));
      sum += step * density;
    }
    return Math.log(sum);
  }

  it.each(['full', 'diagonal'] as const)('%s: of one row it is exact, of several nearly', (covariance) => {
    const options = { covariance, priorVariance: 2, noiseVariance: 4, classes: [0, 1] };
    const one = new BayesPointMachine(options);
    one.train([[0.7]], [1]);
    expect(one.logEvidence()).toBeCloseTo(Math.log(0.5), 12);
    const random = seededRandom(4);
    const x = Array.from({ length: 12 }, () => standardNormal(random));
    const labels = x.map((value) => (value + 0.5 * standardNormal(random) > 0 ? 1 : 0));
    const several = new BayesPointMachine(options);
    several.train(
      x.map((value) => [value]),
      labels,
    );
    // Expectation propagation is not exact itself.
    expect(Math.abs(several.logEvidence() - exactEvidence(x, labels, 2, 4))).toBeLessThan(0.01);
    // Rows that have no weight in common are independent.
    const apart = new BayesPointMachine(options);
    apart.train(
      [
        [1, 0],
        [0, 2],
      ],
      [1, 0],
    );
    expect(apart.logEvidence()).toBeCloseTo(2 * Math.log(0.5), 12);
  });

  it.each([2, 3])('its derivative by the prior variance is what it has to be, with %d classes', (classes) => {
    const rows = problem(41, 60, 2, classes);
    const settled = (priorVariance: number): BayesPointMachine => {
      const machines = machinesOf(rows, 1, false, { priorVariance });
      exchangeMessages(machines, { tolerance: 1e-12, maximumNumberOfRounds: 1_000 });
      return machines['machine-0']!;
    };
    const [less, at, more] = [1.999, 2, 2.001].map(settled);
    // At the fixed point it changes by the prior alone: d ln Z / dτ = Σ (E[w²] − τ) / 2τ².
    let slope = 0;
    for (const { mean, variance } of Object.values(at!.posterior()))
      for (const [i, value] of mean.entries()) slope += (value ** 2 + variance[i]! - 2) / 8;
    const difference = (more!.logEvidence() - less!.logEvidence()) / 0.002;
    expect(Math.abs(difference - slope)).toBeLessThan(1e-5 * Math.abs(slope));
  });

  it('prefers the noise that the labels were made with', () => {
    const rows = problem(21, 400, 3);
    const evidence = [0.01, 1, 100].map((noiseVariance) => {
      const machine = new BayesPointMachine({ noiseVariance });
      machine.train(rows.features, rows.labels);
      return machine.logEvidence();
    });
    expect(evidence[1]).toBeGreaterThan(evidence[0]!);
    expect(evidence[1]).toBeGreaterThan(evidence[2]!);
  });

  it('of a class among several, before there are rows, it is one over their number', () => {
    const machine = new BayesPointMachine({ classes: ['a', 'b', 'c'] });
    machine.observe([[1]], ['a']);
    const [row] = machine.predictProbabilities([[2]], machine.prior);
    for (const p of row!) expect(p).toBeCloseTo(1 / 3, 12);
  });
});

describe('a Bayes point machine', () => {
  it('three classes: probabilities are nearly those of drawing weights and noise', () => {
    const rows = problem(31, 90, 2, 3);
    const machine = new BayesPointMachine();
    machine.train(rows.features, rows.labels);
    const posterior = machine.posterior();
    const random = seededRandom(1);
    const x = [0.4, -0.9];
    const wins = [0, 0, 0];
    const draws = 20_000;
    for (let draw = 0; draw < draws; draw++) {
      const scores = Object.values(posterior).map(
        (weights) => dot(x, weights.sample(random) as Float64Array) + standardNormal(random),
      );
      wins[scores.indexOf(Math.max(...scores))]!++;
    }
    const [told] = machine.predictProbabilities([x]);
    for (const [label, p] of told!.entries()) expect(Math.abs(p - wins[label]! / draws)).toBeLessThan(0.015);
  });

  it('diagonal has nearly the means of full, and variances that are no larger', () => {
    const [full, diagonal] = (['full', 'diagonal'] as const).map((covariance) => {
      const machine = new BayesPointMachine({ covariance });
      machine.train(data.features, data.labels);
      return machine.posterior().weights!;
    });
    for (let i = 0; i < 4; i++) {
      const deviation = Math.sqrt(full!.variance[i]!);
      expect(Math.abs(diagonal!.mean[i]! - full!.mean[i]!)).toBeLessThan(0.2 * deviation);
      expect(diagonal!.variance[i]!).toBeLessThan(1.02 * full!.variance[i]!);
    }
  });

  it('probabilities are calibrated: of those told with 70 to 80 %, as many are so', () => {
    const bins = Array.from({ length: 5 }, () => ({ told: 0, so: 0, count: 0 }));
    for (let seed = 0; seed < 40; seed++) {
      const all = problem(seed + 100, 160, 3);
      const machine = new BayesPointMachine({ classes: [0, 1] });
      machine.train(all.features.slice(0, 80), all.labels.slice(0, 80));
      for (const [i, [, p]] of machine.predictProbabilities(all.features.slice(80)).entries()) {
        const bin = bins[Math.min(4, Math.floor(p! * 5))]!;
        bin.told += p!;
        bin.count++;
        bin.so += all.labels[80 + i]!;
      }
    }
    for (const { told, so, count } of bins)
      expect(Math.abs(told - so) / count).toBeLessThan(4 * Math.sqrt(0.25 / count));
  });

  it('with an intercept, a prior and noise of its own, and labels that are words', () => {
    const model = new BayesPointMachine({ fitIntercept: true, priorVariance: 4, noiseVariance: 0.5 });
    model.train([[1], [2], [3], [4]], ['lose', 'lose', 'win', 'win']);
    const [low, high] = model.predictProbabilities([[0], [5]]);
    expect(low![1]).toBeLessThan(0.2);
    expect(high![1]).toBeGreaterThan(0.8);
    expect(model.predict([[0], [5]])).toEqual(['lose', 'win']);
    expect(model.posterior().weights!.mean[0]).toBeLessThan(0);
    expect(model.classes).toEqual(['lose', 'win']);
  });

  it('property: random problems converge, or say by how much they did not; never NaN', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('full', 'diagonal'),
        (seed, machines, size, covariance) => {
          const rows = problem(seed, 4 + (seed % 40), size);
          // Now and then separable, huge, or all alike.
          const scale = [1, 1, 30, 1e-3][seed % 4]!;
          const features = rows.features.map((x) => x.map((value) => scale * value));
          const count = Math.min(machines, rows.labels.length);
          const options = { schedule: seed % 3 === 0 ? 'parallel' : 'serial' } as const;
          try {
            const { posterior } = exchangeMessages(
              machinesOf({ ...rows, features }, count, seed % 2 === 0, { covariance }),
              options,
            );
            expect(posterior.weights!.isProper).toBe(true);
            for (const value of posterior.weights!.mean) expect(Number.isFinite(value)).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: 'DID_NOT_CONVERGE', residual: expect.any(Number) });
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('without rows it believes the prior, and then what others say', () => {
    const options = { classes: [0, 1], numberOfFeatures: 4, fitIntercept: true };
    const [empty, other] = [new BayesPointMachine(options), new BayesPointMachine(options)];
    expect(empty.predictProbabilities([[1, 2, 3, 4]])).toEqual([[0.5, 0.5]]);
    other.observe(data.features, data.labels);
    const { posterior } = exchangeMessages({ empty, other });
    expect(distance(empty.posterior().weights!.mean, posterior.weights!.mean)).toBeLessThan(1e-6);
    expect(() => new BayesPointMachine({ numberOfFeatures: 4 })).toThrow('need classes as well');
    expect(() => empty.observe([[1]], [0])).toThrow('2 columns, the weights are 5');
  });

  it('refuses what it cannot use, and is unchanged', () => {
    expect(() => new BayesPointMachine({ noiseVariance: 0 })).toThrow('noiseVariance is 0');
    expect(() => new BayesPointMachine().posterior()).toThrow('no rows yet');
    expect(() => new BayesPointMachine().train([[1], [2]], [1, 1])).toThrow('one class only');
    const model = new BayesPointMachine();
    model.train(
      [
        [1, 2],
        [2, 1],
      ],
      [0, 1],
    );
    const before = model.posterior().weights!.natural;
    expect(() => model.train([[1, 2]], [0, 1])).toThrow('2 labels for 1 rows');
    expect(() => model.train([[1]], [0])).toThrow('1 columns, the weights are 2');
    expect(() => model.train([[1, 2]], [7])).toThrow('not among the classes');
    expect(() => model.trainOnMultipleBatches([])).toThrow('no batches');
    expect(() => model.predict([[1]])).toThrow('1 columns, the weights are 2');
    expect(() => model.computeMessage({})).toThrow('expected weights');
    expect(model.posterior().weights!.natural).toEqual(before);
  });
});
