import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createValues, findNonFinite } from '../../src/parameters/values.ts';

const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const sizes = [0, 1, 2, 3, 5, 7, 8, 31, 32, 33, 63, 64, 65, 257, 4_095, 4_096, 4_097, 9_000];

test.each(['float32', 'float64'] as const)('the first value that is not finite is found, in %s', (dtype) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...sizes),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...bad)), { maxLength: 4 }),
      fc.nat(40),
      fc.nat(40),
      (length, places, skipped, cut) => {
        const values = createValues(dtype, length).fill(-1.5);
        for (const [place, value] of places) if (length > 0) values[place % length] = value;
        const [start, end] = [Math.min(skipped, length), Math.max(Math.min(skipped, length), length - cut)];
        const expected = values.subarray(start, end).findIndex((value) => !Number.isFinite(value));
        expect(findNonFinite(values, start, end)).toBe(expected < 0 ? -1 : start + expected);
        expect(findNonFinite(Array.from(values), start, end)).toBe(expected < 0 ? -1 : start + expected);
      },
    ),
  );
});

test('values that are finite and whose sum is not are finite', () => {
  expect(findNonFinite(new Float64Array(10_000).fill(Number.MAX_VALUE))).toBe(-1);
  expect(findNonFinite(new Float32Array(10_000).fill(3.4e38))).toBe(-1);
  const opposite = new Float64Array(64).fill(Number.POSITIVE_INFINITY, 10, 11);
  opposite[20] = Number.NEGATIVE_INFINITY;
  expect(findNonFinite(opposite)).toBe(10);
});
