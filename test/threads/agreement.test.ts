import fc from 'fast-check';
import type { OptimizerOption, TrainableModel, TrainingOptions } from 'mainstem';
import { kernels, LinearRegression, LogisticRegression, NeuralNetwork, seededRandom } from 'mainstem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Predictions } from '../../src/models/Model.ts';
import type { Threads } from '../../src/threads/Threads.ts';
import { normalRows, roundRobin } from '../models/support.ts';
import { startThreads } from './support.ts';

type AnyModel = TrainableModel<TrainingOptions, Predictions>;
type AnyKind = NeuralNetwork | LinearRegression | LogisticRegression;
type Dtype = 'float32' | 'float64';

let threads: Threads;
let three: Threads;
beforeAll(async () => {
  [threads, three] = await Promise.all([startThreads(), startThreads({ count: 3 })]);
});
afterAll(async () => {
  await Promise.all([threads.close(), three.close()]);
});

const tolerances: Record<Dtype, number> = { float32: 1e-5, float64: 1e-12 };

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(got[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    worst = Math.max(worst, Number.isNaN(distance) ? Infinity : distance);
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}

/** Trains two twins, one on this thread, and compares all that a training leaves behind. */
async function expectAgreement(
  untrained: AnyKind,
  features: number[][],
  labels: readonly (number | string | number[])[],
  dtype: Dtype,
  crew: Threads = threads,
): Promise<void> {
  const alone = untrained.clone() as unknown as AnyModel;
  const together = untrained.clone() as unknown as AnyModel;
  for (const model of [alone, together]) model.setAreGradientsSaved(true);
  const options = { maximumNumberOfIterations: 4 };
  const expected = alone.train(features, labels as number[], options);
  const result = await crew.train(together, features, labels as number[], options);
  expect(result.threads, result.message).toBeGreaterThan(1);
  const tolerance = tolerances[dtype];
  expectClose(result.costs, expected, tolerance);
  expectClose(together.getModelParameters().values, alone.getModelParameters().values, tolerance);
  expectClose(together.getGradients().values, alone.getGradients().values, tolerance);
  expect(together.getModelParameters().sampleCount).toBe(features.length);
  const [own, other] = [alone.getOptimizerState()!, together.getOptimizerState()!];
  expect(other.steps).toBe(own.steps);
  own.slots.forEach((slot, index) => {
    expectClose(other.slots[index]!, slot, tolerance);
  });
  // What is random goes on from the same place.
  expect((together.toJSON() as { random: unknown }).random).toEqual(
    (alone.toJSON() as { random: unknown }).random,
  );
}

const rows = 45;
const features = normalRows(rows, 7, 3);
const numbers = features.map((row) => row[0]! - 2 * row[1]! + 0.1);
const classes = roundRobin(rows, ['ash', 'elm', 'oak']);
const dtypes: readonly Dtype[] = ['float32', 'float64'];

describe.each(dtypes)('%s: on two threads as on one', (dtype) => {
  test.each([1, 3, 8, 13, 44, 45, 99])('a classifier in batches of %i', async (batchSize) => {
    const layers = [
      7,
      { units: 9, activation: 'tanh' as const },
      { units: 3, activation: 'softmax' as const },
    ];
    const model = new NeuralNetwork({ layers, dtype, batchSize, classes: ['ash', 'elm', 'oak'], seed: 4 });
    await expectAgreement(model, features, classes, dtype);
  });

  test.each([
    'identity',
    'relu',
    'leakyRelu',
    'elu',
    'sigmoid',
    'softplus',
    'silu',
    'mish',
    'gaussian',
  ] as const)('a network of %s with several outputs', async (activation) => {
    const layers = [
      7,
      { units: 6, activation },
      { units: 5, activation },
      { units: 2, activation: 'identity' as const },
    ];
    const model = new NeuralNetwork({
      layers,
      dtype,
      batchSize: 10,
      seed: 2,
      optimizer: 'momentum',
      learningRate: 0.01,
    });
    const labels = features.map((row) => [row[0]!, row[1]! * row[2]!]);
    await expectAgreement(model, features, labels, dtype);
  });

  test.each(['meanSquaredError', 'huber'] as const)('loss %s', async (loss) => {
    const model = new NeuralNetwork({ layers: [7, 5, 1], dtype, batchSize: 16, loss, seed: 2 });
    await expectAgreement(model, features, numbers, dtype);
  });

  test('loss hinge', async () => {
    const model = new NeuralNetwork({
      layers: [7, 5, 1],
      dtype,
      loss: 'hinge',
      classes: ['a', 'b'],
      seed: 2,
    });
    await expectAgreement(model, features, roundRobin(rows, ['a', 'b']), dtype);
  });

  test.each([undefined, 6, 32] as const)('both regressions in batches of %s', async (batchSize) => {
    const options = batchSize === undefined ? { dtype } : { dtype, batchSize };
    await expectAgreement(new LinearRegression(options), features, numbers, dtype);
    const labels = numbers.map((value) => (value > 0 ? 1 : 0));
    await expectAgreement(new LogisticRegression(options), features, labels, dtype);
    await expectAgreement(new LogisticRegression(options), features, classes, dtype);
    const pairs = numbers.map((value, row) => [value, row / rows]);
    await expectAgreement(new LinearRegression(options), features, pairs, dtype);
  });

  test('without an intercept', async () => {
    const model = new LinearRegression({ dtype, fitIntercept: false });
    await expectAgreement(model, features, numbers, dtype);
  });

  const optimizers: readonly OptimizerOption[] = [
    'gradientDescent',
    'momentum',
    'nesterov',
    'adaGrad',
    'rmsProp',
    'adam',
    'adamW',
  ];
  test.each(optimizers)('optimizer %s', async (optimizer) => {
    const layers = [
      7,
      { units: 9, activation: 'tanh' as const },
      { units: 3, activation: 'softmax' as const },
    ];
    const model = new NeuralNetwork({ layers, dtype, batchSize: 12, optimizer, learningRate: 0.01, seed: 1 });
    await expectAgreement(model, features, roundRobin(rows, [0, 1, 2]), dtype);
  });

  test.each([
    { gradientClipping: { norm: 0.05 } },
    { gradientClipping: { norm: 1e6 } },
    { gradientClipping: { value: 0.01 } },
    { penalty: { l1: 0.01, l2: 0.1 } },
    { frozen: ['layers.0.*'] },
    { frozen: ['layers.1.bias'], gradientClipping: { norm: 0.05 }, penalty: { l2: 0.1 } },
    { learningRateSchedule: { name: 'exponential' as const, factor: 0.9 } },
  ])('options %j', async (options) => {
    const layers = [
      7,
      { units: 9, activation: 'tanh' as const },
      { units: 3, activation: 'softmax' as const },
    ];
    const model = new NeuralNetwork({
      layers,
      dtype,
      batchSize: 12,
      optimizer: 'momentum',
      learningRate: 0.05,
      seed: 1,
      ...options,
    });
    await expectAgreement(model, features, roundRobin(rows, [0, 1, 2]), dtype);
  });

  test('a second training goes on from the first', async () => {
    const model = new NeuralNetwork({ layers: [7, 5, 1], dtype, batchSize: 16, seed: 2 });
    await threads.train(model, features, numbers, { maximumNumberOfIterations: 2 });
    await expectAgreement(model, features, numbers, dtype);
  });

  test('three threads, and fewer rows than threads', async () => {
    const model = new NeuralNetwork({ layers: [7, 5, 1], dtype, batchSize: 16, seed: 2 });
    await expectAgreement(model, features, numbers, dtype, three);
    await expectAgreement(model, features.slice(0, 2), numbers.slice(0, 2), dtype, three);
    await expectAgreement(model, features.slice(0, 1), numbers.slice(0, 1), dtype);
  });

  test('networks of any shape on rows of any number', async () => {
    const size = fc.constantFrom(1, 2, 3, 5, 7, 8, 16, 33, 64, 65);
    const shapes = fc.record({
      layers: fc.array(size, { minLength: 2, maxLength: 4 }),
      rows: fc.integer({ min: 1, max: 70 }),
      batchSize: fc.integer({ min: 1, max: 80 }),
      isThree: fc.boolean(),
      seed: fc.integer({ min: 0, max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ layers, rows: count, batchSize, isThree, seed }) => {
        const random = seededRandom(seed);
        const draw = (columns: number): number[][] =>
          Array.from({ length: count }, () => Array.from({ length: columns }, () => random.next() - 0.5));
        const model = new NeuralNetwork({
          layers: layers.map((units, index) =>
            index === 0 ? units : { units, activation: 'tanh' as const },
          ),
          loss: 'meanSquaredError',
          dtype,
          batchSize,
          seed,
          optimizer: 'momentum',
          learningRate: 0.01,
        });
        const [x, y] = [draw(layers[0]!), draw(layers[layers.length - 1]!)];
        await expectAgreement(model, x, y, dtype, isThree ? three : threads);
      }),
      { numRuns: 40, seed: 1 },
    );
  });
});

test('more rows than one chunk of a thread', async () => {
  const x = normalRows(1200, 3, 8);
  const y = x.map((row) => row[0]! * row[1]!);
  const model = new NeuralNetwork({ layers: [3, 8, 1], dtype: 'float64', batchSize: 1200, seed: 2 });
  await expectAgreement(model, x, y, 'float64');
});

test('a large training after small ones, when the shared memory has to grow', async () => {
  const x = normalRows(400, 400, 8);
  const y = x.map((row) => row[0]!);
  const model = new NeuralNetwork({ layers: [400, 300, 1], dtype: 'float64', batchSize: 50, seed: 2 });
  await expectAgreement(model, x, y, 'float64');
});

test('each build of the kernels has a memory of its own', async () => {
  const best = kernels.name;
  try {
    for (const name of kernels.available.slice(1)) {
      kernels.select(name);
      const model = new NeuralNetwork({ layers: [7, 5, 1], dtype: 'float64', batchSize: 16, seed: 2 });
      await expectAgreement(model, features, numbers, 'float64');
    }
  } finally {
    kernels.select(best);
  }
});
