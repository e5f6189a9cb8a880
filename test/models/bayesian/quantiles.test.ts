import { describe, expect, it } from 'vitest';
import { normalQuantile, studentCdf, studentQuantile } from '../../../src/models/bayesian/quantiles.ts';

describe('quantiles', () => {
  // By SciPy 1.x: stats.t.ppf and stats.norm.ppf.
  it.each([
    [0.95, 1, 6.313751514675037],
    [0.95, 3, 2.3533634348018233],
    [0.975, 7.5, 2.333039626864974],
    [0.6, 200, 0.25368437919014747],
    [0.999, 2, 22.327124770119866],
    [0.05, 4, -2.131846786326651],
  ])('Student: %d with %d degrees of freedom', (probability, degrees, expected) => {
    expect(Math.abs(studentQuantile(probability, degrees) / expected - 1)).toBeLessThan(1e-12);
    expect(studentCdf(expected, degrees)).toBeCloseTo(probability, 12);
  });

  it('normal, also far out', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 13);
    expect(normalQuantile(1e-10)).toBeCloseTo(-6.361340902404056, 12);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 15);
    expect(() => normalQuantile(1)).toThrow('probability is 1');
  });

  it('with many degrees of freedom Student is normal', () => {
    expect(studentQuantile(0.9, 1e7)).toBeCloseTo(normalQuantile(0.9), 6);
  });
});
