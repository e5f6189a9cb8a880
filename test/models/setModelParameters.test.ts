import { describe, expect, it } from 'vitest';
import {
  ArchitectureMismatchError,
  LayoutMismatchError,
  MalformedDataError,
  NonFiniteError,
} from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { ModelParameters } from '../../src/parameters/ModelParameters.ts';
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

describe('copies', () => {
  it('getModelParameters gives one', () => {
    const model = linear();
    const before = bits(model.getModelParameters().values);
    model.getModelParameters().values.fill(9);
    expect(bits(model.getModelParameters().values)).toEqual(before);
  });

  it('setModelParameters takes one', () => {
    const model = linear();
    const parameters = model.getModelParameters();
    parameters.values.fill(2);
    model.setModelParameters(parameters);
    parameters.values.fill(9);
    expect([...model.getModelParameters().values]).toEqual([2, 2, 2]);
  });

  it('are converted to the dtype of the model', () => {
    const model = linear({ dtype: 'float32' });
    const parameters = ModelParameters.fromArrays({ weights: [[0.1], [0.2]], bias: [0.3] });
    model.setModelParameters(parameters);
    const got = model.getModelParameters();
    expect(got.dtype).toBe('float32');
    expect([...got.values]).toEqual([0.1, 0.2, 0.3].map(Math.fround));
  });

  it('carry the version of main and forget the rows of the last training', () => {
    const model = linear();
    model.setModelParameters(model.getModelParameters().clone({ baseVersion: 7 }));
    expect(model.getModelParameters().baseVersion).toBe(7);
    expect(model.getModelParameters().sampleCount).toBeUndefined();
    model.setAreGradientsSaved(true);
    model.train(features, labels);
    expect(model.getGradients().baseVersion).toBe(7);
    expect(model.getModelParameters().baseVersion).toBe(7);
    const { origin } = model.getModelParameters();
    expect(origin).toBeDefined();
    expect(model.getGradients().origin).toBe(origin);
    expect(model.clone().getModelParameters().origin).not.toBe(origin);
  });
});

describe('what does not fit is refused and changes nothing', () => {
  const relu = new NeuralNetwork({ layers: [2, { units: 3, activation: 'relu' }, 1] });
  const tanh = new NeuralNetwork({ layers: [2, { units: 3, activation: 'tanh' }, 1] });
  const softmax = (loss: 'crossEntropy' | 'meanSquaredError'): NeuralNetwork =>
    new NeuralNetwork({ layers: [2, { units: 2, activation: 'softmax' }], loss });
  const hand = (arrays: Parameters<typeof ModelParameters.fromArrays>[0]): ModelParameters =>
    ModelParameters.fromArrays(arrays);
  const cases: [
    string,
    LinearRegression | LogisticRegression | NeuralNetwork,
    () => ModelParameters,
    new (message: string) => Error,
    RegExp,
  ][] = [
    [
      'more values',
      linear(),
      () => hand({ weights: [[1], [2], [3]], bias: [1] }),
      LayoutMismatchError,
      /4 values.*3/,
    ],
    [
      'another shape',
      linear(),
      () => hand({ weights: [[1, 2]], bias: [1] }),
      LayoutMismatchError,
      /\[1×2\].*\[2×1\]/,
    ],
    [
      'another name',
      linear(),
      () => hand({ coefficients: [[1], [2]], bias: [1] }),
      LayoutMismatchError,
      /coefficients.*weights/,
    ],
    [
      'another order',
      linear(),
      () => hand({ bias: [1], weights: [[1], [2]] }),
      LayoutMismatchError,
      /bias.*weights/,
    ],
    [
      'no intercept',
      linear(),
      () => linear({ fitIntercept: false }).getModelParameters(),
      LayoutMismatchError,
      /2 values.*3/,
    ],
    [
      'another model',
      linear(),
      () => logistic([0, 1]).getModelParameters(),
      ArchitectureMismatchError,
      /Logistic.*Linear/,
    ],
    [
      'other classes',
      logistic(['a', 'b']),
      () => logistic(['a', 'c']).getModelParameters(),
      ArchitectureMismatchError,
      /\["a","c"\].*\["a","b"\]/,
    ],
    ['tanh for relu', relu, () => tanh.getModelParameters(), ArchitectureMismatchError, /tanh.*relu/],
    [
      'another loss',
      softmax('crossEntropy'),
      () => softmax('meanSquaredError').getModelParameters(),
      ArchitectureMismatchError,
      /meanSquaredError.*crossEntropy/,
    ],
    [
      'NaN',
      linear(),
      () => hand({ weights: [[1], [Number.NaN]], bias: [1] }),
      NonFiniteError,
      /NaN at weights\[1\]/,
    ],
    [
      'Infinity',
      linear(),
      () => hand({ weights: [[1], [2]], bias: [-Infinity] }),
      NonFiniteError,
      /-Infinity at bias\[0\]/,
    ],
    [
      'more than float32 holds',
      linear({ dtype: 'float32' }),
      () => hand({ weights: [[1], [1e39]], bias: [1] }),
      NonFiniteError,
      /float32.*weights\[1\]/,
    ],
  ];
  it.each(cases)('%s', (_name, model, make, errorClass, message) => {
    const before = bits(model.getModelParameters().values);
    expect(() => model.setModelParameters(make())).toThrow(errorClass);
    expect(() => model.setModelParameters(make())).toThrow(message);
    expect(bits(model.getModelParameters().values)).toEqual(before);
  });

  it('anything that is no ModelParameters', () => {
    const model = linear();
    for (const wrong of [
      null,
      undefined,
      [1, 2, 3],
      { weights: [[1], [2]] },
      model.computeGradients(features, labels),
    ]) {
      expect(() => model.setModelParameters(wrong as never)).toThrow(MalformedDataError);
    }
  });
});

describe('an untrained model takes its shape from parameters', () => {
  it('LinearRegression', () => {
    const from = linear();
    const model = new LinearRegression();
    model.setModelParameters(from.getModelParameters());
    expect(model.predict(features)).toEqual(from.predict(features));
  });

  it('LogisticRegression, with its classes', () => {
    const from = logistic(['x', 'y', 'z']);
    const model = new LogisticRegression();
    model.setModelParameters(from.getModelParameters());
    expect(model.classes).toEqual(['x', 'y', 'z']);
    expect(model.predict(features)).toEqual(from.predict(features));
    const hand = ModelParameters.fromArrays({ weights: [[1], [2]], bias: [0] });
    expect(() => new LogisticRegression().setModelParameters(hand)).toThrow(LayoutMismatchError);
    const named = new LogisticRegression({ classes: ['n', 'y'] });
    named.setModelParameters(hand);
    expect(
      named.predict([
        [1, 1],
        [-1, -1],
      ]),
    ).toEqual(['y', 'n']);
  });

  it('NeuralNetwork, without layers and with them', () => {
    const layers = [2, { units: 4, activation: 'tanh' }, { units: 2, activation: 'softmax' }] as const;
    const from = new NeuralNetwork({ layers, classes: ['n', 'y'], maximumNumberOfIterations: 1 });
    from.train(features, roundRobin(12, ['n', 'y']));
    for (const model of [new NeuralNetwork(), new NeuralNetwork({ layers })]) {
      model.setModelParameters(from.getModelParameters());
      expect(model.classes).toEqual(['n', 'y']);
      expect(model.predictProbabilities(features)).toEqual(from.predictProbabilities(features));
    }
    const hand = ModelParameters.fromArrays({ weights: [[1], [2]], bias: [0] });
    expect(() => new NeuralNetwork().setModelParameters(hand)).toThrow(LayoutMismatchError);
  });

  it('and stays untrained where they are refused', () => {
    const model = new LinearRegression();
    const wrong = ModelParameters.fromArrays({ weights: [[1], [2]], offset: [0] });
    expect(() => model.setModelParameters(wrong)).toThrow(LayoutMismatchError);
    model.train([[1]], [1], { maximumNumberOfIterations: 1 });
    expect(model.getModelParameters().values).toHaveLength(2);
  });

  it.each([
    ['explicit layers', { layers: [2, { units: 2, activation: 'softmax' as const }] }],
    ['no layers', {}],
  ])('but not classes other than its own: a network with %s', (_name, options) => {
    const from = new NeuralNetwork({ layers: [2, { units: 2, activation: 'softmax' }], classes: ['a', 'b'] });
    const model = new NeuralNetwork({ ...options, classes: ['x', 'y'] });
    expect(() => model.setModelParameters(from.getModelParameters())).toThrow(ArchitectureMismatchError);
  });

  it('but not another loss than its own', () => {
    const from = new NeuralNetwork({ layers: [2, { units: 2, activation: 'softmax' }] });
    const model = new NeuralNetwork({ layers: [2, { units: 2, activation: 'identity' }] });
    expect(() => model.setModelParameters(from.getModelParameters())).toThrow(ArchitectureMismatchError);
    const inferred = new NeuralNetwork({ layers: [2, 2] });
    expect(() => inferred.setModelParameters(from.getModelParameters())).toThrow(ArchitectureMismatchError);
    const named = new NeuralNetwork({ loss: 'meanSquaredError' });
    expect(() => named.setModelParameters(from.getModelParameters())).toThrow(ArchitectureMismatchError);
  });

  it('but not another number of classes than its layers have', () => {
    const from = new NeuralNetwork({ layers: [2, { units: 3, activation: 'softmax' }] });
    const model = new NeuralNetwork({ layers: [2, { units: 2, activation: 'softmax' }] });
    expect(() => model.setModelParameters(from.getModelParameters())).toThrow(LayoutMismatchError);
  });
});
