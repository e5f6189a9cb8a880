import { describe, expect, it } from 'vitest';
import { InvalidDataError, InvalidOptionError, SingularMatrixError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { bits, normalRows, solveSquare } from './support.ts';

const features = normalRows(20, 3, 1);
const noise = normalRows(20, 2, 2);
const labels = features.map((row, i) => 2 * row[0]! - 3 * row[1]! + 0.5 * row[2]! + 4 + noise[i]![0]!);
const wide = features.map((row, i) => [labels[i]!, row[0]! - 7 + noise[i]![1]!]);

/** Normal equations of mean squared error plus λ/2 ‖weights‖² for one output among `outputs`. */
function normalEquations(
  x: number[][],
  y: number[],
  l2: number,
  hasIntercept: boolean,
  outputs = 1,
): number[] {
  const a = x.map((row) => (hasIntercept ? [...row, 1] : row));
  const n = a[0]!.length;
  const penalty = (l2 * x.length * outputs) / 2;
  const matrix = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_unused, j) => {
      const product = a.reduce((sum, row) => sum + row[i]! * row[j]!, 0);
      return product + (i === j && i < x[0]!.length ? penalty : 0);
    }),
  );
  const right = Array.from({ length: n }, (_, i) => a.reduce((sum, row, r) => sum + row[i]! * y[r]!, 0));
  return solveSquare(matrix, right);
}

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, most: number): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(got[i]! - wanted[i]!)).toBeLessThan(most);
}

describe('gradient descent', () => {
  it('reaches the solution of the normal equations', () => {
    const model = new LinearRegression({ learningRate: 0.2, maximumNumberOfIterations: 2000 });
    model.train(features, labels);
    expectClose(model.getModelParameters().values, normalEquations(features, labels, 0, true), 1e-9);
  });

  it('reaches the solution with a penalty and without an intercept', () => {
    const model = new LinearRegression({
      learningRate: 0.2,
      maximumNumberOfIterations: 2000,
      penalty: { l2: 0.4 },
      fitIntercept: false,
    });
    model.train(features, labels);
    expectClose(model.getModelParameters().values, normalEquations(features, labels, 0.4, false), 1e-9);
  });

  it('has the mean of squared errors over rows and outputs as its cost, without a half', () => {
    const model = new LinearRegression();
    const sum = wide.flat().reduce((total, y) => total + y * y, 0);
    expect(model.computeCost(features, wide)).toBeCloseTo(sum / (20 * 2), 10);
  });
});

describe("solver 'exact'", () => {
  const cases = [0, 0.4].flatMap((l2) =>
    [true, false].flatMap((fitIntercept) => [false, true].map((isWide) => ({ l2, fitIntercept, isWide }))),
  );
  it.each(cases)('solves the normal equations: %j', ({ l2, fitIntercept, isWide }) => {
    const model = new LinearRegression({ solver: 'exact', penalty: { l2 }, fitIntercept });
    const wanted = isWide ? wide : labels.map((label) => [label]);
    const costs = model.train(features, wanted);
    const parameters = model.getModelParameters();
    const outputs = wanted[0]!.length;
    for (let o = 0; o < outputs; o++) {
      const solution = normalEquations(
        features,
        wanted.map((row) => row[o]!),
        l2,
        fitIntercept,
        outputs,
      );
      const weights = features[0]!.map((_, j) => parameters.get('weights')[j * outputs + o]!);
      expectClose([...weights, ...(fitIntercept ? [parameters.get('bias')[o]!] : [])], solution, 1e-10);
    }
    expect(model.computeGradients(features, wanted).norm()).toBeLessThan(1e-9);
    expect(costs).toHaveLength(1);
    expect(costs[0]).toBeCloseTo(model.computeCost(features, wanted), 12);
  });

  it.each([
    ['a column that is the sum of two others', features.map((row) => [...row, row[0]! + row[1]!])],
    ['a constant column beside the intercept', features.map((row) => [...row, 5])],
    ['fewer rows than coefficients', features.slice(0, 3)],
  ])('refuses %s and leaves the model as it was', (_name, x) => {
    const model = new LinearRegression({ solver: 'exact' });
    const fresh = new LinearRegression({ solver: 'exact' });
    expect(() => fresh.train(x, labels.slice(0, x.length))).toThrow(SingularMatrixError);
    expect(() => fresh.getModelParameters()).toThrow();
    model.train(x, labels.slice(0, x.length), { maximumNumberOfIterations: 0 });
    const start = model.getModelParameters();
    start.values.fill(0.25);
    model.setModelParameters(start);
    expect(() => model.train(x, labels.slice(0, x.length))).toThrow(SingularMatrixError);
    expect(bits(model.getModelParameters().values)).toEqual(bits(start.values));
  });

  it('solves what a penalty makes unique', () => {
    const doubled = features.map((row) => [...row, row[0]!]);
    const model = new LinearRegression({ solver: 'exact', penalty: { l2: 0.1 } });
    model.train(doubled, labels);
    expect(model.computeGradients(doubled, labels).norm()).toBeLessThan(1e-9);
    expect(model.getModelParameters().get('weights')[3]).toBeCloseTo(
      model.getModelParameters().get('weights')[0]!,
      10,
    );
  });

  it('solves features whose units differ by many orders of magnitude', () => {
    const scaled = features.map((row) => [row[0]! * 1e7, row[1]! * 1e-7, row[2]!]);
    const model = new LinearRegression({ solver: 'exact' });
    model.train(scaled, labels);
    const wanted = normalEquations(features, labels, 0, true);
    const got = model.getModelParameters().values;
    expectClose([got[0]! * 1e7, got[1]! * 1e-7, got[2]!, got[3]!], wanted, 1e-8);
  });

  it('refuses to save gradients that it does not take', () => {
    const model = new LinearRegression({ solver: 'exact' });
    model.setAreGradientsSaved(true);
    expect(() => model.train(features, labels)).toThrow(InvalidOptionError);
  });

  it('does nothing in 0 iterations, and reports its only one', () => {
    const model = new LinearRegression({ solver: 'exact' });
    expect(model.train(features, labels, { maximumNumberOfIterations: 0 })).toEqual([]);
    expect([...model.getModelParameters().values]).toEqual([0, 0, 0, 0]);
    const reports: number[] = [];
    const costs = model.train(features, labels, {
      onIteration: ({ iteration, cost }) => {
        reports.push(iteration, cost);
      },
    });
    expect(reports).toEqual([1, costs[0]]);
  });
});

describe('predictions and score', () => {
  it('predicts rows × outputs', () => {
    const model = new LinearRegression();
    model.train([[0, 0]], [[0, 0]], { maximumNumberOfIterations: 0 });
    const parameters = model.getModelParameters();
    parameters.get('weights').set([1, 10, 2, 20]);
    parameters.get('bias').set([0.5, -0.5]);
    model.setModelParameters(parameters);
    expect(
      model.predict([
        [1, 1],
        [2, 3],
      ]),
    ).toEqual([
      [3.5, 29.5],
      [8.5, 79.5],
    ]);
  });

  it('scores 1 for a perfect fit and 0 for the mean', () => {
    const exact = features.map((row) => row[0]! - row[2]!);
    const model = new LinearRegression({ solver: 'exact' });
    model.train(features, exact);
    expect(model.score(features, exact)).toBeCloseTo(1, 12);
    const mean = new LinearRegression();
    mean.train(features, labels, { maximumNumberOfIterations: 0 });
    const parameters = mean.getModelParameters();
    parameters.get('bias')[0] = labels.reduce((sum, y) => sum + y, 0) / labels.length;
    mean.setModelParameters(parameters);
    expect(mean.score(features, labels)).toBeCloseTo(0, 12);
  });

  it('refuses labels with another number of outputs as data that does not fit the model', () => {
    const model = new LinearRegression();
    model.train(features, labels, { maximumNumberOfIterations: 1 });
    expect(() => model.train(features, wide)).toThrow(/2 columns.*1/);
    expect(() => model.train(features, wide)).toThrow(InvalidDataError);
  });
});
