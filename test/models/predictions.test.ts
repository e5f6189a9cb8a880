import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { formulaActivation } from '../../src/formulas/index.ts';
import { kernels } from '../../src/kernels/selection.ts';
import type { ActivationName } from '../../src/models/activations.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import type { LayerOption } from '../../src/models/layerOptions.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { DataType } from '../../src/parameters/values.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';
import { normalRows, randomise, roundRobin, thrownBy } from './support.ts';

const names: readonly ActivationName[] = [
  'identity',
  'relu',
  'leakyRelu',
  'elu',
  'tanh',
  'sigmoid',
  'softplus',
  'gelu',
  'silu',
  'mish',
  'gaussian',
  'softmax',
];
const dtypes: readonly DataType[] = ['float32', 'float64'];
const tolerances: Readonly<Record<DataType, number>> = { float32: 1e-5, float64: 1e-12 };
const fast = kernels.available.filter((name) => name !== 'reference');
const best = kernels.name;

afterEach(() => {
  kernels.select(best);
});

/** A network with normal parameters that was never trained. */
function networkOf(layers: readonly (number | LayerOption)[], dtype: DataType, seed = 1): NeuralNetwork {
  const model = new NeuralNetwork({ layers, dtype, seed, loss: 'meanSquaredError' });
  randomise(model, seed);
  return model;
}

/** Predicted rows by each of the kernels, against the reference. */
function expectLikeReference(predict: () => unknown, tolerance: number): void {
  kernels.select('reference');
  const expected = (predict() as number[][]).flat();
  const size = Math.max(1, ...expected.map(Math.abs));
  for (const name of fast) {
    kernels.select(name);
    const got = (predict() as number[][]).flat();
    expect(got.length).toBe(expected.length);
    got.forEach((value, index) => {
      expect(Math.abs(value - expected[index]!)).toBeLessThanOrEqual(tolerance * size);
    });
  }
}

describe('kernels in predictions', () => {
  it.each(
    dtypes.flatMap((dtype) => names.map((name) => [name, dtype] as const)),
  )('%s in %s is the reference', (activation, dtype) => {
    const layers = [
      7,
      { units: 9, activation },
      { units: 5, activation },
      { units: 3, activation: 'identity' },
    ];
    const model = networkOf(layers as LayerOption[], dtype);
    for (const rows of [1, 3, 13]) {
      const features = normalRows(rows, 7, rows);
      expectLikeReference(() => model.predict(features), tolerances[dtype]);
    }
  });

  it.each(dtypes)('a formula in %s is the reference, wherever it stands', (dtype) => {
    const activation = formulaActivation('x * tanh(log(1 + exp(x)))');
    const layers = [4, { units: 6, activation }, 5, { units: 2, activation }];
    const model = networkOf(layers, dtype);
    expectLikeReference(() => model.predict(normalRows(70, 4, 3)), tolerances[dtype]);
  });

  it('shapes of all kinds are the reference', () => {
    const size = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 13, 16, 31, 63, 64, 65, 128);
    const layers = fc.array(size, { minLength: 2, maxLength: 4 });
    const rows = fc.constantFrom(1, 2, 3, 4, 5, 6, 9, 33, 67);
    fc.assert(
      fc.property(layers, rows, fc.constantFrom(...dtypes), (units, count, dtype) => {
        const model = networkOf(units, dtype, 2);
        const features = normalRows(count, units[0]!, count);
        expectLikeReference(() => model.predict(features), 4 * tolerances[dtype]);
      }),
      { numRuns: 40, seed: 4 },
    );
  });

  it.each(dtypes)('regressions in %s are a product and an intercept', (dtype) => {
    const features = normalRows(21, 6, 5);
    const weights = [0.5, -1, 2, 0, 3, 0.25];
    const linear = new LinearRegression({ dtype, maximumNumberOfIterations: 0 });
    linear.train(features, new Float64Array(21).fill(1));
    const parameters = linear.getModelParameters();
    parameters.values.set([...weights, 7]);
    linear.setModelParameters(parameters);
    const expected = features.map((row) => row.reduce((sum, x, j) => sum + x * weights[j]!, 7));
    linear.predict(features).forEach(([value], row) => {
      expect(value! - expected[row]!).toBeCloseTo(0, dtype === 'float32' ? 4 : 12);
    });
  });

  it.each([
    ['two classes', ['a', 'b']],
    ['three classes', ['a', 'b', 'c']],
  ] as const)('logistic regression, %s: labels, probabilities and metrics', (_, classes) => {
    const features = normalRows(40, 5, 6);
    const labels = roundRobin(40, classes);
    for (const dtype of dtypes) {
      const model = new LogisticRegression({ dtype, maximumNumberOfIterations: 20 });
      model.train(features, labels);
      expectLikeReference(() => model.predictProbabilities(features), tolerances[dtype]);
      kernels.select('reference');
      const [predicted, score] = [model.predict(features), model.score(features, labels, 'logLoss')];
      kernels.select(best);
      expect(model.predict(features)).toEqual(predicted);
      expect(model.score(features, labels, 'logLoss')).toBeCloseTo(score, 5);
    }
  });

  it.each([2, 3])('hinge with %i classes predicts the same labels', (count) => {
    const classes = ['x', 'y', 'z'].slice(0, count);
    const features = normalRows(30, 4, 8);
    const model = new NeuralNetwork({ loss: 'hinge', classes, maximumNumberOfIterations: 5 });
    model.train(features, roundRobin(30, classes));
    const predicted = model.predict(features);
    const accuracy = model.score(features, roundRobin(30, classes));
    kernels.select('reference');
    expect(model.predict(features)).toEqual(predicted);
    expect(model.score(features, roundRobin(30, classes))).toBe(accuracy);
  });

  it('a network behind preprocessing predicts like the reference', () => {
    const features = normalRows(20, 3, 9).map((row) => row.map((x) => 1000 + 5 * x));
    const model = new NeuralNetwork({
      layers: [3, 8, 2],
      preprocessing: 'standardScaler',
      maximumNumberOfIterations: 3,
    });
    model.train(features, normalRows(20, 2, 10));
    expectLikeReference(() => model.predict(features), tolerances.float32);
  });
});

describe('how rows come together', () => {
  const activations: (ActivationName | 'formula')[] = ['relu', 'tanh', 'softmax', 'gelu', 'formula'];
  const cases = kernels.available.flatMap((kernel) =>
    dtypes.flatMap((dtype) => activations.map((activation) => [activation, dtype, kernel] as const)),
  );

  it.each(cases)('does not matter to %s in %s by %s', (name, dtype, kernel) => {
    kernels.select(kernel);
    const activation = name === 'formula' ? formulaActivation('x / (1 + abs(x))') : name;
    const model = networkOf([11, { units: 37, activation }, { units: 10, activation }], dtype);
    const rows = normalRows(300, 11, 12);
    const single = rows.map((row) => (model.predict([row]) as number[][])[0]!);
    for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 300]) {
      const batched: number[][] = [];
      for (let first = 0; first < rows.length; first += size) {
        batched.push(...(model.predict(rows.slice(first, first + size)) as number[][]));
      }
      expect(batched).toEqual(single);
    }
  });

  it('a typed matrix, nested arrays and rows of either type give the same', () => {
    const rows = normalRows(9, 5, 13).map((row) => row.map(Math.fround));
    for (const dtype of dtypes) {
      const model = networkOf([5, 8, 3], dtype);
      const expected = model.predict(rows);
      expect(model.predict({ data: Float32Array.from(rows.flat()), rows: 9, columns: 5 })).toEqual(expected);
      expect(model.predict({ data: Float64Array.from(rows.flat()), rows: 9, columns: 5 })).toEqual(expected);
      expect(model.predict(rows.map((row) => Float32Array.from(row)))).toEqual(expected);
    }
  });

  it('what was predicted stays as it is', () => {
    const model = networkOf([3, 4, 2], 'float64');
    const first = model.predict([[1, 2, 3]]);
    const copy = structuredClone(first);
    model.predict([[4, 5, 6]]);
    expect(first).toEqual(copy);
  });
});

describe('features that cannot be predicted from', () => {
  const model = networkOf([3, 5, 2], 'float32');
  const typed = (numbers: readonly number[], columns: number): object => ({
    data: Float64Array.from(numbers),
    rows: numbers.length / columns,
    columns,
  });

  it.each(kernels.available)('are refused with their place by %s', (kernel) => {
    kernels.select(kernel);
    const wrong: [object, RegExp][] = [
      [typed([1, 2, 3, 4, Number.NaN, 6], 3), /NaN at row 1, column 1/],
      [
        { data: Float32Array.of(1, 2, 3, -Infinity, 5, 6), rows: 2, columns: 3 },
        /-Infinity at row 1, column 0/,
      ],
      [typed([1, 2, 3, 4, 5, 1e300], 3), /Infinity at row 1, column 2.*float32/],
      [[[1, 2, 1e300]], /Infinity at row 0, column 2.*float32/],
      [[[1, Number.NaN, 3]], /NaN at row 0, column 1/],
      [typed([1, 2, 3, 4], 2), /features have 2 columns, the model has 3/],
      // What is wrong with a number comes before what is wrong with the shape.
      [typed([1, 2, 3, Infinity], 2), /Infinity at row 1, column 1/],
    ];
    for (const [features, message] of wrong) {
      expect(thrownBy(() => model.predict(features as number[][])).message).toMatch(message);
    }
    expect(model.predict([[1, 2, 3]])).toHaveLength(1);
  });

  it('are found in the last of many rows, and by a network with a formula', () => {
    const activation = formulaActivation('max(x, 0)');
    for (const other of [model, networkOf([3, { units: 5, activation }, 2], 'float32')]) {
      const numbers = Float32Array.from({ length: 3000 }, (_, index) => index);
      expect(other.predict({ data: numbers, rows: 1000, columns: 3 })).toHaveLength(1000);
      numbers[2999] = Number.NaN;
      const error = thrownBy(() => other.predict({ data: numbers, rows: 1000, columns: 3 }));
      expect(error.message).toMatch(/NaN at row 999, column 2/);
    }
  });
});

describe('one prediction within another', () => {
  it('of the same model or another gives both what they are due', () => {
    const random = seededRandom(3);
    const rows = Array.from({ length: 50 }, () => Array.from({ length: 4 }, () => standardNormal(random)));
    const other = networkOf([4, 9, 3], 'float32', 5);
    const nested: unknown[] = [];
    let depth = 0;
    const layers: LayerOption[] = [
      { units: 4 },
      {
        units: 6,
        activation: {
          ...formulaActivation('tanh(x)'),
          forward(values, count, columns) {
            if (depth === 1) {
              depth++;
              nested.push(model.predict(rows.slice(0, 7)), other.predict(rows));
              depth--;
            }
            for (let i = 0; i < count * columns; i++) values[i] = Math.tanh(values[i]!);
          },
        },
      },
      { units: 2 },
    ];
    const model = networkOf(layers, 'float32');
    const expected = [model.predict(rows), model.predict(rows.slice(0, 7)), other.predict(rows)];
    depth = 1;
    expect(model.predict(rows)).toEqual(expected[0]);
    expect(nested.slice(0, 2)).toEqual(expected.slice(1));
  });
});
