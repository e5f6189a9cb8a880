import fc from 'fast-check';
import type { Label } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  LinearRegression,
  LogisticRegression,
  NeuralNetwork,
  seededRandom,
} from 'mainstem';
import { expect, test } from 'vitest';
import { randomRows } from './helpers.ts';

interface Kind {
  readonly name: string;
  create(): LinearRegression | LogisticRegression | NeuralNetwork;
  label(row: readonly number[]): Label;
}

const classOf = (row: readonly number[]): number =>
  (row[0] as number) > 0.3 ? 2 : (row[1] as number) > 0 ? 1 : 0;
const network = (dtype: 'float32' | 'float64') =>
  new NeuralNetwork({
    layers: [3, { units: 6, activation: 'tanh' }, { units: 3, activation: 'softmax' }],
    dtype,
    penalty: { l2: 0.01 },
    optimizer: 'gradientDescent',
    learningRate: 0.1,
    batchSize: 1000,
    seed: 5,
  });

const kinds: readonly Kind[] = [
  {
    name: 'LinearRegression',
    create: () => new LinearRegression({ penalty: { l2: 0.1 } }),
    label: (row) => 3 * (row[0] as number) - (row[2] as number) + 1,
  },
  {
    name: 'LogisticRegression, two classes',
    create: () => new LogisticRegression({ classes: ['a', 'b'] }),
    label: (row) => ((row[0] as number) > 0 ? 'a' : 'b'),
  },
  {
    name: 'LogisticRegression, three classes',
    create: () => new LogisticRegression({ classes: [0, 1, 2] }),
    label: classOf,
  },
  { name: 'NeuralNetwork', create: () => network('float64'), label: classOf },
];

/** One step over the shards, and one over all rows, from the same start. Returns the largest relative difference. */
function compare(kind: Kind, sizes: readonly number[], seed: number): number {
  const random = seededRandom(seed);
  const shards = sizes.map((size) => randomRows(random, size, 3));
  const all = shards.flat();
  const pooled = kind.create();
  pooled.train(all, all.map(kind.label) as string[], { maximumNumberOfIterations: 2 });
  const coordinator = new DistributedGradientsCoordinator({
    childrenPerUpdate: shards.length,
    learningRate: 0.1,
  });
  coordinator.setModelParameters(pooled.getModelParameters());
  shards.forEach((rows, index) => {
    const child = kind.create();
    child.setModelParameters(coordinator.getModelParameters());
    child.setAreGradientsSaved(true);
    child.train(rows, rows.map(kind.label) as string[], { maximumNumberOfIterations: 1 });
    const receipt = coordinator.addGradients(child.getGradients(), { childId: `child-${index}` });
    expect(receipt.status).toBe(index === shards.length - 1 ? 'applied' : 'accepted');
  });
  pooled.train(all, all.map(kind.label) as string[], { maximumNumberOfIterations: 1 });
  const expected = pooled.getModelParameters().values;
  const scale = Math.max(...Array.from(expected, Math.abs));
  const got = coordinator.getModelParameters().values;
  return Math.max(...Array.from(got, (value, i) => Math.abs(value - (expected[i] as number)) / scale));
}

for (const kind of kinds) {
  test(`${kind.name}: one synchronous full-batch step over any shards equals one on their union`, () => {
    const shardSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(shardSizes, fc.integer({ min: 0, max: 1e6 }), (sizes, seed) => {
        expect(compare(kind, sizes, seed)).toBeLessThan(1e-12);
      }),
      { numRuns: 25, seed: 7 },
    );
  });
}

test('in float32 the same holds to 1e-5', () => {
  const kind: Kind = { name: 'float32', create: () => network('float32'), label: classOf };
  expect(compare(kind, [3, 50, 17, 1], 3)).toBeLessThan(1e-5);
});
