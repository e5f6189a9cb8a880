import { describe, expect, it } from 'vitest';
import { addProduct, rowMajor, transposed } from '../../src/kernels/multiply.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';

const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65];
const offsets = { target: 3, a: 2, b: 5 };

function filled(length: number, dtype: 'float32' | 'float64', seed: number): Float32Array | Float64Array {
  const random = seededRandom(seed);
  const values = dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  for (let i = 0; i < length; i++) values[i] = standardNormal(random);
  return values;
}

/** Compares one product with the textbook; returns the first index that differs, or −1. */
function check(
  m: number,
  n: number,
  k: number,
  dtype: 'float32' | 'float64',
  aT: boolean,
  bT: boolean,
): number {
  const a = filled(offsets.a + m * k + 1, dtype, m + 1);
  const b = filled(offsets.b + k * n + 1, dtype, n + 2);
  const target = filled(offsets.target + m * n + 4, dtype, k + 3);
  const wanted = target.slice();
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) {
        const x = a[offsets.a + (aT ? p * m + i : i * k + p)]!;
        sum += x * b[offsets.b + (bT ? j * k + p : p * n + j)]!;
      }
      wanted[offsets.target + i * n + j]! += sum;
    }
  }
  const left = aT ? transposed(a, offsets.a, m) : rowMajor(a, offsets.a, k);
  const right = bT ? transposed(b, offsets.b, k) : rowMajor(b, offsets.b, n);
  addProduct(target, offsets.target, left, right, m, n, k);
  return target.findIndex((value, i) => !Object.is(value, wanted[i]));
}

// The sums run in float64 in the order of k, as in the textbook, so the results are the same bit for bit.
describe.each(['float32', 'float64'] as const)('addProduct in %s', (dtype) => {
  it.each([
    ['A·B', false, false],
    ['Aᵀ·B', true, false],
    ['A·Bᵀ', false, true],
    ['Aᵀ·Bᵀ', true, true],
  ] as const)('%s is the textbook loop for every shape, and writes nowhere else', (_name, aT, bT) => {
    const wrong: string[] = [];
    for (const m of sizes) {
      for (const n of sizes) {
        for (const k of sizes) {
          const at = check(m, n, k, dtype, aT, bT);
          if (at >= 0) wrong.push(`${m}×${n}×${k} at ${at}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

it('float32 operands into a float64 target keep the precision of the sum', () => {
  const a = Float32Array.of(1e8, 1, -1e8);
  const b = Float32Array.of(1, 1, 1);
  const target = new Float64Array(1);
  addProduct(target, 0, rowMajor(a, 0, 3), rowMajor(b, 0, 1), 1, 1, 3);
  expect(target[0]).toBe(1);
});
