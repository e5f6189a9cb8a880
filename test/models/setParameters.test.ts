import { describe, expect, it } from 'vitest';
import { InvalidOptionError, MalformedDataError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { bits, normalRows, roundRobin } from './support.ts';

const features = normalRows(12, 2, 1);
const labels = features.map((row) => row[0]! - row[1]!);

function linear(options = {}): LinearRegression {
  const model = new LinearRegression({ maximumNumberOfIterations: 2, ...options });
  model.train(features, labels);
  return model;
}

function logistic(classes: readonly (string | number)[], options = {}): LogisticRegression {
  const model = new LogisticRegression({ maximumNumberOfIterations: 2, ...options });
  model.train(features, roundRobin(12, classes));
  return model;
}

describe('the state of the optimizer', () => {
  it('is kept, unless it is to be reset', () => {
    const model = linear({ optimizer: 'momentum' });
    const state = model.getOptimizerState()!;
    expect(state.steps).toBe(2);
    expect(state.slots[0]!.some((v) => v !== 0)).toBe(true);
    model.setModelParameters(model.getModelParameters());
    expect(model.getOptimizerState()).toEqual(state);
    model.setModelParameters(model.getModelParameters(), { resetOptimizer: true });
    expect(model.getOptimizerState()).toEqual({ optimizer: 'momentum', steps: 0, slots: [[0, 0, 0]] });
    model.setOptimizerState(state);
    expect(model.getOptimizerState()).toEqual(state);
    expect(() => model.setOptimizerState({ ...state, optimizer: 'adam' })).toThrow(MalformedDataError);
  });
});

describe('setParameters', () => {
  it('changes what training does', () => {
    const model = linear();
    const twin = linear({ learningRate: 0.01 });
    const start = model.getModelParameters();
    twin.setModelParameters(start);
    model.setParameters({ learningRate: 0.01, maximumNumberOfIterations: 3 });
    expect(model.train(features, labels)).toHaveLength(3);
    twin.train(features, labels, { maximumNumberOfIterations: 3 });
    expect(bits(model.getModelParameters().values)).toEqual(bits(twin.getModelParameters().values));
  });

  it('gives a new optimizer empty state, and keeps the state otherwise', () => {
    const model = linear({ optimizer: 'momentum' });
    const state = model.getOptimizerState();
    model.setParameters({ learningRate: 0.3, tolerance: 0 });
    expect(model.getOptimizerState()).toEqual(state);
    model.setParameters({ optimizer: 'adam' });
    expect(model.getOptimizerState()).toMatchObject({
      optimizer: 'adam',
      steps: 0,
      slots: [
        [0, 0, 0],
        [0, 0, 0],
      ],
    });
  });

  it('starts the shuffling of a new seed', () => {
    const [one, other] = [linear({ batchSize: 4, seed: 1 }), linear({ batchSize: 4, seed: 1 })];
    one.setParameters({ seed: 1 });
    one.train(features, labels);
    other.train(features, labels);
    expect(bits(one.getModelParameters().values)).not.toEqual(bits(other.getModelParameters().values));
  });

  it.each([
    ['fitIntercept', linear(), { fitIntercept: false }],
    ['dtype', linear(), { dtype: 'float32' }],
    ['classes', logistic(['a', 'b']), { classes: ['a', 'c'] }],
    ['layers', new NeuralNetwork({ layers: [2, 1] }), { layers: [3, 1] }],
    [
      'loss',
      new NeuralNetwork({ layers: [2, { units: 1, activation: 'sigmoid' }] }),
      { loss: 'meanSquaredError' },
    ],
  ])('refuses to change %s under the parameters, and then changes nothing', (name, model, change) => {
    model.getModelParameters();
    const before = JSON.stringify(model.toJSON());
    const call = (): void => model.setParameters({ learningRate: 9, ...change } as never);
    expect(call).toThrow(InvalidOptionError);
    expect(call).toThrow(name);
    expect(JSON.stringify(model.toJSON())).toBe(before);
  });

  it('takes the same shape again, and any shape while there are no parameters', () => {
    const model = logistic(['b', 'a']);
    model.setParameters({ classes: ['b', 'a'], dtype: 'float64' });
    expect(model.classes).toEqual(['a', 'b']);
    const fresh = new NeuralNetwork({ layers: [2, 1] });
    fresh.setParameters({ layers: [3, 1] });
    expect(fresh.predict([[1, 2, 3]])).toHaveLength(1);
  });

  it('refuses illegal values and pairs', () => {
    expect(() => linear().setParameters({ learningRate: -1 })).toThrow(InvalidOptionError);
    expect(() => linear().setParameters({ rate: 1 } as never)).toThrow(InvalidOptionError);
    const network = new NeuralNetwork({ layers: [2, { units: 2, activation: 'relu' }] });
    expect(() => network.setParameters({ loss: 'crossEntropy' })).toThrow(InvalidOptionError);
    expect(network.toJSON().options).not.toHaveProperty('loss');
  });
});
