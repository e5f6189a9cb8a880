import fc from 'fast-check';
import type { ActivationName, Architecture, JsonValue, Label, TensorArrays } from 'mainstem';
import { LinearRegression, LogisticRegression, ModelParameters, NeuralNetwork, seededRandom } from 'mainstem';
import { exportOnnx } from 'mainstem/files';
import { describe, expect, it } from 'vitest';
import { standardNormal } from '../../src/random.ts';
import { normalRows, randomise } from '../models/support.ts';
import { referenceActivations, referenceNetwork } from './onnxReference.ts';
import { installCommand, runOnnx, runtime } from './runOnnx.ts';

const run = runtime === undefined ? describe.skip : describe;
const title = (text: string): string =>
  runtime === undefined ? `${text} (skipped: needs ${installCommand})` : text;

/** The largest |got − expected| in units of 1e-6 + 1e-6 · |expected|. */
function distance(got: readonly number[][], expected: readonly number[][]): number {
  expect(got.map((row) => row.length)).toEqual(expected.map((row) => row.length));
  let largest = 0;
  expected.forEach((row, i) => {
    row.forEach((value, j) => {
      largest = Math.max(largest, Math.abs(got[i]![j]! - value) / (1e-6 + 1e-6 * Math.abs(value)));
    });
  });
  return largest;
}

/** Parameters of a network made by hand, normal numbers with deviation √(1/inputs), as float32. */
function networkParameters(
  units: readonly number[],
  activations: readonly string[],
  rest: { seed: number; preprocessing?: JsonValue },
): ModelParameters {
  const { seed, ...more } = rest;
  const random = seededRandom(seed, 3);
  const arrays: Record<string, TensorArrays[string]> = {};
  activations.forEach((_, layer) => {
    const [inputs, outputs] = [units[layer]!, units[layer + 1]!];
    const normal = (): number => standardNormal(random) / Math.sqrt(inputs);
    arrays[`layers.${layer}.weights`] = Array.from({ length: inputs }, () =>
      Array.from({ length: outputs }, normal),
    );
    arrays[`layers.${layer}.bias`] = Array.from({ length: outputs }, normal);
  });
  const architecture: Architecture = {
    model: 'NeuralNetwork',
    activations,
    loss: 'meanSquaredError',
    ...more,
  };
  return ModelParameters.fromArrays(arrays, { architecture, dtype: 'float32' });
}

const float32Rows = (rows: number, columns: number, seed: number): number[][] =>
  normalRows(rows, columns, seed).map((row) => row.map(Math.fround));

run(title('an exported model in onnxruntime'), () => {
  const features = float32Rows(40, 5, 1);

  it.each([1, 3])('is a linear regression of %i outputs', async (outputs) => {
    const model = new LinearRegression({ dtype: 'float32' });
    model.train(
      features,
      features.map((row) => row.slice(0, outputs)),
      { maximumNumberOfIterations: 0 },
    );
    randomise(model, 2);
    const { input, output, rows } = await runOnnx(exportOnnx(model).bytes, features);
    expect([input, output]).toEqual(['features', 'predictions']);
    expect(distance(rows, model.predict(features))).toBeLessThan(1);
  });

  it.each([2, 3, 7])('is a logistic regression of %i classes', async (classes) => {
    for (const fitIntercept of [true, false]) {
      const model = new LogisticRegression({ dtype: 'float32', fitIntercept });
      model.train(
        features,
        features.map((_, row) => `class ${row % classes}`),
      );
      randomise(model, classes);
      const { output, rows } = await runOnnx(exportOnnx(model).bytes, features);
      expect(output).toBe('probabilities');
      expect(distance(rows, model.predictProbabilities(features))).toBeLessThan(1);
      const { classes: labels } = exportOnnx(model);
      const best = rows.map((row) => labels?.[row.indexOf(Math.max(...row))]);
      expect(best).toEqual(model.predict(features));
    }
  });

  it('is a network that classifies', async () => {
    const model = new NeuralNetwork({
      layers: [5, { units: 16, activation: 'tanh' }, 8, 4],
      classes: [1, 2, 3, 4],
    });
    randomise(model, 4);
    const exported = exportOnnx(model);
    const { rows } = await runOnnx(exported.bytes, features);
    expect(distance(rows, model.predictProbabilities(features))).toBeLessThan(1);
    expect(exported.largestRounding).toBe(0);
  });

  it.each([2, 3])('is a network with loss hinge and %i classes, which gives margins', async (count) => {
    const classes = ['a', 'b', 'c'].slice(0, count);
    const model = new NeuralNetwork({ layers: [5, 6, count === 2 ? 1 : count], loss: 'hinge', classes });
    randomise(model, 6);
    const { output, rows } = await runOnnx(exportOnnx(model).bytes, features);
    expect(output).toBe('margins');
    expect(rows.map((row) => classes[row.indexOf(Math.max(...row))])).toEqual(model.predict(features));
    expect(new Set(model.predict(features) as Label[]).size).toBe(count);
  });

  it.each(
    Object.keys(referenceActivations) as ActivationName[],
  )('predicts what the network does with %s', async (activation) => {
    const model = new NeuralNetwork({ layers: [5, { units: 9, activation }, 2] });
    randomise(model, 7);
    const { rows } = await runOnnx(exportOnnx(model).bytes, features);
    expect(distance(rows, model.predict(features) as number[][])).toBeLessThan(1);
  });

  it.each([1, 2, 100])('takes batches of %i rows', async (count) => {
    const model = new NeuralNetwork({ layers: [5, 6, { units: 2, activation: 'sigmoid' }] });
    randomise(model, 5);
    const some = float32Rows(count, 5, count);
    const { rows } = await runOnnx(exportOnnx(model).bytes, some);
    expect(distance(rows, model.predict(some) as number[][])).toBeLessThan(1);
  });

  it.each(
    Object.keys(referenceActivations),
  )('knows the activation %s, hidden and last', async (activation) => {
    const parameters = networkParameters([5, 9, 4], [activation, activation], { seed: 6 });
    const wide = features.map((row) => row.map((x) => Math.fround(x * 3)));
    const { rows } = await runOnnx(exportOnnx(parameters).bytes, wide);
    expect(distance(rows, referenceNetwork(parameters, wide))).toBeLessThan(1);
  });

  it.each(Object.keys(referenceActivations))('computes %s far from 0 too', async (activation) => {
    const parameters = ModelParameters.fromArrays(
      {
        'layers.0.weights': [
          [1, 0],
          [0, 1],
        ],
        'layers.0.bias': [0, 0],
      },
      { architecture: { model: 'NeuralNetwork', activations: [activation] }, dtype: 'float32' },
    );
    const far = [-80, -20, -8, -3, -1, -1e-3, 0, 1e-3, 1, 3, 8, 20, 80].map((x) => [x, -x / 2]);
    const { rows } = await runOnnx(
      exportOnnx(parameters).bytes,
      far.map((row) => row.map(Math.fround)),
    );
    expect(
      distance(
        rows,
        referenceNetwork(
          parameters,
          far.map((row) => row.map(Math.fround)),
        ),
      ),
    ).toBeLessThan(1);
  });

  it('is any network', async () => {
    const names = Object.keys(referenceActivations);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ units: fc.integer({ min: 1, max: 12 }), name: fc.constantFrom(...names) }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(1000),
        async (layers, inputs, seed) => {
          const units = [inputs, ...layers.map((layer) => layer.units)];
          const parameters = networkParameters(
            units,
            layers.map(({ name }) => name),
            { seed },
          );
          const some = float32Rows(6, inputs, seed);
          const { rows } = await runOnnx(exportOnnx(parameters).bytes, some);
          expect(distance(rows, referenceNetwork(parameters, some))).toBeLessThan(1);
        },
      ),
      { numRuns: 40 },
    );
  });
});

run(title('an exported model of float64'), () => {
  it('differs by what rounding its parameters does', async () => {
    const features = float32Rows(40, 5, 8);
    const model = new NeuralNetwork({ layers: [5, { units: 16, activation: 'tanh' }, 3], dtype: 'float64' });
    randomise(model, 9);
    const { bytes, largestRounding } = exportOnnx(model);
    const expected = model.getModelParameters().values.map((value) => Math.abs(value - Math.fround(value)));
    expect(largestRounding).toBe(Math.max(...expected));
    expect(largestRounding).toBeGreaterThan(0);
    const { rows } = await runOnnx(bytes, features);
    expect(distance(rows, model.predict(features) as number[][])).toBeLessThan(1);
  });
});

run(title('preprocessing in an exported model'), () => {
  const columns = 6;
  const standardScaler = {
    name: 'standardScaler',
    columns: [0, 4],
    mean: [1000.1, -3],
    deviation: [20.7, 0],
  };
  const minMaxScaler = {
    name: 'minMaxScaler',
    columns: [2, 3],
    minimum: [-5, 7],
    maximum: [15.5, 7],
    range: [-1, 1],
  };
  const oneHotEncoder = {
    name: 'oneHotEncoder',
    columns: [1, 5],
    categories: [[0, 2.5, -7], [1]],
    unknown: 'ignore',
  };
  const rows = normalRows(30, columns, 11).map((row, i) =>
    [1000 + 20 * row[0]!, [0, 2.5, -7, 99][i % 4]!, 5 * row[2]!, 7 + row[3]!, row[4]! - 3, i % 2].map(
      Math.fround,
    ),
  );

  it.each([
    ['no steps', [], 6],
    ['a standard scaler', [standardScaler], 6],
    ['a min-max scaler', [minMaxScaler], 6],
    ['both', [minMaxScaler, standardScaler], 6],
    ['an encoder', [oneHotEncoder], 8],
    ['all', [oneHotEncoder, standardScaler, minMaxScaler], 8],
    [
      'an encoder of the first and last columns',
      [
        {
          ...oneHotEncoder,
          columns: [0, 5],
          categories: [
            [rows[3]![0]!, 1],
            [1, 0],
          ],
        },
      ],
      8,
    ],
    ['an encoder that drops a column', [{ ...oneHotEncoder, columns: [1], categories: [[]] }], 5],
  ])('is %s', async (_name, steps, made) => {
    const parameters = networkParameters([made, 7, 3], ['relu', 'identity'], {
      seed: 12,
      preprocessing: { columns, steps } as JsonValue,
    });
    const exported = exportOnnx(parameters);
    expect(exported.input.columns).toBe(columns);
    const result = await runOnnx(exported.bytes, rows);
    const expected = referenceNetwork(parameters, rows);
    expect(distance(result.rows, expected)).toBeLessThan(1);
  });

  it('is that of models that were trained behind it', async () => {
    const steps = [
      { name: 'standardScaler', columns: [0, 4] },
      { name: 'minMaxScaler', columns: [2, 3], range: [-1, 1] },
      { name: 'oneHotEncoder', columns: [1, 5] },
    ] as const;
    const labels = rows.map((_, row) => ['x', 'y', 'z'][row % 3]!);
    const options = { preprocessing: steps, maximumNumberOfIterations: 5 };
    for (const model of [
      new NeuralNetwork(options),
      new LogisticRegression({ ...options, dtype: 'float32' }),
    ]) {
      model.train(rows, labels);
      const exported = exportOnnx(model);
      expect(exported.input.columns).toBe(columns);
      const result = await runOnnx(exported.bytes, rows);
      expect(distance(result.rows, model.predictProbabilities(rows))).toBeLessThan(1);
    }
  });
});
