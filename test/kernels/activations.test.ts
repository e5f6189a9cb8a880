import { describe, expect, it } from 'vitest';
import { activationCodes } from '../../src/kernels/wasm/codes.ts';
import type { WasmBuild } from '../../src/kernels/wasm/compile.ts';
import { type ActivationName, activationNamed } from '../../src/models/activations.ts';
import type { DataType, Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';
import { seededRandom } from '../../src/random.ts';
import { buildsAndTypes, normalValues, oneLayer, spreadValues, toleranceOf } from './wasmSupport.ts';

const names = [...activationCodes.keys()] as ActivationName[];

const specials = [
  0,
  -0,
  1e-300,
  -1e-300,
  1e-30,
  -1e-30,
  20,
  -20,
  87,
  -87,
  88,
  -88,
  104,
  -104,
  700,
  -700,
  709,
  -709,
  1000,
  -1000,
  1e30,
  -1e30,
  Infinity,
  -Infinity,
  Number.NaN,
];

interface Results {
  readonly outputs: Values;
  readonly slopes: Values;
}

/** Activations of rows × columns and what is left of a delta of `deltas`, by the kernels. */
function byKernels(
  build: WasmBuild,
  dtype: DataType,
  name: ActivationName,
  z: Values,
  deltas: Values,
  columns: number,
): Results {
  const rows = z.length / columns;
  const layer = oneLayer(build, dtype, columns, rows, { activation: name });
  const { stride } = layer.shape.layers[0]!;
  const values = layer.layerView(0, 'values', rows);
  const delta = layer.layerView(0, 'deltas', rows);
  for (let i = 0; i < rows; i++) {
    values.set(z.subarray(i * columns, (i + 1) * columns), i * stride);
    delta.set(deltas.subarray(i * columns, (i + 1) * columns), i * stride);
  }
  layer.code.activateLayer(layer.network, 0, rows);
  const unpad = (padded: Values): Values => {
    const result = createValues(dtype, rows * columns);
    for (let i = 0; i < rows; i++) result.set(padded.subarray(i * stride, i * stride + columns), i * columns);
    return result;
  };
  const outputs = unpad(values);
  layer.code.activationBackward(layer.network, 0, rows);
  const slopes = unpad(delta);
  // What pads a row must add nothing to the gradient.
  for (let i = 0; i < rows; i++) {
    for (let j = columns; j < stride; j++) expect(Math.abs(delta[i * stride + j]!)).toBe(0);
  }
  layer.release();
  return { outputs, slopes };
}

/** The same by the reference, which computes in double precision between arrays of the same type. */
function byReference(name: ActivationName, z: Values, deltas: Values, columns: number): Results {
  const activation = activationNamed(name);
  const inputs = z.slice();
  const outputs = z.slice();
  const slopes = deltas.slice();
  const rows = z.length / columns;
  activation.forward(outputs, rows, columns);
  activation.backward(slopes, outputs, inputs, rows, columns);
  return { outputs, slopes };
}

function worstError(got: Values, wanted: Values, sizes: (index: number) => number): [number, number] {
  let worst = 0;
  let at = -1;
  wanted.forEach((value, index) => {
    const own = got[index]!;
    if (Object.is(own, value) || own === value) return;
    const error = Math.abs(own - value) / sizes(index);
    if (error <= worst) return;
    worst = Number.isNaN(error) ? Infinity : error;
    at = index;
  });
  return [worst, at];
}

describe.each(buildsAndTypes)('%s in %s', (build, dtype) => {
  it.each(names)('%s and its slope are those of the reference at every distance from 0', (name) => {
    const columns = 7;
    const z = spreadValues(dtype, 7 * 300, 1, 40);
    const deltas = normalValues(dtype, z.length, seededRandom(2));
    const got = byKernels(build, dtype, name, z, deltas, columns);
    const wanted = byReference(name, z, deltas, columns);
    // Softmax sums over its row; the others are as near as their own size asks, slopes as that of the delta.
    const [outputError, outputAt] = worstError(got.outputs, wanted.outputs, (index) =>
      Math.max(Math.abs(wanted.outputs[index]!), dtype === 'float32' ? 1e-30 : 1e-300),
    );
    expect(outputError, `at z = ${z[outputAt]}`).toBeLessThan(toleranceOf[dtype]);
    const [slopeError, slopeAt] = worstError(got.slopes, wanted.slopes, (index) => {
      if (name === 'softmax') return 4;
      return Math.abs(deltas[index]!) * Math.max(1, Math.abs(wanted.outputs[index]!));
    });
    expect(slopeError, `at z = ${z[slopeAt]}`).toBeLessThan(toleranceOf[dtype]);
  });

  it.each(
    names.filter((name) => name !== 'softmax'),
  )('%s of what is special is that of the reference', (name) => {
    const z = createValues(dtype, specials.length);
    z.set(specials);
    const ones = createValues(dtype, z.length).fill(1);
    const got = byKernels(build, dtype, name, z, ones, 1);
    const wanted = byReference(name, z, ones, 1);
    const least = dtype === 'float32' ? 1e-37 : 1e-307;
    for (const kind of ['outputs', 'slopes'] as const) {
      wanted[kind].forEach((value, index) => {
        const own = got[kind][index]!;
        const isSame = Object.is(own, value) || own === value;
        // Below the least normal number the kernels have 0.
        const slack = least * Math.max(1, Math.min(1e30, Math.abs(z[index]!)));
        // A slope that is taken from a value near its limit has the value's last bit for an error.
        const size = kind === 'slopes' ? Math.max(Math.abs(value), 0.03) : Math.abs(value);
        const isNear = Math.abs(own - value) <= toleranceOf[dtype] * size + slack;
        expect(isSame || isNear, `${kind} of ${z[index]}: ${own}, expected ${value}`).toBe(true);
      });
    }
  });

  it('softmax of what is special is that of the reference', () => {
    const rows = [
      [0, 0, 0, 0, 0],
      [1000, -1000, 0, 999, 1000],
      [-1000, -1001, -2000, -1e30, -1000],
      [Number.NaN, 1, 2, 3, 4],
      [1, 2, Number.NaN, 3, 4],
      [Infinity, 1, 2, 3, 4],
      [-Infinity, 1, 2, 3, 4],
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [700, -700, 1e-300, -0, 0],
    ];
    const z = createValues(dtype, 5 * rows.length);
    z.set(rows.flat());
    const deltas = normalValues(dtype, z.length, seededRandom(3));
    const got = byKernels(build, dtype, 'softmax', z, deltas, 5);
    const wanted = byReference('softmax', z, deltas, 5);
    for (const kind of ['outputs', 'slopes'] as const) {
      const [error, at] = worstError(got[kind], wanted[kind], () => 1);
      expect(error, `${kind} at ${at}`).toBeLessThan(toleranceOf[dtype]);
    }
  });

  it('activates rows of any width, and leaves what lies behind the last row alone', () => {
    for (const columns of [1, 2, 3, 5, 7, 8, 63, 64, 65]) {
      for (const name of names) {
        const z = spreadValues(dtype, 3 * columns, columns, 5);
        const deltas = normalValues(dtype, z.length, seededRandom(4));
        const got = byKernels(build, dtype, name, z, deltas, columns);
        const wanted = byReference(name, z, deltas, columns);
        const [error] = worstError(got.outputs, wanted.outputs, () => 1);
        expect(error).toBeLessThan(toleranceOf[dtype]);
        const layer = oneLayer(build, dtype, columns, 2, { activation: name });
        const { stride } = layer.shape.layers[0]!;
        const values = layer.layerView(0, 'values', 2).fill(0.5);
        layer.code.activateLayer(layer.network, 0, 1);
        expect(Array.from(values.subarray(stride))).toEqual(new Array(stride).fill(0.5));
        layer.release();
      }
    }
  });
});
