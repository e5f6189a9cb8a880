import { describe, expect, it } from 'vitest';
import { DivergedError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { seededRandom, shuffle } from '../../src/random.ts';
import { bits, normalRows, relativeDistance, roundRobin } from './support.ts';

const rows = 10;
const features = normalRows(rows, 2, 1);
const labels = features.map((row) => row[0]! - 2 * row[1]! + 1);
const penalty = { l2: 0.1 };

/** Mini-batch gradient descent on linear regression, hand-rolled; the order is that of the seed. */
function reference(batchSize: number, iterations: number, seed: number) {
  const random = seededRandom(seed, 1);
  const theta = [0, 0, 0];
  const costs: number[] = [];
  let mean = [0, 0, 0];
  const orders: number[][] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    const order = Array.from({ length: rows }, (_, i) => i);
    if (batchSize < rows) shuffle(order, random);
    orders.push(order);
    let total = 0;
    mean = [0, 0, 0];
    for (let first = 0; first < rows; first += batchSize) {
      const batch = order.slice(first, first + batchSize);
      const gradient = [penalty.l2 * theta[0]!, penalty.l2 * theta[1]!, 0];
      let cost = (penalty.l2 / 2) * (theta[0]! ** 2 + theta[1]! ** 2);
      for (const row of batch) {
        const x = [...features[row]!, 1];
        const error = x.reduce((sum, value, j) => sum + value * theta[j]!, 0) - labels[row]!;
        cost += error ** 2 / batch.length;
        for (let j = 0; j < 3; j++) gradient[j]! += (2 * error * x[j]!) / batch.length;
      }
      total += cost * batch.length;
      for (let j = 0; j < 3; j++) {
        mean[j]! += (gradient[j]! * batch.length) / rows;
        theta[j]! -= 0.05 * gradient[j]!;
      }
    }
    costs.push(total / rows);
  }
  return { theta, costs, mean, orders };
}

describe('an iteration', () => {
  it.each([
    ['all rows', 10],
    ['more than all rows', 99],
    ['batches that do not divide the rows', 4],
    ['single rows', 1],
  ])('is one pass over %s', (_name, batchSize) => {
    const model = new LinearRegression({ learningRate: 0.05, batchSize, penalty, seed: 3 });
    model.setAreGradientsSaved(true);
    const costs = model.train(features, labels, { maximumNumberOfIterations: 5 });
    const wanted = reference(batchSize, 5, 3);
    expect(costs).toHaveLength(5);
    expect(relativeDistance(costs, wanted.costs)).toBeLessThan(1e-12);
    expect(relativeDistance(model.getModelParameters().values, wanted.theta)).toBeLessThan(1e-12);
    const gradients = model.getGradients();
    expect(relativeDistance(gradients.values, wanted.mean)).toBeLessThan(1e-12);
    expect(gradients.sampleCount).toBe(rows);
  });

  it('shuffles anew each time, by the seed', () => {
    const { orders } = reference(4, 2, 3);
    expect(orders[0]).not.toEqual(orders[1]);
    const train = (seed: number, batchSize: number): number[] => {
      const model = new LinearRegression({ learningRate: 0.05, seed, batchSize });
      model.train(features, labels, { maximumNumberOfIterations: 2 });
      return bits(model.getModelParameters().values);
    };
    expect(train(3, 4)).toEqual(train(3, 4));
    expect(train(3, 4)).not.toEqual(train(4, 4));
    expect(train(3, rows)).toEqual(train(4, rows));
  });

  it('of a full batch has the gradient of the parameters before its step', () => {
    const model = new LogisticRegression({ maximumNumberOfIterations: 1 });
    const classes = roundRobin(rows, [0, 1]);
    model.train(features, classes);
    const expected = model.computeGradients(features, classes);
    model.setAreGradientsSaved(true);
    model.train(features, classes);
    expect(bits(model.getGradients().values)).toEqual(bits(expected.values));
  });
});

describe('training ends', () => {
  it('after maximumNumberOfIterations, that of the call before that of the model', () => {
    const model = new LinearRegression({ maximumNumberOfIterations: 7 });
    expect(model.train(features, labels)).toHaveLength(7);
    expect(model.train(features, labels, { maximumNumberOfIterations: 2 })).toHaveLength(2);
    expect(model.train(features, labels, { maximumNumberOfIterations: 0 })).toEqual([]);
    expect(model.train(features, labels)).toHaveLength(7);
  });

  it('at the first change of cost below the tolerance', () => {
    const free = new LinearRegression({ maximumNumberOfIterations: 200 }).train(features, labels);
    const last = free.findIndex((cost, i) => i > 0 && Math.abs(free[i - 1]! - cost) < 1e-3);
    expect(last).toBeGreaterThan(1);
    const costs = new LinearRegression({ tolerance: 1e-3, maximumNumberOfIterations: 200 }).train(
      features,
      labels,
    );
    expect(costs).toEqual(free.slice(0, last + 1));
    const flat = new LinearRegression({ learningRate: 0, tolerance: 0, maximumNumberOfIterations: 5 });
    expect(flat.train(features, labels)).toHaveLength(5);
  });

  it('when onIteration returns false, and only then', () => {
    const reports: number[][] = [];
    const model = new LinearRegression();
    const costs = model.train(features, labels, {
      onIteration: ({ iteration, cost }) => {
        reports.push([iteration, cost]);
        return iteration === 3 ? false : undefined;
      },
    });
    expect(reports).toEqual(costs.map((cost, i) => [i + 1, cost]));
    expect(costs).toHaveLength(3);
    const twin = new LinearRegression();
    twin.train(features, labels, { maximumNumberOfIterations: 3 });
    expect(bits(model.getModelParameters().values)).toEqual(bits(twin.getModelParameters().values));
  });

  it('a learning rate of 0 changes nothing', () => {
    const network = new NeuralNetwork({ layers: [2, 3, 1], learningRate: 0, optimizer: 'gradientDescent' });
    const before = bits(network.getModelParameters().values);
    network.train(features, labels);
    expect(bits(network.getModelParameters().values)).toEqual(before);
  });
});

describe('divergence', () => {
  const options = { learningRate: 1e200, optimizer: 'momentum', batchSize: 4, seed: 2 } as const;

  it('names the iteration', () => {
    const model = new LinearRegression({ learningRate: 1e3, maximumNumberOfIterations: 1000 });
    let reported = 0;
    const onIteration = ({ iteration }: { iteration: number }): void => {
      reported = iteration;
    };
    let error: unknown;
    try {
      model.train(features, labels, { onIteration });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(DivergedError);
    expect(reported).toBeGreaterThan(1);
    expect((error as DivergedError).iteration).toBe(reported + 1);
    expect((error as DivergedError).message).toContain(`iteration ${reported + 1}`);
  });

  it.each([
    ['linear', () => new LinearRegression(options), labels],
    ['network', () => new NeuralNetwork({ ...options, layers: [2, 3, 1] }), labels],
  ] as const)('leaves parameters, optimizer and random state as they were: %s', (_name, make, y) => {
    const model = make();
    model.setParameters({ learningRate: 0.01 });
    model.setAreGradientsSaved(true);
    model.train(features, y, { maximumNumberOfIterations: 3 });
    const before = JSON.stringify(model.toJSON());
    const gradients = bits(model.getGradients().values);
    model.setParameters({ learningRate: 1e200 });
    expect(() => model.train(features, y)).toThrow(DivergedError);
    model.setParameters({ learningRate: 0.01 });
    expect(JSON.stringify(model.toJSON())).toBe(before);
    expect(bits(model.getGradients().values)).toEqual(gradients);
    expect(model.train(features, y, { maximumNumberOfIterations: 1 })).toHaveLength(1);
  });

  it('that shows in the parameters only is found at the end', () => {
    const model = new LinearRegression({ learningRate: 1e308, maximumNumberOfIterations: 1 });
    expect(() => model.train([[1e3]], [1e3])).toThrow(/parameter 0 became Infinity/);
    expect(() => model.getModelParameters()).toThrow();
  });

  it('leaves a model that was untrained untrained', () => {
    const model = new LogisticRegression({ learningRate: 1e308, penalty: { l2: 1 } });
    const classes = roundRobin(rows, [0, 1]);
    expect(() => model.train(features, classes)).toThrow(DivergedError);
    expect(() => model.predict(features)).toThrow(/no parameters/);
    expect(model.classes).toBeUndefined();
    model.setParameters({ learningRate: 0.1 });
    model.train(features, roundRobin(rows, ['x', 'y']));
    expect(model.classes).toEqual(['x', 'y']);
  });
});

describe('the same seed', () => {
  const classes = roundRobin(rows, ['a', 'b', 'c']);
  const models = {
    linear: (seed: number) => new LinearRegression({ seed, batchSize: 3, optimizer: 'adam' }),
    logistic: (seed: number) => new LogisticRegression({ seed, batchSize: 3, optimizer: 'momentum' }),
    network: (seed: number) => new NeuralNetwork({ seed, batchSize: 3 }),
  };
  it.each(['linear', 'logistic', 'network'] as const)('gives the same bits twice: %s', (kind) => {
    const y = kind === 'linear' ? labels : classes;
    const run = (seed: number): number[][] => {
      const model = models[kind](seed);
      const costs = model.train(features, y, { maximumNumberOfIterations: 4 });
      return [bits(costs), bits(model.getModelParameters().values)];
    };
    expect(run(7)).toEqual(run(7));
    const [costs, values] = run(7);
    const [otherCosts, otherValues] = run(8);
    expect(costs).not.toEqual(otherCosts);
    expect(values).not.toEqual(otherValues);
  });
});
