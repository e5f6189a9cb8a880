import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digamma, logGamma, trigamma } from '../../../src/models/bayesian/gammaFunctions.ts';
import {
  logNormalCdf,
  normalCdf,
  normalDensity,
  truncation,
} from '../../../src/models/bayesian/probit/normal.ts';

type Row = readonly [x: number, first: string, second: string, third: string, fourth: string];
const { probit, gamma } = JSON.parse(
  readFileSync(new URL('./specialValues.json', import.meta.url), 'utf8'),
) as { readonly probit: readonly Row[]; readonly gamma: readonly Row[] };

/** How far a value is from the exact one, of that. */
function error(value: number, exact: string | undefined): number {
  const expected = Number(exact);
  const isSubnormal = Math.abs(expected) < 2 ** -1022;
  // Such numbers have no 53 bits: they are as near as there are any.
  if (isSubnormal) return Math.abs(value - expected) <= 2 ** -1073 ? 0 : Infinity;
  return Math.abs(value / expected - 1);
}

describe('probit, against values of 60 digits', () => {
  it.each(probit.map((row) => [...row] as const))('at %d', (x, cdf, logCdf, first, second) => {
    expect(error(normalCdf(x), cdf)).toBeLessThan(x < -30 ? 2e-13 : 1e-13);
    // Near 0, which is where it goes for large x, it is as exact as the tail.
    expect(error(logNormalCdf(x), logCdf)).toBeLessThan(1e-13);
    const moments = truncation(x);
    expect(error(moments.first, first)).toBeLessThan(1e-13);
    expect(error(moments.second, second)).toBeLessThan(1e-13);
  });

  it('the density is the derivative of the distribution', () => {
    for (const x of [-3, -0.5, 0, 0.7, 2]) {
      const step = 1e-4;
      const slope = (normalCdf(x + step) - normalCdf(x - step)) / (2 * step);
      expect(normalDensity(x)).toBeCloseTo(slope, 8);
    }
  });
});

describe('ln Γ and its derivatives, against values of 60 digits', () => {
  it.each(gamma.map((row) => [...row] as const))('at %d', (x, log, first, second) => {
    const near = (value: number, exact: string | undefined): number =>
      Math.min(error(value, exact), Math.abs(value - Number(exact)));
    expect(near(logGamma(x), log)).toBeLessThan(1e-14);
    expect(near(digamma(x), first)).toBeLessThan(1e-14);
    expect(error(trigamma(x), second)).toBeLessThan(1e-14);
  });
});
