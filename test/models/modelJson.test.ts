import { describe, expect, it } from 'vitest';
import { InvalidOptionError, MainstemError, MalformedDataError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { Optimizer } from '../../src/optimizers/Optimizer.ts';
import { bits, normalRows, roundRobin, thrownBy } from './support.ts';

const rows = 20;
const features = normalRows(rows, 2, 1);
const numbers = features.map((row) => row[0]! * row[1]!);
const names = roundRobin(rows, ['a', 'b', 'c']);

const travel = <T>(json: T): T => JSON.parse(JSON.stringify(json));

describe.each([
  ['momentum', { optimizer: { name: 'momentum', momentum: 0.8 } }],
  ['adam', { optimizer: { name: 'adam', beta1: 0.8, beta2: 0.99, epsilon: 1e-6 } }],
  ['gradientDescent', { optimizer: 'gradientDescent' }],
  ['nesterov', { optimizer: { name: 'nesterov', momentum: 0.5 } }],
  ['adaGrad', { optimizer: { name: 'adaGrad', epsilon: 1e-6 } }],
  ['rmsProp', { optimizer: { name: 'rmsProp', decay: 0.8, momentum: 0.5 } }],
  ['adamW', { optimizer: { name: 'adamW', weightDecay: 0.1 } }],
] as const)('with %s and mini-batches', (_name, { optimizer }) => {
  const shared = {
    optimizer,
    batchSize: 6,
    seed: 4,
    maximumNumberOfIterations: 3,
    penalty: { l1: 0.02, l2: 0.01 },
  };
  const cases = [
    ['LinearRegression', new LinearRegression(shared), LinearRegression, numbers],
    ['LogisticRegression', new LogisticRegression(shared), LogisticRegression, names],
    ['NeuralNetwork with inferred layers', new NeuralNetwork(shared), NeuralNetwork, names],
    [
      'NeuralNetwork',
      new NeuralNetwork({ ...shared, layers: [2, 4, 1], dtype: 'float64' }),
      NeuralNetwork,
      numbers,
    ],
    [
      'NeuralNetwork with all there is',
      new NeuralNetwork({
        ...shared,
        layers: [
          2,
          { units: 4, activation: 'gelu', dropout: 0.3 },
          { units: 3, activation: 'mish', dropout: 0.1 },
          1,
        ],
        loss: { name: 'huber', delta: 0.3 },
        penalty: { l1: 0.01, l2: 0.02 },
        learningRateSchedule: {
          name: 'linearWarmUp',
          steps: 3,
          after: { name: 'cosine', steps: 50, minimum: 0.1 },
        },
        gradientClipping: { norm: 0.3 },
        frozen: ['layers.1.weights', 'layers.2.b*'],
      }),
      NeuralNetwork,
      numbers,
    ],
    [
      'NeuralNetwork with hinge',
      new NeuralNetwork({ ...shared, loss: 'hinge', gradientClipping: { value: 0.2 } }),
      NeuralNetwork,
      names,
    ],
    [
      'NeuralNetwork with float32',
      new NeuralNetwork({ ...shared, layers: [2, 4, 1] }),
      NeuralNetwork,
      numbers,
    ],
  ] as const;
  it.each(
    cases,
  )('%s continues with the same bits after JSON, and after clone', (_kind, model, Class, labels) => {
    model.train(features, labels);
    const restored = Class.fromJSON(travel(model.toJSON()));
    const twin = model.clone();
    expect(restored.toJSON()).toEqual(model.toJSON());
    const costs = model.train(features, labels);
    const values = bits(model.getModelParameters().values);
    for (const copy of [restored, twin]) {
      expect(copy.getModelParameters().sampleCount).toBe(rows);
      expect(bits(copy.getModelParameters().values)).not.toEqual(values);
      expect(bits(copy.train(features, labels))).toEqual(bits(costs));
      expect(bits(copy.getModelParameters().values)).toEqual(values);
    }
    expect(restored.predict(features)).toEqual(model.predict(features));
  });
});

it('an untrained model survives JSON and trains as it would have', () => {
  const model = new NeuralNetwork({ layers: [2, 3, 1], seed: 9, batchSize: 4 });
  const restored = NeuralNetwork.fromJSON(travel(model.toJSON()));
  expect(model.toJSON().parameters).toBeNull();
  expect(bits(restored.train(features, numbers))).toEqual(bits(model.train(features, numbers)));
});

it('a clone is independent', () => {
  const model = new NeuralNetwork({ layers: [2, 3, 1], batchSize: 4, maximumNumberOfIterations: 2 });
  model.setAreGradientsSaved(true);
  model.train(features, numbers);
  const before = JSON.stringify(model.toJSON());
  const gradients = bits(model.getGradients().values);
  const twin = model.clone();
  expect(bits(twin.getGradients().values)).toEqual(gradients);
  twin.train(features, numbers);
  twin.setParameters({ learningRate: 0.5, optimizer: 'momentum' });
  expect(JSON.stringify(model.toJSON())).toBe(before);
  expect(bits(model.getGradients().values)).toEqual(gradients);
  expect(new LogisticRegression().clone().classes).toBeUndefined();
});

it('an optimizer of the user must be given again', () => {
  const sign: Optimizer = {
    name: 'sign',
    defaultLearningRate: 0.01,
    slotCount: 0,
    step(_state, values, gradient, rate) {
      for (let i = 0; i < values.length; i++) values[i]! -= rate * Math.sign(gradient[i]!);
    },
  };
  const model = new LinearRegression({ optimizer: sign, maximumNumberOfIterations: 3 });
  model.train(features, numbers);
  expect([...model.getModelParameters().values].every((v) => Math.abs(v) < 0.031)).toBe(true);
  const json = travel(model.toJSON());
  expect(() => LinearRegression.fromJSON(json)).toThrow(InvalidOptionError);
  const restored = LinearRegression.fromJSON(json, { optimizer: sign });
  expect(bits(restored.train(features, numbers))).toEqual(bits(model.train(features, numbers)));
});

describe('JSON that is something else is refused', () => {
  const model = new LinearRegression({ optimizer: 'momentum', maximumNumberOfIterations: 2 });
  model.train(features, numbers);
  const good = travel(model.toJSON());
  const parameters = good.parameters!;
  const state = good.optimizerState!;
  const cases: [string, unknown][] = [
    ['null', null],
    ['a number', 5],
    ['an empty object', {}],
    ['another format', { ...good, format: 'mainstem/model@9' }],
    ['another model', { ...good, model: 'LogisticRegression' }],
    ['no options', { ...good, options: null }],
    ['no parameters', { ...good, parameters: undefined }],
    ['other parameters', { ...good, parameters: { ...parameters, format: 'x' } }],
    [
      'a tensor too short',
      {
        ...good,
        parameters: {
          ...parameters,
          tensors: [parameters.tensors[0], { ...parameters.tensors[1], values: [] }],
        },
      },
    ],
    ['an unknown dtype', { ...good, parameters: { ...parameters, dtype: 'int8' } }],
    ['a state of another optimizer', { ...good, optimizerState: { ...state, optimizer: 'adam' } }],
    ['a state too short', { ...good, optimizerState: { ...state, slots: [[1]] } }],
    ['a state that is not finite', { ...good, optimizerState: { ...state, slots: [[1, null, 2]] } }],
    ['negative steps', { ...good, optimizerState: { ...state, steps: -1 } }],
    ['no random state', { ...good, random: undefined }],
    ['a random state of null', { ...good, random: null }],
    ['a random state of zeros', { ...good, random: [0, 0, 0, 0] }],
    ['a random state of fractions', { ...good, random: [0.5, 1, 1, 1] }],
    ['a random state too short', { ...good, random: [1, 1, 1] }],
    ['no random state of dropout', { ...good, dropoutRandom: undefined }],
    ['a random state of dropout of zeros', { ...good, dropoutRandom: [0, 0, 0, 0] }],
  ];
  it.each(cases)('%s', (_name, json) => {
    expect(thrownBy(() => LinearRegression.fromJSON(json as never))).toBeInstanceOf(MalformedDataError);
  });

  it.each([
    ['an illegal option', { ...good, options: { ...good.options, learningRate: -1 } }],
    ['an unknown option', { ...good, options: { ...good.options, speed: 1 } }],
    [
      'parameters of another architecture',
      { ...good, parameters: { ...parameters, architecture: { model: 'X' } } },
    ],
  ])('%s, each with its own error', (_name, json) => {
    expect(thrownBy(() => LinearRegression.fromJSON(json as never))).toBeInstanceOf(MainstemError);
  });
});
