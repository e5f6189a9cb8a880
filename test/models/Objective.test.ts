import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActivationName } from '../../src/models/activations.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import type { Labels } from '../../src/models/labels.ts';
import type { LossName, LossOption } from '../../src/models/losses.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { seededRandom } from '../../src/random.ts';
import type { Differentiable } from './support.ts';
import { gradientError, normalRows, randomise, relativeDistance, roundRobin } from './support.ts';

const activations: readonly ActivationName[] = [
  'identity',
  'relu',
  'leakyRelu',
  'elu',
  'tanh',
  'sigmoid',
  'softplus',
  'gelu',
  'silu',
  'mish',
  'gaussian',
  'softmax',
];
const rows = 7;
const features = normalRows(rows, 3, 1);

function labelsFor(loss: LossName): Labels {
  if (loss === 'crossEntropy') return roundRobin(rows, [0, 1]);
  if (loss === 'meanSquaredError' || loss === 'huber') return normalRows(rows, 2, 2);
  if (loss === 'hinge') return normalRows(rows, 2, 2).map((row) => row.map((z) => (z > 0 ? 1 : -1)));
  return normalRows(rows, 2, 3).map((row) => row.map((z) => 1 / (1 + Math.exp(-z))));
}

const legal: [ActivationName, LossName][] = [
  ...activations.map((last): [ActivationName, LossName] => [last, 'meanSquaredError']),
  ['softmax', 'crossEntropy'],
  ['sigmoid', 'binaryCrossEntropy'],
  ...activations.map((last): [ActivationName, LossName] => [last, 'huber']),
  ['identity', 'hinge'],
];

/** With this δ no error lies so near ±δ that differences step over the bend of huber. */
const settings = (loss: LossName): LossOption => (loss === 'huber' ? { name: 'huber', delta: 0.9 } : loss);

describe.each(legal)('a network that ends in %s with %s', (last, loss) => {
  it.each(activations)('has the gradient of its cost behind a hidden layer of %s', (hidden) => {
    for (const penalty of [{ l2: 0 }, { l1: 0.2 }, { l1: 0.1, l2: 0.3 }]) {
      const layers = [3, { units: 4, activation: hidden }, { units: 2, activation: last }];
      const network = new NeuralNetwork({ layers, loss: settings(loss), penalty, dtype: 'float64' });
      randomise(network, 11);
      expect(gradientError(network, features, labelsFor(loss))).toBeLessThan(1e-6);
    }
  });
});

it('a deep network has the gradient of its cost', () => {
  const layers = [3, { units: 5, activation: 'tanh' }, { units: 4, activation: 'sigmoid' }, 3, 2] as const;
  const network = new NeuralNetwork({ layers, dtype: 'float64' });
  randomise(network, 12);
  expect(gradientError(network, features, labelsFor('meanSquaredError'))).toBeLessThan(1e-6);
});

describe.each([
  { fitIntercept: true, penalty: { l2: 0 } },
  { fitIntercept: true, penalty: { l2: 0.7 } },
  { fitIntercept: true, penalty: { l1: 0.4, l2: 0.7 } },
  { fitIntercept: false, penalty: { l1: 0.4 } },
  { fitIntercept: false, penalty: { l2: 0 } },
  { fitIntercept: false, penalty: { l2: 0.7 } },
])('with %j', (options) => {
  const cases: [string, Differentiable, Labels][] = [
    ['linear', new LinearRegression(options), normalRows(rows, 1, 4).map((row) => row[0]!)],
    ['linear, three outputs', new LinearRegression(options), normalRows(rows, 3, 5)],
    ['logistic, two classes', new LogisticRegression(options), roundRobin(rows, ['no', 'yes'])],
    ['logistic, four classes', new LogisticRegression(options), roundRobin(rows, [3, 1, 2, 0])],
  ];
  it.each(cases)('%s regression has the gradient of its cost', (_name, model, labels) => {
    model.computeCost(features, labels);
    randomise(model, 13);
    expect(gradientError(model, features, labels)).toBeLessThan(1e-6);
  });
});

describe('the union of shards', () => {
  type Kind = 'linear' | 'logistic' | 'network' | 'hinge' | 'huber';
  const make = (kind: Kind, dtype: 'float32' | 'float64'): Differentiable => {
    const shared = { dtype, penalty: { l1: 0.3, l2: 0.2 } };
    if (kind === 'linear') return new LinearRegression(shared);
    if (kind === 'logistic') return new LogisticRegression({ ...shared, classes: [0, 1, 2] });
    const hidden = { units: 4, activation: 'gelu' } as const;
    if (kind === 'huber') return new NeuralNetwork({ ...shared, layers: [3, hidden, 1], loss: 'huber' });
    if (kind === 'hinge') {
      return new NeuralNetwork({ ...shared, layers: [3, hidden, 3], loss: 'hinge', classes: [0, 1, 2] });
    }
    return new NeuralNetwork({
      ...shared,
      layers: [3, { units: 4, activation: 'tanh' }, { units: 3, activation: 'softmax' }],
    });
  };
  const shardSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
  it.each([
    ['linear', 'float64', 1e-12],
    ['linear', 'float32', 1e-5],
    ['logistic', 'float64', 1e-12],
    ['logistic', 'float32', 1e-5],
    ['network', 'float64', 1e-12],
    ['network', 'float32', 1e-5],
    ['huber', 'float64', 1e-12],
    ['hinge', 'float64', 1e-12],
    ['hinge', 'float32', 1e-5],
  ] as const)('has the row-weighted mean of the gradients: %s in %s', (kind, dtype, most) => {
    fc.assert(
      fc.property(shardSizes, fc.integer({ min: 0, max: 1e6 }), (sizes, seed) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const data = normalRows(total, 3, seed);
        const random = seededRandom(seed, 3);
        const labels = data.map((row) =>
          kind === 'linear' || kind === 'huber' ? row[0]! + random.next() : Math.floor(3 * random.next()),
        );
        const model = make(kind, dtype);
        model.computeCost(data, labels);
        randomise(model, seed + 1);
        const pooled = model.computeGradients(data, labels);
        expect(pooled.sampleCount).toBe(total);
        const sum = new Float64Array(pooled.values.length);
        let first = 0;
        for (const size of sizes) {
          const end = first + size;
          const shard = model.computeGradients(data.slice(first, end), labels.slice(first, end));
          shard.values.forEach((g, i) => {
            sum[i]! += (g * shard.sampleCount) / total;
          });
          first = end;
        }
        expect(relativeDistance(sum, pooled.values)).toBeLessThan(most);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it('also across the rows that are worked through in one go', () => {
    const data = normalRows(700, 3, 8);
    const labels = data.map((row) => Math.sin(row[0]!));
    const model = new LinearRegression();
    model.computeCost(data, labels);
    randomise(model, 9);
    const pooled = model.computeGradients(data, labels).values;
    const sum = new Float64Array(pooled.length);
    for (let row = 0; row < 700; row++) {
      const one = model.computeGradients([data[row]!], [labels[row]!]).values;
      one.forEach((g, i) => {
        sum[i]! += g / 700;
      });
    }
    expect(relativeDistance(sum, pooled)).toBeLessThan(1e-12);
  });
});

it('a split batch has the same predictions, bit for bit', () => {
  const network = new NeuralNetwork({ layers: [3, { units: 9, activation: 'tanh' }, 2] });
  const data = normalRows(11, 3, 21);
  const whole = network.predict(data);
  expect([...network.predict(data.slice(0, 5)), ...network.predict(data.slice(5))]).toEqual(whole);
});
