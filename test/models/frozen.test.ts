import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { OptimizerOption } from '../../src/optimizers/createOptimizer.ts';
import { bits, normalRows } from './support.ts';

const features = normalRows(12, 3, 1);
const labels = normalRows(12, 2, 2);
const layers = [3, { units: 4, activation: 'tanh' }, { units: 4, activation: 'tanh' }, 2] as const;
const shared = { layers, batchSize: 5, maximumNumberOfIterations: 3, dtype: 'float64' } as const;
const optimizers: OptimizerOption[] = [
  'gradientDescent',
  'momentum',
  'nesterov',
  'adaGrad',
  { name: 'rmsProp', momentum: 0.5 },
  'adam',
  { name: 'adamW', weightDecay: 0.3 },
];

describe.each(optimizers)('with %j', (optimizer) => {
  const frozen = ['layers.1.*', 'layers.2.bias'];
  const isFrozen = (name: string): boolean => name.startsWith('layers.1.') || name === 'layers.2.bias';

  it('frozen tensors do not change by one bit, and all others do', () => {
    const network = new NeuralNetwork({ ...shared, optimizer, learningRate: 0.01 });
    network.train(features, labels);
    network.setParameters({ frozen });
    const before = network.getModelParameters();
    const state = network.getOptimizerState()!;
    network.train(features, labels);
    const after = network.getModelParameters();
    for (const { name, offset, size } of before.layout.tensors) {
      const same = bits(after.get(name)).join() === bits(before.get(name)).join();
      expect([name, same]).toEqual([name, isFrozen(name)]);
      if (!isFrozen(name)) continue;
      const cut = (slots: readonly (readonly number[])[]) =>
        slots.map((slot) => slot.slice(offset, offset + size));
      expect(cut(network.getOptimizerState()!.slots)).toEqual(cut(state.slots));
    }
    expect(network.getOptimizerState()!.steps).toBe(state.steps + 9);
  });

  it('what is not frozen takes the first step that it takes without', () => {
    const [one, other] = [{ frozen }, {}].map((more) => {
      const network = new NeuralNetwork({ ...shared, ...more, optimizer, batchSize: 12 });
      network.train(features, labels, { maximumNumberOfIterations: 1 });
      return network.getModelParameters();
    });
    for (const { name } of one!.layout.tensors) {
      if (!isFrozen(name)) expect(bits(one!.get(name))).toEqual(bits(other!.get(name)));
    }
  });
});

it('gradients are still those of all tensors', () => {
  const [one, other] = [['*'], []].map((frozen) => new NeuralNetwork({ ...shared, frozen }));
  expect(bits(one!.computeGradients(features, labels).values)).toEqual(
    bits(other!.computeGradients(features, labels).values),
  );
  one!.setAreGradientsSaved(true);
  const before = bits(one!.getModelParameters().values);
  one!.train(features, labels, { maximumNumberOfIterations: 1 });
  expect(bits(one!.getModelParameters().values)).toEqual(before);
  expect(one!.getGradients().values.every((g) => g !== 0)).toBe(true);
});

it('a pattern that names no tensor is refused when the tensors are known, and changes nothing', () => {
  expect(() => new NeuralNetwork({ layers, frozen: ['layers.7.*'] })).toThrow(
    /layers\.7\.\*.*names no tensor/,
  );
  const late = new LinearRegression({ frozen: ['offset'] });
  expect(() => late.train([[1]], [1])).toThrow(InvalidOptionError);
  expect(() => late.getModelParameters()).toThrow(/no parameters/);
  const model = new LinearRegression({ frozen: ['bias'] });
  model.train([[1], [2]], [1, 2], { maximumNumberOfIterations: 2 });
  expect([...model.getModelParameters().get('bias')]).toEqual([0]);
  expect(() => model.setParameters({ learningRate: 9, frozen: ['offset'] })).toThrow(InvalidOptionError);
  expect(model.toJSON().options).toMatchObject({ frozen: ['bias'] });
  expect(model.toJSON().options).not.toHaveProperty('learningRate');
  model.setParameters({ frozen: [] });
  model.train([[1], [2]], [1, 2], { maximumNumberOfIterations: 2 });
  expect(model.getModelParameters().get('bias')[0]).not.toBe(0);
});
