import { afterEach, describe, expect, test } from 'vitest';
import { kernels } from '../../src/kernels/selection.ts';
import { norm, vectorKernels } from '../../src/kernels/VectorKernels.ts';
import type { Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';
import { exactSum } from './exactSum.ts';

const sizes = [0, 1, 2, 3, 5, 7, 8, 63, 64, 65, 127, 128, 129, 257, 16_384, 16_385, 40_001];
const start = kernels.name;
afterEach(() => kernels.select(start));

function randomValues(dtype: 'float32' | 'float64', length: number, seed: number): Values {
  const random = seededRandom(seed);
  const values = createValues(dtype, length + 5).subarray(5) as Values;
  for (let i = 0; i < length; i++) values[i] = standardNormal(random);
  return values;
}

const product = (x: Values, y: Values): number[] => Array.from(x, (value, i) => value * (y[i] as number));

describe.each(kernels.available)('kernels %s', (name) => {
  test.each(sizes)('dot, norm and largest magnitude of %i values', (length) => {
    kernels.select(name);
    for (const [first, second] of [
      ['float32', 'float32'],
      ['float64', 'float64'],
      ['float32', 'float64'],
      ['float64', 'float32'],
    ] as const) {
      const [x, y] = [randomValues(first, length, 1), randomValues(second, length, 2)];
      const scale = Math.sqrt(length + 1) * 10;
      expect(Math.abs(vectorKernels().dot(x, y) - exactSum(product(x, y)))).toBeLessThanOrEqual(
        1e-13 * scale,
      );
      const squared = exactSum(Array.from(x, (value) => value ** 2));
      expect(Math.abs(vectorKernels().squaredNorm(x) - squared)).toBeLessThanOrEqual(1e-13 * squared);
      expect(Math.abs(norm(x) - Math.sqrt(squared))).toBeLessThanOrEqual(1e-13 * Math.sqrt(squared));
      const largest = Array.from(x).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      expect(vectorKernels().largestMagnitude(x)).toBe(largest);
    }
  });

  test('a norm does not overflow, nor underflow', () => {
    kernels.select(name);
    for (const length of [3, 1_000]) {
      for (const value of [1e300, 1e-300, 5e-324, Number.MAX_VALUE / 64]) {
        const wanted = Math.sqrt(length) * value;
        const got = norm(new Float64Array(length).fill(-value));
        expect(Math.abs(got - wanted)).toBeLessThanOrEqual(Math.max(1e-13 * wanted, 5e-324));
      }
      expect(norm(new Float64Array(length))).toBe(0);
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        const values = new Float64Array(length).fill(1);
        values[length - 1] = value;
        expect(norm(values)).toBe(Math.abs(value));
        expect(vectorKernels().largestMagnitude(Float32Array.from(values))).toBe(Math.abs(value));
      }
    }
  });
});
