import fc from 'fast-check';
import { expect, test } from 'vitest';
import { largestMagnitudes } from '../../src/kernels/topK.ts';
import type { Values } from '../../src/parameters/values.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';

/** By a full sort: the largest first, of equal ones the first. */
function bySorting(values: Values, k: number): number[] {
  const magnitudes = Array.from(values, (value) => (Number.isNaN(value) ? Infinity : Math.abs(value)));
  const isNan = Array.from(values, (value) => (Number.isNaN(value) ? 1 : 0));
  const places = magnitudes.map((_, place) => place);
  places.sort(
    (a, b) =>
      (isNan[b] as number) - (isNan[a] as number) ||
      ((magnitudes[b] as number) > (magnitudes[a] as number) ? 1 : 0) -
        ((magnitudes[a] as number) > (magnitudes[b] as number) ? 1 : 0) ||
      a - b,
  );
  return places.slice(0, k).sort((a, b) => a - b);
}

const sizes = [0, 1, 2, 3, 5, 7, 8, 63, 64, 65, 257];
const types = [Float32Array, Float64Array] as const;

test.each(types)('are those of a full sort, in %o', (type) => {
  const number = fc.oneof(
    fc.double({ noDefaultInfinity: true }),
    // Many ties, in magnitude too.
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(0, -0, 5e-324, 1e-45, Infinity, -Infinity, Number.MAX_VALUE),
  );
  fc.assert(
    fc.property(fc.array(number, { maxLength: 80 }), fc.nat(90), fc.nat(3), (numbers, k, skipped) => {
      const values = type.from([...new Array<number>(skipped).fill(7), ...numbers]).subarray(skipped);
      expect(Array.from(largestMagnitudes(values, k))).toEqual(bySorting(values, k));
    }),
    { numRuns: 400 },
  );
});

test.each(types)('of all sizes, in %o', (type) => {
  for (const size of sizes) {
    const random = seededRandom(size);
    const values = new type(size).map(() => standardNormal(random));
    for (const k of [0, 1, 2, size >> 1, size - 1, size, size + 1]) {
      expect(Array.from(largestMagnitudes(values, k))).toEqual(bySorting(values, Math.max(0, k)));
    }
  }
});

test('ties go to the first, and what would lead a quickselect astray costs no more passes', () => {
  const n = 100_000;
  expect(Array.from(largestMagnitudes(new Float64Array(n).fill(-2.5), 3))).toEqual([0, 1, 2]);
  const rising = Float64Array.from({ length: n }, (_, i) => i);
  expect(Array.from(largestMagnitudes(rising, 2))).toEqual([n - 2, n - 1]);
  const pipes = Float32Array.from({ length: n }, (_, i) => Math.min(i, n - i));
  expect(Array.from(largestMagnitudes(pipes, 3))).toEqual([n / 2 - 1, n / 2, n / 2 + 1]);
  // All digits but the last are shared.
  const close = Float64Array.from({ length: n }, (_, i) => 1 + ((i * 7_919) % n) * Number.EPSILON);
  expect(Array.from(largestMagnitudes(close, 1_000))).toEqual(bySorting(close, 1_000));
});
