import { describe, expect, it } from 'vitest';
import type { Between, Normal } from '../../../../src/models/bayesian/matchbox/between.ts';
import { constrainBetween, createBetween } from '../../../../src/models/bayesian/matchbox/between.ts';
import {
  bivariateNormalCdf,
  bivariateNormalDensity,
} from '../../../../src/models/bayesian/matchbox/bivariateNormal.ts';
import { normalCdf } from '../../../../src/models/bayesian/probit/normal.ts';

// By mpmath with 40 digits: Φ(a)Φ(b) and the integral over asin ρ.
it.each([
  [0, 0, 0.5, '0.333333333333333333'],
  [0.3, -0.8, -0.6, '0.0574325712943265012'],
  [1.2, 0.7, -0.95, '0.642966677573564099'],
  [-1, -1.5, 0.9, '0.0614525050663915986'],
  [2.5, -2, -0.97, '0.0165981065963030965'],
  [-0.2, 0.9, -0.99, '0.236680168610333916'],
  [0, 0, -0.9, '0.0717831465643531354'],
  [3, 3, -0.8, '0.997300203936739811'],
])('two normal variables below %d and %d with correlation %d', (a, b, correlation, expected) => {
  expect(Math.abs(bivariateNormalCdf(a, b, correlation) - Number(expected))).toBeLessThan(3e-15);
  // Its mixed derivative is the density.
  const h = 1e-3;
  const at = (da: number, db: number): number => bivariateNormalCdf(a + da * h, b + db * h, correlation);
  const slope = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h * h);
  const density = bivariateNormalDensity(a, b, correlation);
  expect(Math.abs(slope - density)).toBeLessThan(1e-4 * (1 + density));
});

function between(value: Normal, lower: Normal | undefined, upper: Normal | undefined): Between {
  const target = createBetween();
  constrainBetween(value, lower, upper, target);
  return target;
}

describe('what it means to be between', () => {
  const value = { mean: 0.4, variance: 2 };
  const lower = { mean: -0.5, variance: 0.6 };
  const upper = { mean: 0.5, variance: 0.3 };

  it.each([
    ['both ends', lower, upper],
    ['the lower end alone', lower, undefined],
    ['the upper end alone', undefined, upper],
    ['a value that is too low by far', { mean: 12, variance: 0.6 }, { mean: 13, variance: 0.3 }],
    ['a value that is too high by far', { mean: -13, variance: 0.6 }, { mean: -12, variance: 0.3 }],
  ])('%s: slopes and curvatures are the derivatives', (_, low, high) => {
    const isFar = Math.abs((low ?? lower).mean) > 5;
    const log = (shift: { value?: number; lower?: number; upper?: number }): number => {
      const move = (normal: Normal | undefined, by = 0): Normal | undefined =>
        normal && { ...normal, mean: normal.mean + by };
      const moved = move(value, shift.value) as Normal;
      // Far out the nearer end decides.
      if (isFar && (low as Normal).mean > 0)
        return Math.log(between(moved, move(low, shift.lower), undefined).probability);
      if (isFar) return Math.log(between(moved, undefined, move(high, shift.upper)).probability);
      return Math.log(between(moved, move(low, shift.lower), move(high, shift.upper)).probability);
    };
    const got = between(value, low, high);
    const h = 1e-4;
    for (const name of ['value', 'lower', 'upper'] as const) {
      const [less, at, more] = [log({ [name]: -h }), log({}), log({ [name]: h })];
      expect(Math.abs((more - less) / (2 * h) - got[name].slope)).toBeLessThan(1e-6);
      expect(Math.abs(-(more - 2 * at + less) / (h * h) - got[name].curvature)).toBeLessThan(1e-4);
    }
  });

  it('without ends it is certain; with far ends nearly one-sided', () => {
    expect(between(value, undefined, undefined).probability).toBe(1);
    const open = between(value, lower, { mean: 50, variance: 0.1 });
    const half = between(value, lower, undefined);
    expect(open.probability).toBeCloseTo(half.probability, 13);
    expect(half.probability).toBeCloseTo(normalCdf(0.9 / Math.sqrt(2.6)), 14);
    expect(open.value.slope).toBeCloseTo(half.value.slope, 12);
  });
});
