import { describe, expect, it } from 'vitest';
import { InvalidDataError, InvalidOptionError, NotTrainedError } from '../../src/errors.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { bits, normalRows, roundRobin } from './support.ts';

const xor = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

describe('layers', () => {
  it('are added one by one as if given at once', () => {
    const built = new NeuralNetwork({ seed: 3 })
      .addLayer({ units: 2 })
      .addLayer({ units: 4, activation: 'tanh' })
      .addLayer(1);
    const given = new NeuralNetwork({ seed: 3, layers: [2, { units: 4, activation: 'tanh' }, 1] });
    const parameters = built.getModelParameters();
    expect(bits(parameters.values)).toEqual(bits(given.getModelParameters().values));
    expect(parameters.layout.fingerprint).toBe(given.getModelParameters().layout.fingerprint);
    expect(parameters.layout.tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['layers.0.weights', [2, 4]],
      ['layers.0.bias', [4]],
      ['layers.1.weights', [4, 1]],
      ['layers.1.bias', [1]],
    ]);
    expect(() => built.addLayer(1)).toThrow(InvalidOptionError);
  });

  it('that are illegal are not added', () => {
    const network = new NeuralNetwork({ layers: [2] });
    expect(() => network.addLayer({ units: 0 })).toThrow(InvalidOptionError);
    expect(() => network.addLayer({ units: 1, activation: 'softmax' })).toThrow(InvalidOptionError);
    expect(() => network.predict(xor)).toThrow(NotTrainedError);
    network.addLayer(1);
    expect(network.predict(xor)).toHaveLength(4);
  });

  it('default to relu, then what the loss needs', () => {
    const activations = (options: ConstructorParameters<typeof NeuralNetwork>[0]): unknown => {
      const { architecture } = new NeuralNetwork(options).getModelParameters().layout;
      const { activations: names, loss, classes } = architecture!;
      return [names, loss, classes];
    };
    expect(activations({ layers: [2, 3, 2] })).toEqual([['relu', 'identity'], 'meanSquaredError', undefined]);
    expect(activations({ layers: [2, 3, 2], loss: 'crossEntropy' })).toEqual([
      ['relu', 'softmax'],
      'crossEntropy',
      [0, 1],
    ]);
    expect(activations({ layers: [2, 2], loss: 'binaryCrossEntropy' })).toEqual([
      ['sigmoid'],
      'binaryCrossEntropy',
      undefined,
    ]);
    expect(activations({ layers: [2, { units: 2, activation: 'sigmoid' }] })).toEqual([
      ['sigmoid'],
      'binaryCrossEntropy',
      undefined,
    ]);
    expect(activations({ layers: [2, { units: 2, activation: 'softmax' }] })).toEqual([
      ['softmax'],
      'crossEntropy',
      [0, 1],
    ]);
    expect(activations({ layers: [2, 2], classes: ['b', 'a'] })).toEqual([
      ['softmax'],
      'crossEntropy',
      ['a', 'b'],
    ]);
    expect(activations({ layers: [2, { units: 2, activation: 'tanh' }] })).toEqual([
      ['tanh'],
      'meanSquaredError',
      undefined,
    ]);
  });
});

describe('inferred layers', () => {
  const features = normalRows(9, 3, 1);
  it('of strings are a classifier with a hidden layer of 32', () => {
    const network = new NeuralNetwork({ maximumNumberOfIterations: 1 });
    network.train(features, roundRobin(9, ['c', 'a', 'b']));
    expect(network.classes).toEqual(['a', 'b', 'c']);
    const { layout } = network.getModelParameters();
    expect(layout.find('layers.0.weights')!.shape).toEqual([3, 32]);
    expect(layout.find('layers.1.weights')!.shape).toEqual([32, 3]);
    expect(network.predictProbabilities(features)[0]).toHaveLength(3);
  });

  it('of numbers are a regression', () => {
    const network = new NeuralNetwork({ maximumNumberOfIterations: 1 });
    network.train(
      features,
      features.map((row) => [row[0]!, row[1]!]),
    );
    expect(network.classes).toBeUndefined();
    expect(network.predict(features)[0]).toHaveLength(2);
    expect(() => network.predictProbabilities(features)).toThrow(InvalidOptionError);
  });

  it('follow classes and loss where they are given', () => {
    const named = new NeuralNetwork({ classes: [3, 1, 2], maximumNumberOfIterations: 1 });
    named.train(features, roundRobin(9, [1, 2]));
    expect(named.classes).toEqual([1, 2, 3]);
    const loss = new NeuralNetwork({ loss: 'crossEntropy', maximumNumberOfIterations: 1 });
    loss.train(features, roundRobin(9, [7, 5]));
    expect(loss.classes).toEqual([5, 7]);
    const binary = new NeuralNetwork({ loss: 'binaryCrossEntropy', maximumNumberOfIterations: 1 });
    binary.train(features, roundRobin(9, [0, 1]));
    expect(
      binary.predict(features).every((row) => (row as number[])[0]! > 0 && (row as number[])[0]! < 1),
    ).toBe(true);
  });
});

describe('string labels with explicit layers', () => {
  const layers = [2, { units: 2, activation: 'softmax' }] as const;
  it('name the classes', () => {
    const network = new NeuralNetwork({ layers, maximumNumberOfIterations: 1 });
    network.train(xor, ['on', 'off', 'on', 'off']);
    expect(network.classes).toEqual(['off', 'on']);
  });

  it('must be as many as outputs', () => {
    const network = new NeuralNetwork({ layers });
    expect(() => network.train(xor, ['a', 'b', 'c', 'a'])).toThrow(/3 classes.*2 units/);
    network.train(xor, ['a', 'b', 'a', 'b'], { maximumNumberOfIterations: 1 });
    expect(network.classes).toEqual(['a', 'b']);
  });
});

describe('defaults', () => {
  it('are Adam with 0.001, batches of 32, 100 iterations, float32', () => {
    const features = normalRows(70, 2, 1);
    const labels = features.map((row) => row[0]!);
    const plain = new NeuralNetwork({ layers: [2, 3, 1] });
    const named = new NeuralNetwork({
      layers: [2, 3, 1],
      optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      learningRate: 0.001,
      batchSize: 32,
      maximumNumberOfIterations: 100,
      dtype: 'float32',
      seed: 0,
    });
    const costs = plain.train(features, labels);
    expect(costs).toHaveLength(100);
    expect(bits(named.train(features, labels))).toEqual(bits(costs));
    expect(plain.getOptimizerState()!.steps).toBe(300);
    expect(plain.getModelParameters().dtype).toBe('float32');
  });

  it('weights start with the variance of their activation, biases at 0', () => {
    const layers = [
      400,
      { units: 300, activation: 'relu' },
      { units: 200, activation: 'tanh' },
      150,
    ] as const;
    const parameters = new NeuralNetwork({ layers, dtype: 'float64' }).getModelParameters();
    [2 / 400, 2 / 500, 1 / 200].forEach((wanted, i) => {
      const weights = parameters.get(`layers.${i}.weights`);
      const variance = Array.from(weights).reduce((sum, w) => sum + w * w, 0) / weights.length;
      expect(Math.abs(variance / wanted - 1)).toBeLessThan(0.05);
      expect(parameters.get(`layers.${i}.bias`).every((b) => b === 0)).toBe(true);
    });
  });
});

describe('learning', () => {
  it('learns XOR', () => {
    const network = new NeuralNetwork({
      layers: [2, { units: 8, activation: 'tanh' }, 2],
      classes: ['equal', 'different'],
      learningRate: 0.05,
      maximumNumberOfIterations: 300,
    });
    const labels = ['equal', 'different', 'different', 'equal'];
    network.train(xor, labels);
    expect(network.predict(xor)).toEqual(labels);
    expect(network.score(xor, labels)).toBe(1);
    expect(network.computeCost(xor, labels)).toBeLessThan(0.05);
    expect(network.score(xor, ['equal', 'equal', 'different', 'equal'])).toBe(0.75);
  });

  it('learns a curve', () => {
    const features = Array.from({ length: 60 }, (_, i) => [i / 20 - 1.5]);
    const labels = features.map(([x]) => Math.sin(2 * x!));
    const network = new NeuralNetwork({ learningRate: 0.01, maximumNumberOfIterations: 300 });
    expect(network.computeCost(features, labels)).toBeGreaterThan(0.2);
    network.train(features, labels);
    expect(network.score(features, labels)).toBeGreaterThan(0.98);
  });
});

it('binaryCrossEntropy takes labels from 0 to 1 only', () => {
  const network = new NeuralNetwork({ layers: [2, { units: 1, activation: 'sigmoid' }] });
  expect(network.train(xor, [0, 0.5, 1, 0], { maximumNumberOfIterations: 1 })).toHaveLength(1);
  for (const wrong of [-0.1, 1.1, 2]) {
    expect(() => network.train(xor, [0, 1, wrong, 0])).toThrow(InvalidDataError);
  }
});

it('labels with other columns than the outputs are refused', () => {
  const network = new NeuralNetwork({ layers: [2, 3] });
  expect(() => network.train(xor, [1, 2, 3, 4])).toThrow(InvalidDataError);
  expect(() => network.train(xor, [1, 2, 3, 4])).toThrow(/1 columns.*3 outputs/);
});
