import fc from 'fast-check';
import { GradientDescent } from 'mainstem';
import { expect, test } from 'vitest';
import { descend } from '../../src/coordinators/descent.ts';

const some = fc.double({ noNaN: true, noDefaultInfinity: true });

test('a step has the bits of GradientDescent, whatever the gradient is kept in and however long it is', () => {
  const rows = fc.array(fc.tuple(some, some), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(rows, fc.double({ min: 0, max: 10, noNaN: true }), fc.boolean(), (pairs, rate, isFloat) => {
      const values = Float64Array.from(pairs, ([value]) => value);
      const doubles = Float64Array.from(pairs, ([, slope]) => slope);
      const gradient = isFloat ? Float32Array.from(doubles) : doubles;
      const expected = values.slice();
      new GradientDescent().step({ steps: 1, slots: [] }, expected, gradient, rate);
      const next = new Float64Array(values.length).fill(Number.NaN);
      const isWhole = descend(next, values, { gradient, learningRate: rate, dtype: 'float64' });
      expect(next).toEqual(expected);
      expect(isWhole).toBe(expected.every(Number.isFinite));
      const isWholeAsFloats = descend(next, values, { gradient, learningRate: rate, dtype: 'float32' });
      expect(isWholeAsFloats).toBe(expected.every((value) => Number.isFinite(Math.fround(value))));
    }),
  );
});

test.each([0, 1, 2, 3, 4, 10])('a result that is not finite is found at index %i', (index) => {
  for (const [value, dtype] of [
    [Number.POSITIVE_INFINITY, 'float64'],
    [Number.NaN, 'float64'],
    [3.5e38, 'float32'],
  ] as const) {
    const values = new Float64Array(11).fill(1);
    const given = { gradient: new Float32Array(11), learningRate: 0.1, dtype };
    expect(descend(new Float64Array(11), values, given)).toBe(true);
    values[index] = value;
    expect(descend(new Float64Array(11), values, given)).toBe(false);
  }
});

test('the largest numbers of each type are no reason to look again', () => {
  const given = { gradient: new Float64Array(16), learningRate: 0.1 };
  const next = new Float64Array(16);
  const doubles = new Float64Array(16).fill(Number.MAX_VALUE);
  expect(descend(next, doubles, { ...given, dtype: 'float64' })).toBe(true);
  const floats = new Float64Array(16).fill(3.4028234663852886e38);
  expect(descend(next, floats, { ...given, dtype: 'float32' })).toBe(true);
});
