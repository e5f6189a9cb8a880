import { describe, expect, it } from 'vitest';
import { DivergedError } from '../../src/errors.ts';
import type { ActivationName } from '../../src/models/activations.ts';
import { applyMask, drawMask } from '../../src/models/dropout.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { planLayers } from '../../src/models/networkLayers.ts';
import { Objective } from '../../src/models/Objective.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';
import { bits, normalRows, relativeDistance } from './support.ts';

const rows = 12;
const features = normalRows(rows, 3, 1);
const labels = normalRows(rows, 2, 2);
const dropped = [3, { units: 6, activation: 'tanh', dropout: 0.4 }, 2] as const;
const whole = [3, { units: 6, activation: 'tanh' }, 2] as const;
const options = { maximumNumberOfIterations: 3, batchSize: 5, dtype: 'float64', seed: 3 } as const;

describe('masks', () => {
  it('are 0 or 1/(1 − share), and on average 1', () => {
    const mask = new Float64Array(40_000);
    drawMask(mask, mask.length, 0.3, seededRandom(1));
    expect(new Set(mask)).toEqual(new Set([0, 1 / 0.7]));
    const mean = mask.reduce((sum, value) => sum + value, 0) / mask.length;
    // Deviation of the mean: √(0.3 / 0.7 / 40,000) = 0.0033.
    expect(Math.abs(mean - 1)).toBeLessThan(0.014);
    const target = new Float64Array(3);
    applyMask(target, Float64Array.of(2, 3, 4), Float64Array.of(0, 1, 2), 2);
    expect([...target]).toEqual([0, 3, 0]);
  });

  it.each([
    'tanh',
    'relu',
    'sigmoid',
    'gelu',
    'softmax',
    'identity',
  ] as ActivationName[])('held fixed, a hidden layer of %s has the gradient of its cost', (activation) => {
    const layers = [3, { units: 6, activation, dropout: 0.4 }, { units: 5, activation, dropout: 0.25 }, 2];
    const network = planLayers(layers, undefined, undefined);
    const random = seededRandom(5, 2);
    const matrix = { data: Float64Array.from(features.flat()), rows, columns: 3 };
    const targets = { kind: 'rows', values: Float64Array.from(labels.flat()), columns: 2 } as const;
    const objective = new Objective(network, matrix, targets, 'float64', { shares: [0.4, 0.25, 0], random });
    const start = random.getState();
    const costAt = (values: Float64Array<ArrayBuffer>, gradient: Float64Array): number => {
      random.setState(start);
      return objective.accumulate(values, undefined, 0, rows, gradient);
    };
    const values = new Float64Array(network.layout.length);
    const draw = seededRandom(9);
    for (let i = 0; i < values.length; i++) values[i] = 0.5 * standardNormal(draw);
    const gradient = new Float64Array(values.length);
    const unused = new Float64Array(values.length);
    costAt(values, gradient);
    const numeric = Array.from(values, (_, i) => {
      const moved = (delta: number): number => {
        const copy = values.slice();
        copy[i]! += delta;
        return costAt(copy, unused);
      };
      const h = 1e-4;
      return (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h);
    });
    expect(relativeDistance(gradient, numeric)).toBeLessThan(1e-6);
    const plain = new Objective(network, matrix, targets, 'float64');
    const without = new Float64Array(values.length);
    plain.accumulate(values, undefined, 0, rows, without);
    expect(relativeDistance(without, numeric)).toBeGreaterThan(0.01);
  });
});

describe('training with dropout', () => {
  it('has the same bits with the same seed, sliced or not, and others with another', async () => {
    const run = (seed: number): number[] =>
      bits(new NeuralNetwork({ ...options, layers: dropped, seed }).train(features, labels));
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
    const sliced = new NeuralNetwork({ ...options, layers: dropped });
    expect(bits(await sliced.trainAsync(features, labels))).toEqual(run(3));
  });

  it('shuffles as a training without: one iteration of a learning rate of 0 leaves the same state', () => {
    const [one, other] = [dropped, whole].map((layers) => {
      const network = new NeuralNetwork({ ...options, layers, learningRate: 0 });
      network.train(features, labels);
      return network.toJSON();
    });
    expect(one!.random).toEqual(other!.random);
    expect(one!.dropoutRandom).not.toEqual(other!.dropoutRandom);
    expect(other!.dropoutRandom).toEqual(new NeuralNetwork({ seed: 3 }).toJSON().dropoutRandom);
  });

  it('on average is training without: the mean of many first costs', () => {
    // One linear hidden layer and one output: the mean over masks of the squared error is that of the whole plus
    // the variance p/(1 − p) Σ (h w)².
    const layers = [3, { units: 6, activation: 'identity', dropout: 0.4 }, 1] as const;
    const y = labels.map((row) => row[0]!);
    const network = new NeuralNetwork({ ...options, layers, learningRate: 0, batchSize: rows });
    const parameters = network.getModelParameters();
    const [w1, w2] = [parameters.get('layers.0.weights'), parameters.get('layers.1.weights')];
    const variance = features.reduce((sum, row) => {
      const parts = Array.from(w2, (w, u) => w * row.reduce((h, value, j) => h + value * w1[j * 6 + u]!, 0));
      return sum + (0.4 / 0.6) * parts.reduce((total, part) => total + part * part, 0);
    }, 0);
    const wanted = network.computeCost(features, y) + variance / rows;
    const costs = network.train(features, y, { maximumNumberOfIterations: 4000 });
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    expect(Math.abs(mean / wanted - 1)).toBeLessThan(0.03);
    expect(network.computeCost(features, y) / wanted).toBeLessThan(0.9);
  });

  it('leaves predictions, costs, gradients and validation alone', () => {
    const [one, other] = [dropped, whole].map((layers) => new NeuralNetwork({ ...options, layers }));
    expect(one!.predict(features)).toEqual(other!.predict(features));
    expect(one!.computeCost(features, labels)).toBe(other!.computeCost(features, labels));
    expect(bits(one!.computeGradients(features, labels).values)).toEqual(
      bits(other!.computeGradients(features, labels).values),
    );
    let reported: number | undefined;
    one!.train(features, labels, {
      validation: { features, labels },
      onIteration: ({ validationCost }) => {
        reported = validationCost;
      },
    });
    expect(reported).toBe(one!.computeCost(features, labels));
  });

  it('is no part of the architecture, and may change', () => {
    const [one, other] = [dropped, whole].map((layers) => new NeuralNetwork({ ...options, layers }));
    expect(one!.getModelParameters().layout.fingerprint).toBe(other!.getModelParameters().layout.fingerprint);
    other!.setModelParameters(one!.getModelParameters());
    other!.setParameters({ layers: dropped });
    expect(bits(other!.train(features, labels))).toEqual(bits(one!.train(features, labels)));
    expect(() => other!.setParameters({ layers: [3, { units: 6, activation: 'relu' }, 2] })).toThrow(
      /layers/,
    );
  });

  it('continues with the same bits after JSON, after clone, and after a training that was taken back', () => {
    const network = new NeuralNetwork({ ...options, layers: dropped });
    network.train(features, labels);
    const restored = NeuralNetwork.fromJSON(JSON.parse(JSON.stringify(network.toJSON())));
    const twin = network.clone();
    const before = JSON.stringify(network.toJSON());
    network.setParameters({ learningRate: 1e300 });
    expect(() => network.train(features, labels)).toThrow(DivergedError);
    network.setParameters({ learningRate: 0.001 });
    expect(JSON.stringify({ ...network.toJSON(), options: 0 })).toBe(
      JSON.stringify({ ...JSON.parse(before), options: 0 }),
    );
    const costs = bits(network.train(features, labels));
    expect(bits(restored.train(features, labels))).toEqual(costs);
    expect(bits(twin.train(features, labels))).toEqual(costs);
    restored.setParameters({ seed: 3 });
    expect(restored.toJSON().dropoutRandom).toEqual(new NeuralNetwork({ seed: 3 }).toJSON().dropoutRandom);
  });
});
