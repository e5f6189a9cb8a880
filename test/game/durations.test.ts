import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Durations } from '../../src/game/Durations.ts';

describe('Durations', () => {
  it('property: quantiles are those of the sorted list, to within a bucket; mean and longest exactly', () => {
    const durations = fc.array(fc.double({ min: 0.001, max: 16_000, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(durations, (list) => {
        const summary = new Durations();
        for (const ms of list) summary.add(ms);
        const { count, mean, median, p99, longest } = summary.summary();
        const sorted = list.slice().sort((a, b) => a - b);
        const at = (share: number): number => sorted[Math.ceil(share * list.length) - 1] as number;
        expect(count).toBe(list.length);
        expect(longest).toBe(sorted.at(-1));
        expect(mean).toBeCloseTo(list.reduce((sum, ms) => sum + ms, 0) / list.length, 6);
        for (const [got, exact] of [
          [median, at(0.5)],
          [p99, at(0.99)],
        ] as const) {
          expect(got).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
          expect(got).toBeLessThanOrEqual(exact * 2 ** (1 / 16) * (1 + 1e-9));
        }
      }),
    );
  });

  it('counts nothing as 0, and what is beyond its ends at its ends', () => {
    expect(new Durations().summary()).toEqual({ count: 0, mean: 0, median: 0, p99: 0, longest: 0 });
    const durations = new Durations();
    durations.add(0);
    expect(durations.summary()).toMatchObject({ count: 1, median: 0, longest: 0 });
    durations.add(1e6);
    expect(durations.summary()).toMatchObject({ count: 2, longest: 1e6 });
    expect(durations.summary().p99).toBeGreaterThan(16_000);
  });
});
