import { describe, expect, it } from 'vitest';
import { InvalidDataError, MainstemError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { bits, thrownBy } from './support.ts';

const kinds = {
  LinearRegression: () => new LinearRegression({ maximumNumberOfIterations: 3 }),
  LogisticRegression: () => new LogisticRegression({ maximumNumberOfIterations: 3 }),
  NeuralNetwork: () => new NeuralNetwork({ layers: [2, 3, 1], maximumNumberOfIterations: 3 }),
};
const good = [
  [1, 2],
  [3, 5],
  [4, 1],
];
const labels = [0, 1, 1];
const badFeatures: [string, unknown, RegExp][] = [
  ['nothing', undefined, /undefined/],
  ['null', null, /null/],
  ['a string', 'abc', /string/],
  ['a number', 5, /number/],
  ['a plain object', {}, /object/],
  ['no rows', [], /empty/],
  ['rows without columns', [[], [], []], /without columns/],
  ['a flat list', [1, 2, 3], /flat list/],
  ['ragged rows', [[1, 2], [3], [4, 1]], /row 1 has 1.*row 0 has 2/],
  ['a missing row', [[1, 2], undefined, [4, 1]], /row 1/],
  ['a first row that is null', [null, [1, 2], [4, 1]], /null/],
  ['rows that are objects', [{ a: 1 }, { a: 2 }, { a: 3 }], /row 0/],
  ['rows that are strings', ['ab', 'cd', 'ef'], /row 0/],
  [
    'a string in a row',
    [
      [1, 2],
      [3, '5'],
      [4, 1],
    ],
    /"5" at row 1, column 1/,
  ],
  [
    'null in a row',
    [
      [1, 2],
      [3, null],
      [4, 1],
    ],
    /null at row 1, column 1/,
  ],
  [
    'a hole in a row',
    [
      [1, 2],
      [3, undefined],
      [4, 1],
    ],
    /undefined at row 1, column 1/,
  ],
  [
    'a bigint in a row',
    [
      [1, 2],
      [3, 5n],
      [4, 1],
    ],
    /row 1, column 1/,
  ],
  ['rows in rows', [[[1], [2]]], /row 0, column 0/],
  [
    'NaN',
    [
      [1, 2],
      [3, Number.NaN],
      [4, 1],
    ],
    /NaN at row 1, column 1/,
  ],
  [
    'Infinity',
    [
      [1, 2],
      [3, 5],
      [-Infinity, 1],
    ],
    /-Infinity at row 2, column 0/,
  ],
  ['a matrix with too few values', { data: new Float64Array(5), rows: 3, columns: 2 }, /3 × 2 with 5 values/],
  [
    'a matrix with too many values',
    { data: new Float64Array(7), rows: 3, columns: 2 },
    /3 × 2 with 7 values/,
  ],
  ['a matrix without rows', { data: new Float64Array(0), rows: 0, columns: 2 }, /0 × 2/],
  ['a matrix without columns', { data: new Float64Array(3), rows: 3 }, /undefined/],
  ['a matrix of half a row', { data: new Float64Array(3), rows: 1.5, columns: 2 }, /1.5/],
  [
    'a matrix with NaN',
    { data: new Float64Array([1, 2, 3, Number.NaN, 5, 6]), rows: 3, columns: 2 },
    /NaN at row 1, column 1/,
  ],
  ['a matrix without data', { data: undefined, rows: 3, columns: 2 }, /data|values/],
  ['a toArray that gives no rows', { toArray: () => 5 }, /object/],
];

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('features of a %s', (kind) => {
  it.each(badFeatures)('are refused: %s', (_name, features, message) => {
    const model = kinds[kind]();
    const error = thrownBy(() => model.train(features as never, labels));
    expect(error).toBeInstanceOf(InvalidDataError);
    expect(error.message).toMatch(message);
    model.train(good, labels);
    const before = bits(model.getModelParameters().values);
    for (const call of [
      () => model.train(features as never, labels),
      () => model.predict(features as never),
      () => model.score(features as never, labels),
      () => model.computeGradients(features as never, labels),
      () => model.computeCost(features as never, labels),
    ]) {
      expect(thrownBy(call)).toBeInstanceOf(InvalidDataError);
    }
    expect(bits(model.getModelParameters().values)).toEqual(before);
  });

  it('with other columns than the model are refused', () => {
    const model = kinds[kind]();
    model.train(good, labels);
    for (const call of [
      () => model.predict([[1, 2, 3]]),
      () => model.train([[1], [2], [3]], labels),
      () => model.score([[1], [2], [3]], labels),
      () => model.computeGradients([[1], [2], [3]], labels),
    ]) {
      const error = thrownBy(call);
      expect(error).toBeInstanceOf(InvalidDataError);
      expect(error.message).toMatch(/[13] columns, the model has 2/);
    }
  });

  it.each([
    ['rows of typed arrays', good.map((row) => Float32Array.from(row))],
    ['a float64 matrix', { data: Float64Array.from(good.flat()), rows: 3, columns: 2 }],
    ['a float32 matrix', { data: Float32Array.from(good.flat()), rows: 3, columns: 2 }],
    [
      'a view of a larger array',
      { data: Float64Array.from([9, ...good.flat(), 9]).subarray(1, 7), rows: 3, columns: 2 },
    ],
    ['an object with toArray()', { toArray: () => good }],
  ])('are taken as %s', (_name, features) => {
    const [wanted, model] = [kinds[kind](), kinds[kind]()];
    expect(model.train(features, labels)).toEqual(wanted.train(good, labels));
    expect(model.predict(features)).toEqual(wanted.predict(good));
  });

  it('of batches keep a typed matrix as it was', () => {
    const data = Float32Array.from(good.flat());
    const model = kinds[kind]();
    model.setParameters({ batchSize: 2 });
    model.train({ data, rows: 3, columns: 2 }, labels);
    model.predict({ data, rows: 3, columns: 2 });
    expect([...data]).toEqual(good.flat());
  });
});

it('numbers beyond float32 are refused where the model is float32', () => {
  const model = new LinearRegression({ dtype: 'float32' });
  const error = thrownBy(() => model.train([[1e39]], [1]));
  expect(error).toBeInstanceOf(MainstemError);
  expect(error.message).toMatch(/row 0, column 0.*float32/);
});
