import { LinearRegression, LogisticRegression, ModelParameters, NeuralNetwork } from 'mainstem';
import { toMathjs } from 'mainstem/formulas';
import type { Matrix } from 'mathjs';
import { describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../src/errors.ts';
import { math, thrownBy } from './support.ts';

const rows = [
  [1, 2],
  [3, 5],
  [4, 1],
];

it('makes matrices that another copy of mathjs calculates with', () => {
  const made = toMathjs<Matrix>(rows);
  expect(made.toArray()).toEqual(rows);
  expect(math.typeOf(made)).toBe('DenseMatrix');
  expect(math.multiply(made, math.matrix([[1], [10]])).toArray()).toEqual([[21], [53], [14]]);
  expect(math.multiply(math.transpose(made), made).toArray()).toEqual(
    math.multiply(math.transpose(rows), rows),
  );
  expect(math.add(math.sparse(rows), made).toArray()).toEqual([
    [2, 4],
    [6, 10],
    [8, 2],
  ]);
  expect(
    math
      .evaluate('inv(a) * a', {
        a: toMathjs([
          [2, 0],
          [0, 4],
        ]),
      })
      .toArray(),
  ).toEqual([
    [1, 0],
    [0, 1],
  ]);
});

it('takes all features, flat lists and named tensors, as copies', () => {
  const data = Float64Array.of(1, 2, 3, 5, 4, 1);
  const made = toMathjs<Matrix>({ data, rows: 3, columns: 2 });
  data[0] = 9;
  expect(made.toArray()).toEqual(rows);
  expect(toMathjs([Float32Array.of(1, 0.5)]).toArray()).toEqual([[1, 0.5]]);
  expect(toMathjs(math.sparse(rows)).toArray()).toEqual(rows);
  expect(toMathjs([1, 2, 3]).size()).toEqual([3]);
  expect(toMathjs(Float64Array.of(1, 2)).toArray()).toEqual([1, 2]);
  const tensors = toMathjs<Matrix>(ModelParameters.fromArrays({ weights: [[1, 2]], bias: [3], scale: 4 }));
  expect(Object.keys(tensors)).toEqual(['weights', 'bias', 'scale']);
  expect(math.multiply(tensors.weights!, math.transpose(tensors.weights!)).toArray()).toEqual([[5]]);
  expect(tensors.bias!.size()).toEqual([1]);
  expect(tensors.scale!.toArray()).toEqual([4]);
});

it('refuses what is no matrix of numbers', () => {
  for (const bad of [[], [[]], [[1], [2, 3]], [['1']], 'x', null, 5, [1, '2'], [[Number.NaN]]]) {
    expect(thrownBy(() => toMathjs(bad as number[][]))).toBeInstanceOf(InvalidDataError);
  }
});

describe('mathjs matrices are features and labels', () => {
  const kinds = {
    dense: (values: number[][]) => math.matrix(values),
    sparse: (values: number[][]) => math.sparse(values),
  };
  it.each(Object.entries(kinds))('%s', (_kind, matrix) => {
    const targets = [[1], [0], [1]];
    const models = [
      () => new LinearRegression({ maximumNumberOfIterations: 5, learningRate: 0.01 }),
      () => new NeuralNetwork({ layers: [2, 3, 1], maximumNumberOfIterations: 5 }),
    ];
    for (const make of models) {
      const [own, theirs] = [make(), make()];
      own.train(rows, targets);
      theirs.train(matrix(rows), matrix(targets));
      expect(theirs.predict(matrix(rows))).toEqual(own.predict(rows));
      expect(theirs.score(matrix(rows), matrix(targets))).toEqual(own.score(rows, targets));
    }
    const [own, theirs] = [new LogisticRegression(), new LogisticRegression()];
    own.train(rows, [1, 0, 1]);
    theirs.train(matrix(rows), math.matrix([1, 0, 1]));
    expect(theirs.predict(matrix(rows))).toEqual(own.predict(rows));
  });
});
