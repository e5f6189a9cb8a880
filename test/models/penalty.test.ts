import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { normalRows } from './support.ts';

const rows = 50;
const x = normalRows(rows, 1, 3).flat();
const square = x.reduce((sum, value) => sum + value * value, 0) / rows;

/** The w that minimises mean (w x − y)² + l1 |w| + l2/2 w²: soft thresholding (Tibshirani 1996). */
function closedForm(product: number, l1: number, l2: number): number {
  const beyond = Math.max(0, Math.abs(2 * product) - l1);
  return (Math.sign(product) * beyond) / (2 * square + l2);
}

describe('one weight without an intercept', () => {
  const makeLabels = (weight: number): number[] => x.map((value) => weight * value);
  it.each([
    [{ l2: 0.5 }, 1.5],
    [{ l1: 0.5 }, 1.5],
    [{ l1: 0.5 }, -0.8],
    [{ l1: 0.3, l2: 0.7 }, 2],
    [{ l1: 0.3, l2: 0.7 }, -2],
  ])('reaches the closed form: %j at %d', (penalty, weight) => {
    const model = new LinearRegression({ penalty, fitIntercept: false, maximumNumberOfIterations: 400 });
    const labels = makeLabels(weight);
    model.train(
      x.map((value) => [value]),
      labels,
    );
    const product = weight * square;
    const { l1 = 0, l2 = 0 } = penalty as { l1?: number; l2?: number };
    expect(model.getModelParameters().values[0]).toBeCloseTo(closedForm(product, l1, l2), 12);
  });

  it('a strong l1 penalty keeps the weight near 0, where subgradient steps swing', () => {
    const model = new LinearRegression({ penalty: { l1: 9 }, fitIntercept: false, learningRate: 0.001 });
    model.train(
      x.map((value) => [value]),
      makeLabels(1),
    );
    expect(closedForm(square, 9, 0)).toBe(0);
    expect(Math.abs(model.getModelParameters().values[0]!)).toBeLessThan(0.01);
  });
});

describe('the penalty', () => {
  it('is in cost and gradient, without the bias, with slope 0 at 0', () => {
    const model = new LinearRegression({ penalty: { l1: 0.3, l2: 0.5 } });
    const plain = new LinearRegression();
    const features = normalRows(8, 3, 5);
    const labels = normalRows(8, 1, 6).flat();
    for (const one of [model, plain]) {
      one.train(features, labels, { maximumNumberOfIterations: 0 });
      const parameters = one.getModelParameters();
      parameters.values.set([2, 0, -3, 7]);
      one.setModelParameters(parameters);
    }
    const cost = model.computeCost(features, labels) - plain.computeCost(features, labels);
    expect(cost).toBeCloseTo(0.3 * 5 + (0.5 / 2) * 13, 12);
    const [with_, without] = [model, plain].map((one) => one.computeGradients(features, labels).values);
    const difference = Array.from(with_!, (value, i) => value - without![i]!);
    [0.3 + 1, 0, -0.3 - 1.5, 0].forEach((wanted, i) => {
      expect(difference[i]).toBeCloseTo(wanted, 12);
    });
  });

  it('of one kind is that of the other left at 0', () => {
    const features = normalRows(8, 2, 5);
    const labels = normalRows(8, 1, 6).flat();
    const lambdas = fc.double({ min: 0, max: 2, noNaN: true });
    fc.assert(
      fc.property(lambdas, fc.constantFrom('l1', 'l2'), (lambda, kind) => {
        const costs = [{ [kind]: lambda }, { l1: 0, l2: 0, [kind]: lambda }].map((penalty) =>
          new LinearRegression({ penalty, maximumNumberOfIterations: 3 }).train(features, labels),
        );
        expect(costs[0]).toEqual(costs[1]);
      }),
      { seed: 1, numRuns: 20 },
    );
  });
});
