import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SingularMatrixError } from '../../src/errors.ts';
import { solveLeastSquares } from '../../src/kernels/leastSquares.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';

function normal(length: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length }, () => standardNormal(random));
}

describe('solveLeastSquares', () => {
  it('leaves a residual that is orthogonal to every column', () => {
    const shape = fc.tuple(
      fc.integer({ min: 1, max: 6 }),
      fc.nat({ max: 8 }),
      fc.integer({ min: 1, max: 3 }),
    );
    fc.assert(
      fc.property(shape, fc.nat({ max: 1e6 }), ([columns, more, outputs], seed) => {
        const rows = columns + more + 4;
        const a = normal(rows * columns, seed);
        const b = normal(rows * outputs, seed + 1);
        const x = solveLeastSquares(a.slice(), b.slice(), rows, columns, outputs);
        for (let o = 0; o < outputs; o++) {
          for (let j = 0; j < columns; j++) {
            let dot = 0;
            for (let i = 0; i < rows; i++) {
              let residual = b[i * outputs + o]!;
              for (let p = 0; p < columns; p++) residual -= a[i * columns + p]! * x[p * outputs + o]!;
              dot += a[i * columns + j]! * residual;
            }
            expect(Math.abs(dot)).toBeLessThan(1e-10);
          }
        }
      }),
      { seed: 1 },
    );
  });

  it('solves a square system', () => {
    const x = solveLeastSquares(Float64Array.of(0, 2, 3, 4), Float64Array.of(4, 11), 2, 2, 1);
    expect(x[0]).toBeCloseTo(1, 13);
    expect(x[1]).toBeCloseTo(2, 13);
  });

  it('keeps the accuracy that normal equations lose', () => {
    const e = 1e-7;
    const a = Float64Array.of(1, 1, e, 0, 0, e);
    const x = solveLeastSquares(a, Float64Array.of(2, e, e), 3, 2, 1);
    expect(Math.abs(x[0]! - 1)).toBeLessThan(1e-7);
    expect(Math.abs(x[1]! - 1)).toBeLessThan(1e-7);
  });

  it.each([
    ['equal columns', [1, 1, 2, 2, 3, 3], 3, 2],
    ['a column of zeros', [1, 0, 2, 0, 3, 0], 3, 2],
    ['a first column of zeros', [0, 1, 0, 2, 0, 3], 3, 2],
    ['zeros only', [0, 0], 2, 1],
    ['fewer rows than columns', [1, 2], 1, 2],
    ['numbers whose squares overflow', [1e200, 1, 1, 1], 2, 2],
  ])('refuses %s', (_name, a, rows, columns) => {
    const call = (): unknown =>
      solveLeastSquares(Float64Array.from(a), new Float64Array(rows), rows, columns, 1);
    expect(call).toThrow(SingularMatrixError);
  });

  it('takes columns whose units differ, which are not dependent', () => {
    const x = solveLeastSquares(Float64Array.of(1e7, 0, 0, 1e-7), Float64Array.of(1e7, 1e-7), 2, 2, 1);
    expect(x[0]).toBeCloseTo(1, 12);
    expect(x[1]).toBeCloseTo(1, 12);
  });
});
