import { describe, expect, test } from 'vitest';
import { addRows, combineMoments, copyMoments, createMoments } from '../../src/kernels/moments.ts';

describe('moments', () => {
  test('by hand, over two columns', () => {
    const moments = createMoments(2);
    addRows(moments, [1, 10, 2, 10, 6, 10], 3);
    // 1, 2, 6: mean 3, deviations −2, −1, 3.
    expect(moments).toEqual({
      rows: 3,
      mean: Float64Array.of(3, 10),
      meanResidual: Float64Array.of(0, 0),
      squares: Float64Array.of(14, 0),
      minimum: Float64Array.of(1, 10),
      maximum: Float64Array.of(6, 10),
    });
  });

  test('keep what one number cannot: the third of a 2 beside 1e16', () => {
    const moments = createMoments(1);
    for (const value of [1e16, 1e16 + 2, 1e16 + 2]) addRows(moments, [value], 1);
    // Two neighbours near 1e16 are 2 apart; the mean is 1e16 + 4/3, the squares 16/9 + 4/9 + 4/9.
    expect((moments.mean[0] as number) - 1e16 + (moments.meanResidual[0] as number)).toBeCloseTo(4 / 3, 14);
    expect(moments.squares[0]).toBeCloseTo(24 / 9, 14);
  });

  test('do not care where a block of 256 rows ends', () => {
    for (const rows of [255, 256, 257, 513]) {
      const data = Float64Array.from({ length: rows }, (_, i) => 1e6 + i);
      const moments = createMoments(1);
      addRows(moments, data, rows);
      // Σ (i − (n − 1)/2)² = n (n² − 1) / 12.
      const expected = (rows * (rows ** 2 - 1)) / 12;
      expect(Math.abs((moments.squares[0] as number) - expected)).toBeLessThanOrEqual(1e-14 * expected);
      expect(moments.mean[0]).toBe(1e6 + (rows - 1) / 2);
      expect([moments.rows, moments.minimum[0], moments.maximum[0]]).toEqual([rows, 1e6, 1e6 + rows - 1]);
    }
  });

  test('of a million rows lose no more than those of a few', () => {
    const data = Float64Array.from({ length: 1_000_000 }, (_, i) => (i % 2 === 0 ? 0.1 : -0.1));
    const moments = createMoments(1);
    addRows(moments, data, data.length);
    // Σ 0.1² in one sum is wrong by 1.7e-11.
    const expected = data.length * 0.1 ** 2;
    expect(Math.abs((moments.squares[0] as number) - expected)).toBeLessThanOrEqual(1e-12 * expected);
  });

  test('of no rows add nothing, and a copy is its own', () => {
    const moments = createMoments(1);
    addRows(moments, [1, 3], 2);
    const copy = copyMoments(moments);
    combineMoments(moments, createMoments(1));
    expect(moments).toEqual(copy);
    addRows(copy, [100], 1);
    expect(moments.rows).toBe(2);
    expect(moments.maximum[0]).toBe(3);
  });
});
