import { describe, expect, it } from 'vitest';
import { InvalidDataError, InvalidOptionError, UnknownLabelError } from '../../src/errors.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { seededRandom } from '../../src/random.ts';
import { normalRows, relativeDistance, roundRobin, solveSquare } from './support.ts';

const rows = 40;
const features = normalRows(rows, 2, 1);
const l2 = 0.3;

/** Newton's method on softmax regression with a column of parameters for each class, as plain loops. */
function newtonSoftmax(y: number[], classes: number): number[][] {
  const x = features.map((row) => [...row, 1]);
  const width = 3;
  const theta = Array.from({ length: width * classes }, () => 0);
  for (let step = 0; step < 40; step++) {
    const gradient = theta.map(() => 0);
    const hessian = theta.map(() => theta.map(() => 0));
    x.forEach((row, r) => {
      const z = Array.from({ length: classes }, (_, c) =>
        row.reduce((sum, value, j) => sum + value * theta[j * classes + c]!, 0),
      );
      const e = z.map((value) => Math.exp(value));
      const total = e.reduce((sum, value) => sum + value, 0);
      const p = e.map((value) => value / total);
      for (let i = 0; i < width; i++) {
        for (let c = 0; c < classes; c++) {
          gradient[i * classes + c]! += (row[i]! * (p[c]! - (y[r] === c ? 1 : 0))) / rows;
          for (let j = 0; j < width; j++) {
            for (let d = 0; d < classes; d++) {
              const curvature = p[c]! * ((c === d ? 1 : 0) - p[d]!);
              hessian[i * classes + c]![j * classes + d]! += (row[i]! * row[j]! * curvature) / rows;
            }
          }
        }
      }
    });
    theta.forEach((value, k) => {
      const isBias = k >= 2 * classes;
      if (!isBias) gradient[k]! += l2 * value;
      // The biases may all move together at no cost; a little ridge on their step fixes one of the solutions.
      hessian[k]![k]! += isBias ? 1e-9 : l2;
    });
    solveSquare(hessian, gradient).forEach((move, k) => {
      theta[k]! -= move;
    });
  }
  return Array.from({ length: width }, (_, j) => theta.slice(j * classes, (j + 1) * classes));
}

/** Newton's method on binary logistic regression, as plain loops. */
function newtonBinary(y: number[]): number[] {
  const x = features.map((row) => [...row, 1]);
  const theta = [0, 0, 0];
  for (let step = 0; step < 40; step++) {
    const gradient = [0, 0, 0];
    const hessian = [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ];
    x.forEach((row, r) => {
      const p = 1 / (1 + Math.exp(-row.reduce((sum, value, j) => sum + value * theta[j]!, 0)));
      for (let i = 0; i < 3; i++) {
        gradient[i]! += (row[i]! * (p - y[r]!)) / rows;
        for (let j = 0; j < 3; j++) hessian[i]![j]! += (row[i]! * row[j]! * p * (1 - p)) / rows;
      }
    });
    for (let i = 0; i < 2; i++) {
      gradient[i]! += l2 * theta[i]!;
      hessian[i]![i]! += l2;
    }
    solveSquare(hessian, gradient).forEach((move, i) => {
      theta[i]! -= move;
    });
  }
  return theta;
}

const random = seededRandom(5);
const binary = features.map((row) => (row[0]! - row[1]! + random.next() * 2 - 1 > 0 ? 1 : 0));
const three = features.map((row) => (row[0]! + random.next() > 0.8 ? 2 : row[1]! > 0 ? 1 : 0));
const training = { penalty: { l2 }, learningRate: 0.8, maximumNumberOfIterations: 6000 };

describe('gradient descent against Newton', () => {
  it('two classes', () => {
    const model = new LogisticRegression(training);
    model.train(features, binary);
    expect(relativeDistance(model.getModelParameters().values, newtonBinary(binary))).toBeLessThan(1e-9);
  });

  it('three classes', () => {
    const model = new LogisticRegression(training);
    model.train(features, three);
    const solution = newtonSoftmax(three, 3);
    const parameters = model.getModelParameters();
    expect(relativeDistance(parameters.get('weights'), solution.slice(0, 2).flat())).toBeLessThan(1e-8);
    const got = parameters.get('bias');
    const wanted = solution[2]!;
    expect(got[1]! - got[0]!).toBeCloseTo(wanted[1]! - wanted[0]!, 8);
    expect(got[2]! - got[0]!).toBeCloseTo(wanted[2]! - wanted[0]!, 8);
  });

  it('starts at the cost of equal probabilities', () => {
    expect(new LogisticRegression().computeCost(features, binary)).toBeCloseTo(Math.log(2), 12);
    expect(new LogisticRegression().computeCost(features, three)).toBeCloseTo(Math.log(3), 12);
  });
});

describe.each([
  ['two', ['no', 'yes'] as const],
  ['three', ['a', 'b', 'c'] as const],
])('probabilities of %s classes', (_name, classes) => {
  function extreme(dtype: 'float32' | 'float64'): LogisticRegression {
    const model = new LogisticRegression({ classes, dtype });
    model.train([[0]], [classes[0]], { maximumNumberOfIterations: 0 });
    const parameters = model.getModelParameters();
    parameters.get('weights').set(classes.length === 2 ? [1] : [-1, 0, 1]);
    model.setModelParameters(parameters);
    return model;
  }

  it.each(['float32', 'float64'] as const)('sum to 1 and stay finite for any logits in %s', (dtype) => {
    const logits = [-1e4, -300, -40, -1, 0, 0.3, 1, 40, 300, 1e4];
    const table = extreme(dtype).predictProbabilities(logits.map((z) => [z]));
    for (const row of table) {
      expect(row).toHaveLength(classes.length);
      expect(Math.abs(row.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-12);
      for (const p of row) expect(p >= 0 && p <= 1).toBe(true);
    }
    expect(table[0]![0]).toBe(1);
    expect(table[9]![classes.length - 1]).toBe(1);
    const z = 0.3;
    const e = classes.length === 2 ? [1, Math.exp(z)] : [Math.exp(-z), 1, Math.exp(z)];
    const total = e.reduce((sum, value) => sum + value, 0);
    expect(
      relativeDistance(
        table[5]!,
        e.map((value) => value / total),
      ),
    ).toBeLessThan(dtype === 'float32' ? 1e-6 : 1e-14);
  });

  it('have finite cost and gradient for any logits', () => {
    const model = extreme('float64');
    const x = [[1e4], [-1e4]];
    const wrong = [classes[0], classes[classes.length - 1]!];
    expect(model.computeCost(x, wrong)).toBeCloseTo(classes.length === 2 ? 1e4 : 2e4, 6);
    model.computeGradients(x, wrong).assertFinite('gradients');
    expect(model.computeCost(x, [...wrong].reverse())).toBe(0);
  });
});

describe('classes', () => {
  it('are sorted: numbers as numbers', () => {
    const model = new LogisticRegression({ maximumNumberOfIterations: 1 });
    model.train(features, roundRobin(rows, [10, 9, -1]));
    expect(model.classes).toEqual([-1, 9, 10]);
  });

  it('are sorted: strings by code unit', () => {
    const model = new LogisticRegression({ maximumNumberOfIterations: 1 });
    model.train(features, roundRobin(rows, ['b', 'a', 'Z', 'ä', '10', '9']));
    expect(model.classes).toEqual(['10', '9', 'Z', 'a', 'b', 'ä']);
    expect(new LogisticRegression({ classes: ['b', 'a'] }).classes).toEqual(['a', 'b']);
  });

  it('are what predict gives, and what score counts', () => {
    const model = new LogisticRegression({ maximumNumberOfIterations: 200 });
    const x = [[-2], [-1], [1], [2]];
    model.train(x, ['left', 'left', 'right', 'right']);
    expect(model.predict(x)).toEqual(['left', 'left', 'right', 'right']);
    expect(model.score(x, ['left', 'left', 'right', 'left'])).toBe(0.75);
    const table = model.predictProbabilities(x);
    expect(table.map(([left, right]) => left! > right!)).toEqual([true, true, false, false]);
  });

  it('of several columns give the likeliest label', () => {
    const model = new LogisticRegression({ learningRate: 1, maximumNumberOfIterations: 2000 });
    const x = [
      [0, 0],
      [4, 0],
      [0, 4],
    ];
    model.train(x, [30, 10, 20]);
    expect(model.predict(x)).toEqual([30, 10, 20]);
  });

  it('that labels mix are refused', () => {
    const model = new LogisticRegression();
    expect(() => model.train([[1], [2]], ['a', 1])).toThrow(InvalidDataError);
    expect(() => model.train([[1], [2]], [1, Number.NaN])).toThrow(InvalidDataError);
  });

  it('that are one only are refused, unless they are named', () => {
    expect(() => new LogisticRegression().train([[1], [2]], [1, 1])).toThrow(/one class only, 1/);
    expect(() => new LogisticRegression().train([[1], [2]], [1, 1])).toThrow(InvalidDataError);
    const model = new LogisticRegression({ classes: [0, 1], maximumNumberOfIterations: 1 });
    expect(model.train([[1], [2]], [1, 1])).toHaveLength(1);
  });

  it('that are unknown are refused, naming the row', () => {
    const model = new LogisticRegression({ classes: ['a', 'b'] });
    expect(() => model.train([[1], [2]], ['a', 'c'])).toThrow(UnknownLabelError);
    expect(() => model.train([[1], [2]], ['a', 'c'])).toThrow(/"c" of row 1.*"a", "b"/);
    model.train([[1], [2]], ['a', 'b']);
    expect(() => model.score([[1]], ['c'])).toThrow(UnknownLabelError);
    expect(() => model.computeGradients([[1]], [0])).toThrow(UnknownLabelError);
  });

  it.each([
    [['a']],
    [[1, 1]],
    [[]],
    [['a', 1]],
    [[1, Number.NaN]],
    ['ab'],
  ])('given as %j are an illegal option', (classes) => {
    expect(() => new LogisticRegression({ classes: classes as never })).toThrow(InvalidOptionError);
  });
});
