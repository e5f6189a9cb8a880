import { describe, expect, it } from 'vitest';
import { ArchitectureMismatchError, InvalidDataError, InvalidOptionError } from '../../src/errors.ts';
import type { LossOption } from '../../src/models/losses.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { bits, normalRows, roundRobin } from './support.ts';

/** A network of one layer whose outputs are its features. */
function through(columns: number, options: ConstructorParameters<typeof NeuralNetwork>[0]): NeuralNetwork {
  const network = new NeuralNetwork({
    layers: [columns, { units: columns, activation: 'identity' }],
    dtype: 'float64',
    ...options,
  });
  const parameters = network.getModelParameters();
  parameters.values.fill(0);
  for (let i = 0; i < columns; i++) parameters.values[i * columns + i] = 1;
  network.setModelParameters(parameters);
  return network;
}

const architectureOf = (network: NeuralNetwork) => network.getModelParameters().layout.architecture!;

describe('huber', () => {
  it.each([
    ['huber', 1],
    [{ name: 'huber' }, 1],
    [{ name: 'huber', delta: 0.5 }, 0.5],
    [{ name: 'huber', delta: 3 }, 3],
  ] as [LossOption, number][])('%j is the mean over rows and outputs of its two branches', (loss, delta) => {
    const errors = [
      [0, 0.25],
      [-0.5, 0.5],
      [-2, 7],
      [1, -1e6],
    ];
    const cost = errors.flat().reduce((sum, e) => {
      const size = Math.abs(e);
      return sum + (size <= delta ? e ** 2 / 2 : delta * (size - delta / 2));
    }, 0);
    const network = through(2, { loss });
    expect(
      Math.abs(
        network.computeCost(
          errors,
          [...errors].map(() => [0, 0]),
        ) /
          (cost / 8) -
          1,
      ),
    ).toBeLessThan(1e-14);
    const { values } = network.computeGradients([[-2, 0.25]], [[0, 0]]);
    // The gradient of the bias is the clipped error, over outputs.
    expect(Array.from(values.subarray(4))).toEqual([Math.max(-2, -delta) / 2, 0.125]);
  });

  it('is not led astray by an outlier', () => {
    const features = normalRows(40, 1, 1);
    const furthest = features.reduce((best, row, i) => (row[0]! > features[best]![0]! ? i : best), 0);
    const labels = features.map((row, i) => 3 * row[0]! + (i === furthest ? 500 : 0));
    const slope = (loss: LossOption): number => {
      const network = new NeuralNetwork({
        layers: [1, 1],
        loss,
        dtype: 'float64',
        optimizer: 'gradientDescent',
        batchSize: 40,
        maximumNumberOfIterations: 800,
      });
      network.train(features, labels);
      return network.getModelParameters().values[0]!;
    };
    expect(Math.abs(slope('huber') - 3)).toBeLessThan(0.2);
    expect(Math.abs(slope('meanSquaredError') - 3)).toBeGreaterThan(1);
  });

  it('stands in the architecture by its name, or with a delta that is not 1', () => {
    const of = (loss: LossOption) => architectureOf(through(1, { loss })).loss;
    expect([of('huber'), of({ name: 'huber', delta: 1 })]).toEqual(['huber', 'huber']);
    expect(of({ name: 'huber', delta: 0.5 })).toEqual({ name: 'huber', delta: 0.5 });
    const [half, one] = [through(1, { loss: { name: 'huber', delta: 0.5 } }), through(1, { loss: 'huber' })];
    expect(() => one.setModelParameters(half.getModelParameters())).toThrow(ArchitectureMismatchError);
    const taken = new NeuralNetwork();
    taken.setModelParameters(half.getModelParameters());
    expect(architectureOf(taken).loss).toEqual({ name: 'huber', delta: 0.5 });
    expect(() => new NeuralNetwork({ loss: 'huber' }).setModelParameters(half.getModelParameters())).toThrow(
      /loss/,
    );
    one.setParameters({ loss: { name: 'huber', delta: 1 } });
    expect(() => one.setParameters({ loss: { name: 'huber', delta: 2 } })).toThrow(InvalidOptionError);
  });
});

describe('hinge', () => {
  it('is the mean over rows and outputs of what is missing to a margin of 1', () => {
    const network = through(2, { loss: 'hinge' });
    const outputs = [
      [0.25, 3],
      [-2, 1],
    ];
    const labels = [
      [1, -1],
      [-1, 1],
    ];
    expect(network.computeCost(outputs, labels)).toBe((0.75 + 4 + 0 + 0) / 4);
    const { values } = network.computeGradients(outputs, labels);
    expect(Array.from(values.subarray(4))).toEqual([-1 / 4, 1 / 4]);
    expect(network.predict([[0.25, 3]])).toEqual([[0.25, 3]]);
  });

  it.each([[[0, 1]], [[1, -2]], [[0.5, 1]]])('takes no labels but −1 and 1: %j', (row) => {
    expect(() => through(2, { loss: 'hinge' }).computeCost([[1, 2]], [row])).toThrow(InvalidDataError);
    expect(() => through(2, { loss: 'hinge' }).computeCost([[1, 2]], [row])).toThrow(/−1 or 1, got/);
  });

  it('with two classes has one output, whose sign tells the class', () => {
    const network = through(1, { loss: 'hinge', classes: ['yes', 'no'] });
    expect(network.classes).toEqual(['no', 'yes']);
    expect(network.predict([[-0.1], [0], [0.4], [3]])).toEqual(['no', 'yes', 'yes', 'yes']);
    expect(network.computeCost([[-0.5], [0.25]], ['no', 'no'])).toBe((0.5 + 1.25) / 2);
    expect(network.computeCost([[0.25]], ['yes'])).toBe(0.75);
    expect(network.score([[-1], [1]], ['no', 'no'])).toBe(0.5);
  });

  it('with more classes tells each from the rest', () => {
    const network = through(3, { loss: 'hinge', classes: [7, 5, 6] });
    expect(network.predict([[0.1, -1, 0.3]])).toEqual([7]);
    // Class 6 is output 1: what is missing is 1 + 0.1, 1 + 1 and 1 + 0.3.
    expect(network.computeCost([[0.1, -1, 0.3]], [6])).toBeCloseTo((1.1 + 2 + 1.3) / 3, 15);
  });

  it('has no probabilities', () => {
    const network = through(1, { loss: 'hinge', classes: ['a', 'b'] });
    expect(() => network.predictProbabilities([[1]])).toThrow(/margins/);
    expect(() => network.predictProbabilities([[1]])).toThrow(InvalidOptionError);
    expect(() => through(1, { loss: 'hinge' }).predictProbabilities([[1]])).toThrow(/margins/);
  });

  const features = normalRows(60, 2, 4);
  const side = features.map((row) => (row[0]! + row[1]! > 0 ? 'over' : 'under'));
  it.each([
    ['with layers and classes', { layers: [2, 1], classes: ['under', 'over'] }],
    ['with layers', { layers: [2, 1] }],
    ['with classes', { classes: ['under', 'over'] }],
    ['with neither', {}],
  ] as const)('learns two named classes %s', (_name, options) => {
    const network = new NeuralNetwork({ loss: 'hinge', learningRate: 0.05, ...options });
    network.train(features, side);
    expect(network.classes).toEqual(['over', 'under']);
    expect(network.score(features, side)).toBeGreaterThan(0.95);
    const twin = new NeuralNetwork('classes' in options ? {} : { loss: 'hinge' });
    twin.setModelParameters(network.getModelParameters());
    expect(twin.predict(features)).toEqual(network.predict(features));
    const restored = NeuralNetwork.fromJSON(JSON.parse(JSON.stringify(network.toJSON())));
    expect(bits(restored.train(features, side))).toEqual(bits(network.train(features, side)));
  });

  it('a network of layers without classes takes them from parameters', () => {
    const three = new NeuralNetwork({ loss: 'hinge', layers: [2, 3], maximumNumberOfIterations: 1 });
    three.train(features, roundRobin(60, ['a', 'b', 'c']));
    const twin = new NeuralNetwork({ loss: 'hinge', layers: [2, 3] });
    twin.setModelParameters(three.getModelParameters());
    expect(twin.classes).toEqual(['a', 'b', 'c']);
  });

  it('of one class only is refused without names', () => {
    const network = new NeuralNetwork({ loss: 'hinge' });
    expect(() =>
      network.train(
        features,
        features.map(() => 'a'),
      ),
    ).toThrow(InvalidDataError);
  });
});
