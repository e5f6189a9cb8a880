import { describe, expect, it } from 'vitest';
import { BayesPointMachine } from '../../../src/models/bayesian/BayesPointMachine.ts';
import { exchangeMessages } from '../../../src/models/bayesian/exchange.ts';
import { FactorisedBayesPointMachine } from '../../../src/models/bayesian/FactorisedBayesPointMachine.ts';
import { DiagonalGaussian } from '../../../src/models/bayesian/families/DiagonalGaussian.ts';
import { truncation } from '../../../src/models/bayesian/probit.ts';
import { seededRandom, standardNormal } from '../../../src/random.ts';

const random = seededRandom(5);
const size = 4;
const weights = Array.from({ length: size }, () => standardNormal(random));
const features = Array.from({ length: 150 }, () =>
  Array.from({ length: size }, () => standardNormal(random)),
);
const labels = features.map(
  (x) => x.reduce((sum, value, i) => sum + value * weights[i]!, 0) + standardNormal(random) > 0,
);

function machinesOf(count: number, isSorted: boolean): Record<string, FactorisedBayesPointMachine> {
  const order = [...labels.keys()];
  if (isSorted) order.sort((a, b) => Number(labels[a]) - Number(labels[b]));
  return Object.fromEntries(
    Array.from({ length: count }, (_, machine) => {
      const own = isSorted
        ? order.slice((machine * order.length) / count, ((machine + 1) * order.length) / count)
        : order.filter((row) => row % count === machine);
      const [x, y] = [own.map((row) => features[row]!), own.map((row) => labels[row]!)];
      return [`machine-${machine}`, new FactorisedBayesPointMachine(x, y)];
    }),
  );
}

const exact = { tolerance: 1e-12, maximumNumberOfRounds: 500 };
const alone = exchangeMessages(machinesOf(1, false), exact).posterior;

describe('a factorised Bayes point machine', () => {
  it.each([
    [2, 'serial', false],
    [3, 'serial', true],
    [6, 'serial', false],
    [2, 'parallel', true],
    [6, 'parallel', true],
  ] as const)('over %d machines, %s, sorted by label: %s: where one machine ends', (count, schedule, isSorted) => {
    const { posterior } = exchangeMessages(machinesOf(count, isSorted), { ...exact, schedule });
    for (let i = 0; i < size; i++) {
      expect(Math.abs(posterior.mean[i]! - alone.mean[i]!)).toBeLessThan(1e-8);
      expect(Math.abs(posterior.variance[i]! - alone.variance[i]!)).toBeLessThan(1e-8);
    }
  });

  it('has nearly the means of the full covariance, and variances that are no larger', () => {
    const full = exchangeMessages({ machine: new BayesPointMachine(features, labels) }, exact).posterior;
    for (let i = 0; i < size; i++) {
      expect(Math.abs(alone.mean[i]! - full.mean[i]!)).toBeLessThan(0.2 * Math.sqrt(full.variance[i]!));
      expect(alone.variance[i]!).toBeLessThan(1.02 * full.variance[i]!);
    }
  });

  it('a sweep is that of the equations, row by row and weight by weight, with everything made anew', () => {
    const rows = 10;
    const machine = new FactorisedBayesPointMachine(features.slice(0, rows), labels.slice(0, rows), {
      noiseVariance: 0.5,
      priorVariance: 2,
    });
    const inbox = DiagonalGaussian.of([0.3, -0.2, 0.1, 0], [2, 1, 3, 2]);
    const sites = Array.from({ length: rows }, () => DiagonalGaussian.uniform(size));
    for (let sweep = 0; sweep < 2; sweep++) {
      for (let row = 0; row < rows; row++) {
        const x = features[row]!;
        const others = sites
          .filter((_, other) => other !== row)
          .reduce((product, site) => product.multiply(site));
        const { mean, variance } = machine.prior.multiply(inbox).multiply(others);
        const score = x.reduce((sum, value, i) => sum + value * mean[i]!, 0);
        const spread = x.reduce((sum, value, i) => sum + value * value * variance[i]!, 0);
        const y = labels[row] ? 1 : -1;
        const { first, second } = truncation((y * score) / Math.sqrt(spread + 0.5));
        // The tilted distribution of each weight: its covariance with the score is x v.
        const natural = x.map((value, i) => {
          const v = variance[i]!;
          const covariance = value * v;
          const tiltedMean = mean[i]! + (y * first * covariance) / Math.sqrt(spread + 0.5);
          const tiltedVariance = v - (second * covariance * covariance) / (spread + 0.5);
          return [tiltedMean / tiltedVariance - mean[i]! / v, 1 / tiltedVariance - 1 / v];
        });
        sites[row] = DiagonalGaussian.natural(
          natural.map(([h]) => h!),
          natural.map(([, p]) => p!),
        );
      }
      const expected = sites.reduce((product, site) => product.multiply(site)).natural;
      const { natural } = machine.computeMessage(inbox);
      for (const [i, value] of natural.entries()) expect(value).toBeCloseTo(expected[i]!, 9);
    }
  });

  it('a message has 16 bytes a weight', () => {
    const machine = machinesOf(1, false)['machine-0']!;
    expect(machine.computeMessage(DiagonalGaussian.uniform(size)).natural.byteLength).toBe(16 * size);
  });

  it('predicts, with an intercept, and refuses other columns', () => {
    const model = new FactorisedBayesPointMachine([[1], [2], [3], [4]], [false, false, true, true], {
      fitIntercept: true,
      priorVariance: 4,
    });
    exchangeMessages({ model });
    const [low, high] = model.predictProbabilities([[0], [5]]);
    expect(low).toBeLessThan(0.3);
    expect(high).toBeGreaterThan(0.7);
    expect(() => model.predictProbabilities([[1, 2]])).toThrow('3 columns, the weights are 2');
    expect(() => new FactorisedBayesPointMachine([[1]], [])).toThrow('1 rows and 0 labels');
  });

  it('separable and huge rows end in finite numbers', () => {
    const model = new FactorisedBayesPointMachine(
      features.map((x) => x.map((value) => 1e4 * value)),
      features.map(([x]) => x! > 0),
    );
    const { posterior } = exchangeMessages({ model }, { maximumNumberOfRounds: 400 });
    expect(posterior.isProper).toBe(true);
    expect(posterior.mean[0]).toBeGreaterThan(0);
  });
});
