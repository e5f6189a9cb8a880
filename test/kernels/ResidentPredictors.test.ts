import { describe, expect, it } from 'vitest';
import { kernels, selectedBuild } from '../../src/kernels/selection.ts';
import type { NetworkShape } from '../../src/kernels/wasm/networkShape.ts';
import { shapeForPredictions } from '../../src/kernels/wasm/networkShape.ts';
import { ResidentPredictors } from '../../src/kernels/wasm/ResidentPredictors.ts';
import type { WasmPredictor } from '../../src/kernels/wasm/WasmPredictor.ts';
import { residentPredictorBytesMax } from '../../src/limits.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { planLayers } from '../../src/models/networkLayers.ts';
import { normalRows, relativeDistance } from '../models/support.ts';

const build = selectedBuild();

function shapeOf(...layers: number[]): NetworkShape {
  return shapeForPredictions(planLayers(layers, undefined, undefined), 'float64') as NetworkShape;
}

/** z = 2 x of a network of one layer, one input and one output. */
function ask(predictor: WasmPredictor, x: number): number {
  const outputs = new Float64Array(1);
  expect(predictor.predict(Float64Array.of(x), 1, outputs)).toBe(true);
  return outputs[0]!;
}

describe.runIf(build !== undefined)('resident predictors', () => {
  const simd = build as NonNullable<typeof build>;
  const create = (residents: ResidentPredictors, rows = 1): WasmPredictor => {
    const predictor = residents.create(simd, shapeOf(1, 1), rows, {}) as WasmPredictor;
    predictor.load(Float64Array.of(2, 0));
    return predictor;
  };

  it('stay while there is room, and those go first that were unused longest', () => {
    const bytes = create(new ResidentPredictors(2 ** 20)).bytes;
    const residents = new ResidentPredictors(8 * bytes);
    const predictors = Array.from({ length: 8 }, () => create(residents));
    expect(residents.bytes).toBe(8 * bytes);
    const [first, second, third, ...others] = predictors as [WasmPredictor, WasmPredictor, WasmPredictor];
    for (const predictor of [first, third, ...others]) residents.use(predictor);
    const last = create(residents);
    expect(residents.bytes).toBeLessThanOrEqual(8 * bytes);
    // The second, and the least used of the rest, since room is made for several at once.
    expect(second.suits(simd, 1)).toBe(false);
    for (const predictor of [...(others as WasmPredictor[]), last]) {
      expect(predictor.suits(simd, 1)).toBe(true);
      expect(ask(predictor, 3)).toBe(6);
    }
  });

  it('are never more bytes than the limit, however many come and go', () => {
    const residents = new ResidentPredictors(2 ** 18);
    let most = 0;
    for (let i = 0; i < 500; i++) {
      const predictor = residents.create(simd, shapeOf(1 + (i % 37), 1 + (i % 11)), 1 + (i % 90), {});
      expect(predictor).toBeDefined();
      if (i % 3 === 0) residents.release(predictor as WasmPredictor);
      most = Math.max(most, residents.bytes);
      expect(residents.count).toBeGreaterThanOrEqual(i % 3 === 0 ? 0 : 1);
    }
    expect(most).toBeLessThanOrEqual(2 ** 18);
    expect(most).toBeGreaterThan(2 ** 17);
  });

  it('are refused where one alone is beyond the limit; it may pass through', () => {
    const residents = new ResidentPredictors(2 ** 12);
    const shape = shapeOf(100, 100);
    expect(residents.create(simd, shape, 1, {})).toBeUndefined();
    const passing = residents.createPassing(simd, shape, 1);
    expect(passing?.suits(simd, 1)).toBe(true);
    passing?.release();
    expect(passing?.suits(simd, 1)).toBe(false);
    expect(residents.bytes).toBe(0);
  });

  it('suit the kernels that they were made for, and few rows or many', () => {
    const residents = new ResidentPredictors(2 ** 20);
    const few = create(residents, 1);
    const many = create(residents, 100);
    expect(few.bytes).toBeLessThan(many.bytes);
    expect([1, 4, 5].map((rows) => few.suits(simd, rows))).toEqual([true, true, false]);
    expect([1, 4, 5, 1e6].map((rows) => many.suits(simd, rows))).toEqual([true, true, true, true]);
    expect(few.suits(simd === 'simd' ? 'relaxedSimd' : 'simd', 1)).toBe(false);
  });

  it('release what is released once only', () => {
    const residents = new ResidentPredictors(2 ** 20);
    const predictor = create(residents);
    residents.release(predictor);
    residents.release(predictor);
    predictor.release();
    expect([residents.bytes, residents.count]).toEqual([0, 0]);
  });
});

/** A regression of so many columns whose parameters are all 0; it starts without drawing any. */
function regressionOf(inputs: number, outputs: number): LinearRegression {
  const model = new LinearRegression({ dtype: 'float32' });
  model.train([new Float32Array(inputs)], [Array.from({ length: outputs }, () => 0)], {
    maximumNumberOfIterations: 0,
  });
  return model;
}

describe('more models than there is room for', () => {
  it('predict right, whoever comes next', () => {
    // Two megabytes each.
    const [inputs, outputs] = [700, 750];
    const count = Math.ceil((1.3 * residentPredictorBytesMax) / (4 * inputs * outputs));
    const models = Array.from({ length: count }, () => regressionOf(inputs, outputs));
    models.forEach((model, index) => {
      const parameters = model.getModelParameters();
      parameters.values[parameters.values.length - 1] = index;
      model.setModelParameters(parameters);
    });
    const row = normalRows(1, inputs, 2);
    for (let turn = 0; turn < 3; turn++) {
      for (let i = 0; i < count; i++) {
        const index = turn === 1 ? count - 1 - i : i;
        expect(models[index]!.predict(row)[0]![outputs - 1]).toBe(index);
      }
    }
  });

  it('a model beyond the room of all predicts with the same bits in every batch', () => {
    const [inputs, outputs] = [4200, 4100];
    expect(4 * inputs * outputs).toBeGreaterThan(residentPredictorBytesMax);
    const model = regressionOf(inputs, outputs);
    const parameters = model.getModelParameters();
    for (let i = 0; i < parameters.values.length; i++) parameters.values[i] = ((i % 1009) - 504) / 504;
    model.setModelParameters(parameters);
    const rows = normalRows(5, inputs, 4);
    const together = model.predict(rows);
    expect(rows.slice(0, 2).map((row) => model.predict([row])[0])).toEqual(together.slice(0, 2));
    const before = kernels.name;
    kernels.select('reference');
    const expected = model.predict(rows.slice(0, 1));
    kernels.select(before);
    expect(relativeDistance(together[0]!, expected[0]!)).toBeLessThan(1e-5);
  });
});
