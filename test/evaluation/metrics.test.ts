import { describe, expect, it } from 'vitest';
import { accuracy, rSquared } from '../../src/evaluation/metrics.ts';

it('accuracy is the share of equal labels', () => {
  expect(accuracy(['a', 'b', 'c', 'd'], ['a', 'x', 'c', 'x'])).toBe(0.5);
  expect(accuracy([1, '1'], ['1', 1])).toBe(0);
  expect(accuracy([1, 2], [1, 2])).toBe(1);
});

describe('rSquared', () => {
  it('is 1 − residual / spread', () => {
    // Labels 1, 2, 6 with mean 3: spread 14; residuals 1, 0, 2: 5.
    expect(rSquared([2, 2, 4], [1, 2, 6], 3, 1)).toBeCloseTo(1 - 5 / 14, 14);
    expect(rSquared([1, 2, 6], [1, 2, 6], 3, 1)).toBe(1);
    expect(rSquared([3, 3, 3], [1, 2, 6], 3, 1)).toBeCloseTo(0, 14);
    expect(rSquared([6, 2, 1], [1, 2, 6], 3, 1)).toBeCloseTo(1 - 50 / 14, 14);
  });

  it('is averaged over outputs, each with its own spread', () => {
    // Second output: labels 10, 20, 30 with spread 200; residuals 0, 0, 10: 100.
    expect(rSquared([2, 10, 2, 20, 4, 20], [1, 10, 2, 20, 6, 30], 3, 2)).toBeCloseTo((9 / 14 + 0.5) / 2, 14);
  });

  it('of equal labels is 1 where they are predicted exactly and 0 otherwise', () => {
    expect(rSquared([4, 4], [4, 4], 2, 1)).toBe(1);
    expect(rSquared([4, 5], [4, 4], 2, 1)).toBe(0);
    for (let rows = 1; rows <= 50; rows++) {
      const labels = Array.from({ length: rows }, () => 0.1);
      expect(rSquared(labels, labels, rows, 1)).toBe(1);
      expect(
        rSquared(
          labels.map(() => 0.3),
          labels,
          rows,
          1,
        ),
      ).toBe(0);
    }
  });
});
