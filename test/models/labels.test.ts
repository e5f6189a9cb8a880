import { describe, expect, it } from 'vitest';
import { InvalidDataError, UnknownLabelError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { thrownBy } from './support.ts';

const features = [[1], [2], [3]];

describe('labels of a regression', () => {
  const bad: [string, unknown, RegExp][] = [
    ['nothing', undefined, /undefined/],
    ['null', null, /null/],
    ['none', [], /empty/],
    ['too few', [1, 2], /2 labels for 3 rows/],
    ['too many', [1, 2, 3, 4], /4 labels for 3 rows/],
    ['strings', ['a', 'b', 'c'], /"a" at row 0/],
    ['a string among numbers', [1, '2', 3], /"2" at row 1/],
    ['null among numbers', [1, null, 3], /null at row 1/],
    ['null first', [null, 2, 3], /null/],
    ['NaN', [1, 2, Number.NaN], /NaN at row 2/],
    ['Infinity', [Infinity, 2, 3], /Infinity at row 0/],
    ['ragged rows', [[1, 2], [1], [1, 2]], /row 1 has 1/],
    ['rows without columns', [[], [], []], /without columns/],
    ['an empty typed array', new Float64Array(0), /empty/],
    ['a matrix of the wrong size', { data: new Float64Array(5), rows: 3, columns: 2 }, /5 values/],
  ];
  const models = {
    LinearRegression: () => new LinearRegression({ maximumNumberOfIterations: 2 }),
    NeuralNetwork: () => new NeuralNetwork({ layers: [1, 2, 1], maximumNumberOfIterations: 2 }),
  };
  describe.each(['LinearRegression', 'NeuralNetwork'] as const)('%s', (kind) => {
    it.each(bad)('are refused: %s', (_name, labels, message) => {
      const model = models[kind]();
      const error = thrownBy(() => model.train(features, labels as never));
      expect(error).toBeInstanceOf(InvalidDataError);
      expect(error.message).toMatch(message);
      model.train(features, [1, 2, 3]);
      expect(thrownBy(() => model.score(features, labels as never))).toBeInstanceOf(InvalidDataError);
    });

    it.each([
      ['rows of one', [[1], [2], [4]]],
      ['a typed array', Float64Array.from([1, 2, 4])],
      ['a typed matrix', { data: Float32Array.from([1, 2, 4]), rows: 3, columns: 1 }],
      ['an object with toArray()', { toArray: () => [1, 2, 4] }],
      ['an object with toArray() of rows', { toArray: () => [[1], [2], [4]] }],
    ])('are taken as %s', (_name, labels) => {
      expect(models[kind]().train(features, labels)).toEqual(models[kind]().train(features, [1, 2, 4]));
    });
  });
});

describe('labels of a classifier', () => {
  const bad: [string, unknown][] = [
    ['null', null],
    ['none', []],
    ['too few', ['a', 'b']],
    ['too many', ['a', 'b', 'a', 'b']],
    [
      'rows of numbers',
      [
        [1, 0],
        [0, 1],
        [1, 0],
      ],
    ],
    ['mixed', ['a', 'b', 1]],
    ['null among strings', ['a', 'b', null]],
    ['a bigint among numbers', [1, 2, 3n]],
    ['one class only', ['a', 'a', 'a']],
  ];
  it.each(bad)('are refused by LogisticRegression: %s', (_name, labels) => {
    const model = new LogisticRegression();
    expect(thrownBy(() => model.train(features, labels as never))).toBeInstanceOf(InvalidDataError);
    expect(model.classes).toBeUndefined();
  });

  it.each(
    bad.filter(([name]) => name !== 'too few' && name !== 'too many'),
  )('are refused by a network with crossEntropy: %s', (_name, labels) => {
    const model = new NeuralNetwork({ loss: 'crossEntropy' });
    expect(thrownBy(() => model.train(features, labels as never))).toBeInstanceOf(InvalidDataError);
  });

  it('that are too few or too many say how many', () => {
    for (const model of [new LogisticRegression(), new NeuralNetwork()]) {
      expect(() => model.train(features, ['a', 'b'])).toThrow(/2 labels for 3 rows/);
      expect(() => model.train(features, ['a', 'b', 'a', 'b'])).toThrow(/4 labels for 3 rows/);
    }
  });

  it('are taken from typed arrays and toArray()', () => {
    const wanted = new LogisticRegression().train(features, [0, 1, 1]);
    expect(new LogisticRegression().train(features, Float64Array.from([0, 1, 1]))).toEqual(wanted);
    expect(new LogisticRegression().train(features, { toArray: () => [0, 1, 1] })).toEqual(wanted);
    const strings = new NeuralNetwork({ maximumNumberOfIterations: 1 });
    strings.train(features, { toArray: () => ['a', 'b', 'b'] });
    expect(strings.classes).toEqual(['a', 'b']);
  });

  it('outside the classes are refused, with what was got', () => {
    const network = new NeuralNetwork({ layers: [1, { units: 2, activation: 'softmax' }] });
    const error = thrownBy(() => network.train(features, [0, 1, 2]));
    expect(error).toBeInstanceOf(UnknownLabelError);
    expect(error.message).toMatch(/2 of row 2.*0, 1/);
    const logistic = new LogisticRegression({ classes: [0, 1] });
    expect(thrownBy(() => logistic.train(features, [0, 1, Number.NaN])).message).toMatch(/NaN of row 2/);
  });
});
