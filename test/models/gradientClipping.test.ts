import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipGradient } from '../../src/models/gradientClipping.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { bits, normalRows, relativeDistance } from './support.ts';

const numbers = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 8 });
const limits = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
const normOf = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

describe('clipGradient', () => {
  it('by norm keeps the direction, the norm of all pieces together within the limit, and what is short', () => {
    fc.assert(
      fc.property(numbers, numbers, limits, (first, second, norm) => {
        const pieces = [Float64Array.from(first), Float64Array.from(second)];
        clipGradient(pieces, { norm });
        const all = [...first, ...second];
        const got = pieces.flatMap((piece) => [...piece]);
        const before = normOf(all);
        if (before <= norm * (1 - 1e-12)) expect(got).toEqual(all);
        else {
          const wanted = all.map((g) => (g * norm) / Math.max(norm, before));
          got.forEach((g, i) => {
            expect(Math.abs(g - wanted[i]!)).toBeLessThanOrEqual(1e-12 * norm);
          });
        }
      }),
      { seed: 1 },
    );
  });

  it('by value cuts each number off', () => {
    const piece = Float64Array.of(-3, -0.5, 0, 0.5, 3);
    clipGradient([piece], { value: 1 });
    expect([...piece]).toEqual([-1, -0.5, 0, 0.5, 1]);
  });

  it('takes numbers whose square is infinite, and zeros', () => {
    const huge = Float64Array.of(3e200, -4e200);
    clipGradient([huge], { norm: 5 });
    expect(relativeDistance(huge, [3, -4])).toBeLessThan(1e-15);
    const zeros = new Float64Array(2);
    clipGradient([zeros], { norm: 5 });
    expect([...zeros]).toEqual([0, 0]);
  });
});

describe('training with clipping', () => {
  const features = normalRows(9, 2, 1);
  const labels = features.map((row) => 100 * row[0]! - 50);
  const options = { learningRate: 0.1, penalty: { l2: 0.5 }, maximumNumberOfIterations: 1 };

  it.each([
    { norm: 2 },
    { value: 1.5 },
  ] as const)('steps against the clipped mean gradient: %j', (clipping) => {
    const model = new LinearRegression({ ...options, gradientClipping: clipping });
    model.train(features, labels);
    const start = model.getModelParameters();
    const gradient = Float64Array.from(model.computeGradients(features, labels).values);
    model.setAreGradientsSaved(true);
    model.train(features, labels);
    const clipped = gradient.slice();
    clipGradient([clipped], clipping);
    expect(relativeDistance(clipped, gradient)).toBeGreaterThan(0.5);
    const wanted = start.values.map((value, i) => value - 0.1 * clipped[i]!);
    expect(relativeDistance(model.getModelParameters().values, wanted)).toBeLessThan(1e-14);
    // What is saved is the gradient of the cost.
    expect(bits(model.getGradients().values)).toEqual(bits(gradient));
  });

  it('does not count what is frozen', () => {
    const model = new LinearRegression({ ...options, gradientClipping: { norm: 2 }, frozen: ['bias'] });
    model.train(features, labels);
    expect(normOf(model.getModelParameters().get('weights'))).toBeCloseTo(0.1 * 2, 14);
  });
});
