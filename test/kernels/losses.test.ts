import { describe, expect, it } from 'vitest';
import type { WasmBuild } from '../../src/kernels/wasm/compile.ts';
import { createLoss } from '../../src/models/createLoss.ts';
import type { LossOption, Targets } from '../../src/models/losses.ts';
import type { DataType, Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';
import { seededRandom } from '../../src/random.ts';
import { buildsAndTypes, normalValues, oneLayer, toleranceOf } from './wasmSupport.ts';

interface Judged {
  readonly cost: number;
  readonly slopes: Values;
}

interface Batch {
  readonly outputs: Values;
  readonly columns: number;
  readonly targets: Targets;
  readonly order?: Int32Array;
  readonly first: number;
  readonly rows: number;
}

function byKernels(build: WasmBuild, dtype: DataType, loss: LossOption, batch: Batch): Judged {
  const { outputs, columns, targets, order, first, rows } = batch;
  const count = targets.kind === 'rows' ? targets.values.length / targets.columns : targets.indices.length;
  const { fusesWith: activation = 'tanh' } = createLoss(loss);
  const layer = oneLayer(build, dtype, columns, count, { loss, targets, activation });
  const { stride } = layer.shape.layers[0]!;
  const values = layer.layerView(0, 'values', rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) values[i * stride + j] = outputs[i * columns + j]!;
  }
  layer.setOrder(order);
  const sum = layer.code.loss(layer.network, layer.orderAddress, first, rows, 10 * layer.costDivisor);
  const deltas = layer.layerView(0, 'deltas', rows);
  const slopes = createValues(dtype, rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < stride; j++) {
      if (j < columns) slopes[i * columns + j] = deltas[i * stride + j]!;
      else if (Number.isFinite(sum)) expect(Math.abs(deltas[i * stride + j]!)).toBe(0);
    }
  }
  const cost = sum / layer.costDivisor - 10;
  layer.release();
  return { cost, slopes };
}

function byReference(loss: LossOption, batch: Batch): Judged {
  const { outputs, columns, targets, order, first, rows } = batch;
  const delta = new Float64Array(rows * columns);
  const cost = createLoss(loss).evaluate({ outputs, delta, targets, rows, columns, order, first });
  return { cost, slopes: delta };
}

const lossesOfRows: LossOption[] = ['meanSquaredError', 'huber', { name: 'huber', delta: 0.3 }];

function rowTargets(loss: LossOption, dtype: DataType, rows: number, columns: number, seed: number): Targets {
  const random = seededRandom(seed);
  const values = createValues(dtype, rows * columns);
  for (let i = 0; i < values.length; i++) {
    if (loss === 'binaryCrossEntropy') values[i] = random.next();
    else if (loss === 'hinge') values[i] = random.next() < 0.5 ? -1 : 1;
    else values[i] = 3 * random.next() - 1;
  }
  return { kind: 'rows', values, columns };
}

function classTargets(rows: number, classes: number, seed: number): Targets {
  const random = seededRandom(seed);
  return {
    kind: 'classes',
    indices: Int32Array.from({ length: rows }, () => Math.floor(random.next() * classes)),
  };
}

function expectSame(got: Judged, wanted: Judged, magnitude: number, dtype: DataType, what: string): void {
  const tolerance = toleranceOf[dtype];
  expect(Math.abs(got.cost - wanted.cost), `cost of ${what}`).toBeLessThanOrEqual(tolerance * magnitude);
  let worst = 0;
  wanted.slopes.forEach((slope, i) => {
    worst = Math.max(worst, Math.abs(got.slopes[i]! - slope));
  });
  expect(worst, `slopes of ${what}`).toBeLessThanOrEqual(tolerance * Math.max(1, magnitude / 100));
}

describe.each(buildsAndTypes)('%s in %s', (build, dtype) => {
  const cases: [string, LossOption, 'rows' | 'classes'][] = [
    ...lossesOfRows.map((loss): [string, LossOption, 'rows'] => [JSON.stringify(loss), loss, 'rows']),
    ['binaryCrossEntropy of soft labels', 'binaryCrossEntropy', 'rows'],
    ['hinge of signs', 'hinge', 'rows'],
    ['hinge of classes', 'hinge', 'classes'],
    ['crossEntropy', 'crossEntropy', 'classes'],
  ];

  it.each(
    cases,
  )('%s: cost and slopes are those of the reference, in any order of rows', (_name, loss, kind) => {
    for (const columns of [1, 2, 3, 5, 7, 8, 63, 64, 65, 257]) {
      for (const rows of [1, 2, 3, 5, 7, 8]) {
        const data = rows + 3;
        const targets =
          kind === 'rows'
            ? rowTargets(loss, dtype, data, columns, columns)
            : classTargets(data, columns === 1 ? 2 : columns, columns);
        // One output of binary cross-entropy is a regression, whose kernel is another.
        if (columns === 1 && (loss === 'crossEntropy' || loss === 'binaryCrossEntropy')) continue;
        const outputs = normalValues(dtype, rows * columns, seededRandom(rows)).map((z) => 4 * z);
        const order = Int32Array.from({ length: data }, (_, i) => (i * 5 + 2) % data);
        for (const batch of [
          { outputs, columns, targets, first: 2, rows },
          ...(data % 5 === 0 ? [] : [{ outputs, columns, targets, first: 1, rows, order }]),
        ]) {
          const got = byKernels(build, dtype, loss, batch);
          expectSame(got, byReference(loss, batch), 20 + 20 * rows, dtype, `${rows}×${columns}`);
        }
      }
    }
  });

  it('stays finite for huge logits, and near 0 has the digits of a small cost', () => {
    const outputs = createValues(dtype, 6);
    outputs.set([1000, -1000, 700, -700, 30, -30]);
    for (const loss of ['binaryCrossEntropy', 'hinge'] as const) {
      const targets: Targets = { kind: 'rows', values: createValues(dtype, 6), columns: 6 };
      targets.values.set(loss === 'hinge' ? [1, -1, -1, 1, 1, -1] : [1, 0, 0, 1, 1, 0]);
      const batch = { outputs, columns: 6, targets, first: 0, rows: 1 };
      expectSame(byKernels(build, dtype, loss, batch), byReference(loss, batch), 300, dtype, loss);
    }
    const targets = classTargets(1, 6, 1);
    for (let wanted = 0; wanted < 6; wanted++) {
      (targets as { indices: Int32Array }).indices[0] = wanted;
      const batch = { outputs, columns: 6, targets, first: 0, rows: 1 };
      expectSame(
        byKernels(build, dtype, 'crossEntropy', batch),
        byReference('crossEntropy', batch),
        2000,
        dtype,
        `${wanted}`,
      );
    }
  });

  it('a cost of what is not finite is not finite', () => {
    const rowsOf: [LossOption, number][] = [
      ['meanSquaredError', 4],
      ['huber', 4],
      ['hinge', 4],
      ['binaryCrossEntropy', 4],
      ['crossEntropy', 4],
      ['crossEntropy', 3],
      ['crossEntropy', 9],
    ];
    for (const [loss, columns] of rowsOf) {
      for (const bad of [Number.NaN, Infinity, -Infinity]) {
        for (let place = 0; place < columns; place++) {
          for (const row of [0, 3, 4]) {
            const outputs = normalValues(dtype, 5 * columns, seededRandom(1));
            outputs[row * columns + place] = bad;
            const targets =
              loss === 'crossEntropy' ? classTargets(5, columns, 3) : rowTargets(loss, dtype, 5, columns, 3);
            const batch = { outputs, columns, targets, first: 0, rows: 5 };
            const wanted = byReference(loss, batch);
            const got = byKernels(build, dtype, loss, batch);
            const what = `${JSON.stringify(loss)} of ${bad} at ${row}, ${place}`;
            expect(Number.isFinite(got.cost), what).toBe(Number.isFinite(wanted.cost));
          }
        }
      }
    }
  });
});
