import { describe, expect, it } from 'vitest';
import type { WasmBuild } from '../../src/kernels/wasm/compile.ts';
import type { ActivationName } from '../../src/models/activations.ts';
import type { DataType, Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';
import { seededRandom } from '../../src/random.ts';
import { buildsAndTypes, oneLayer, unitsApart } from './wasmSupport.ts';

function activated(build: WasmBuild, dtype: DataType, name: ActivationName, z: Values): Values {
  const layer = oneLayer(build, dtype, 1, z.length, { activation: name });
  const { stride } = layer.shape.layers[0]!;
  const values = layer.layerView(0, 'values', z.length);
  z.forEach((value, row) => {
    values[row * stride] = value;
  });
  layer.code.activateLayer(layer.network, 0, z.length);
  const result = createValues(dtype, z.length);
  for (let row = 0; row < z.length; row++) result[row] = values[row * stride]!;
  layer.release();
  return result;
}

/** The largest distance from a function in units in the last place. */
function worstUnits(got: Values, z: Values, exact: (z: number) => number, dtype: DataType): number {
  let worst = 0;
  z.forEach((value, index) => {
    worst = Math.max(worst, unitsApart(got[index]!, exact(value), dtype));
  });
  return worst;
}

function between(dtype: DataType, low: number, high: number, count: number): Values {
  const random = seededRandom(11);
  const values = createValues(dtype, count);
  for (let i = 0; i < count; i++) values[i] = low + (high - low) * random.next();
  return values;
}

// Each function is reached through the activation that is nothing else.
describe.each(buildsAndTypes)('%s in %s', (build, dtype) => {
  const deep = dtype === 'float32' ? 87 : 708;

  it('e^x is within two units in the last place', () => {
    // e^−z² of a z whose square is exact.
    const steps = dtype === 'float32' ? 128 : 2 ** 20;
    const z = between(dtype, 0, Math.sqrt(deep), 20_000).map((value) => Math.floor(value * steps) / steps);
    const got = activated(build, dtype, 'gaussian', z);
    expect(worstUnits(got, z, (value) => Math.exp(-value * value), dtype)).toBeLessThan(2);
  });

  it('e^x − 1 is within three units in the last place, near 0 too', () => {
    for (const low of [-deep, -2, -0.5, -1e-3, -1e-12]) {
      const z = between(dtype, low, 0, 10_000);
      const got = activated(build, dtype, 'elu', z);
      expect(worstUnits(got, z, Math.expm1, dtype), `from ${low}`).toBeLessThan(3);
    }
  });

  it('log(1 + e^x) is within five units in the last place', () => {
    // Below −10 an error of e^x comes through whole.
    for (const [low, high] of [
      [-10, 10],
      [-1, 1],
      [-deep, -10],
      [10, 60],
    ] as const) {
      const z = between(dtype, low, high, 10_000);
      const got = activated(build, dtype, 'softplus', z);
      const exact = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
      expect(worstUnits(got, z, exact, dtype), `from ${low}`).toBeLessThan(5);
    }
  });

  it('sigmoid is within three units in the last place, tanh within four', () => {
    const z = between(dtype, -18, 18, 20_000);
    const sigmoid = (x: number): number => {
      const e = Math.exp(-Math.abs(x));
      return (x < 0 ? e : 1) / (1 + e);
    };
    expect(worstUnits(activated(build, dtype, 'sigmoid', z), z, sigmoid, dtype)).toBeLessThan(3);
    for (const reach of [18, 1, 1e-3, 1e-9]) {
      const x = between(dtype, -reach, reach, 10_000);
      expect(worstUnits(activated(build, dtype, 'tanh', x), x, Math.tanh, dtype), `to ${reach}`).toBeLessThan(
        4,
      );
    }
  });

  it('log x is within a unit in the last place of a double', () => {
    // The cross-entropy of n equal logits is log n.
    for (let n = 1; n <= 300; n++) {
      const targets = { kind: 'classes', indices: new Int32Array(1) } as const;
      const layer = oneLayer(build, dtype, n, 1, { activation: 'softmax', loss: 'crossEntropy', targets });
      const cost = layer.code.loss(layer.network, 0, 0, 1, 0);
      expect(unitsApart(cost, Math.log(n), 'float64'), `log ${n}`).toBeLessThan(1.5);
      layer.release();
    }
  });
});
