import type { OptimizerOption } from 'mainstem';
import {
  createOptimizer,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  LinearRegression,
  MemoryStore,
  ModelParameters,
  seededRandom,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { createOptimizerState } from '../../../src/optimizers/Optimizer.ts';
import { flatLayout, numbersOf, randomRows } from '../helpers.ts';

const layout = flatLayout(70_000);
const children = ['a', 'b', 'c', 'd'];

function randomValues(seed: number): Float64Array<ArrayBuffer> {
  const random = seededRandom(seed);
  return Float64Array.from({ length: layout.length }, () => 2 * random.next() - 1);
}

const modes = [
  { mode: 'synchronous', children: 4 },
  { mode: 'buffered', updates: 4 },
] as const;

describe('buffered with as many updates as children, none stale, is synchronous, bit for bit', () => {
  test('gradients', () => {
    const [one, other] = modes.map((mode) => {
      const coordinator = new DistributedGradientsCoordinator({ mode, optimizer: 'momentum' });
      coordinator.setModelParameters(new ModelParameters(layout, randomValues(0)));
      for (let round = 1; round <= 3; round++)
        for (const [index, childId] of children.entries()) {
          const info = { sampleCount: 3 + index, baseVersion: coordinator.version };
          coordinator.addGradients(new Gradients(layout, randomValues(10 * round + index), info), {
            childId,
          });
        }
      expect(coordinator.version).toBe(4);
      return coordinator.getModelParameters().values;
    });
    expect(one).toEqual(other);
  });

  test('parameters', () => {
    const [one, other] = modes.map((mode) => {
      const coordinator = new DistributedModelParametersCoordinator({ mode });
      coordinator.setMainModelParameters(new ModelParameters(layout, randomValues(0)));
      for (let round = 1; round <= 3; round++)
        for (const [index, childId] of children.entries()) {
          const info = { sampleCount: 3 + index, baseVersion: coordinator.version };
          coordinator.addModelParameters(
            new ModelParameters(layout, randomValues(10 * round + index), info),
            {
              childId,
            },
          );
        }
      expect(coordinator.version).toBe(4);
      return coordinator.getModelParameters().values;
    });
    expect(one).toEqual(other);
  });
});

test('synchronous rounds of one full-batch step are training on all the rows', async () => {
  const random = seededRandom(3);
  const rows = randomRows(random, 60, 3);
  const labels = rows.map(([x, y, z]) => 2 * x! - y! + 0.5 * z! + 1);
  const whole = new LinearRegression({ learningRate: 0.1, maximumNumberOfIterations: 40 });
  const start = new LinearRegression({ maximumNumberOfIterations: 0 });
  start.train(rows, labels);
  whole.setModelParameters(start.getModelParameters());
  whole.train(rows, labels);
  const coordinator = new DistributedGradientsCoordinator({
    mode: { mode: 'synchronous', children: 3 },
    learningRate: 0.1,
  });
  coordinator.setModelParameters(start.getModelParameters());
  const shards = [
    [0, 7],
    [7, 40],
    [40, 60],
  ] as const;
  const model = new LinearRegression();
  for (let round = 0; round < 40; round++) {
    const main = coordinator.getModelParameters();
    for (const [index, [from, to]] of shards.entries()) {
      model.setModelParameters(main);
      const gradients = model.computeGradients(rows.slice(from, to), labels.slice(from, to));
      const { values, sampleCount } = gradients;
      const update = new Gradients(main.layout, values, { sampleCount, baseVersion: main.baseVersion });
      coordinator.addGradients(update, { childId: `shard${index}` });
    }
  }
  expect(coordinator.version).toBe(41);
  const got = numbersOf(coordinator.getModelParameters());
  for (const [i, value] of numbersOf(whole.getModelParameters()).entries())
    expect(Math.abs(got[i]! - value)).toBeLessThanOrEqual(1e-12 * Math.abs(value));
});

describe('a server optimizer', () => {
  const mode = { mode: 'synchronous', children: 2 } as const;
  const small = flatLayout(3);
  const start = [1, -2, 0.5];
  const sent = [
    [
      [2, 0, 0],
      [0, 0, 1],
    ],
    [
      [1, 1, 1],
      [3, -1, 0],
    ],
    [
      [0, 0, 0],
      [0, 0, -4],
    ],
  ];

  function run(
    options: { serverOptimizer?: OptimizerOption; serverLearningRate?: number; store?: MemoryStore },
    rounds = sent,
  ): DistributedModelParametersCoordinator {
    const coordinator = new DistributedModelParametersCoordinator({ mode, ...options });
    coordinator.setMainModelParameters(new ModelParameters(small, Float64Array.from(start)));
    send(coordinator, rounds);
    return coordinator;
  }

  function send(coordinator: DistributedModelParametersCoordinator, rounds: number[][][]): void {
    for (const updates of rounds)
      for (const [index, values] of updates.entries()) {
        const update = new ModelParameters(small, Float64Array.from(values), { sampleCount: 1 });
        coordinator.addModelParameters(update, { childId: `c${index}` });
      }
  }

  test.each<[OptimizerOption, number]>([
    ['gradientDescent', 0.5],
    [{ name: 'momentum', momentum: 0.9 }, 1],
    [{ name: 'nesterov', momentum: 0.9 }, 0.7],
    ['adaGrad', 0.1],
    [{ name: 'adam', beta2: 0.99, epsilon: 1e-3 }, 0.1],
    [{ name: 'yogi', beta2: 0.99 }, 0.1],
  ])('moves main against main − merged: %j', (serverOptimizer, serverLearningRate) => {
    const got = numbersOf(run({ serverOptimizer, serverLearningRate }).getModelParameters());
    const optimizer = createOptimizer(serverOptimizer);
    const state = createOptimizerState(optimizer, 3);
    const main = Float64Array.from(start);
    for (const [one, other] of sent) {
      const gradient = main.map((value, i) => value - (one![i]! + other![i]!) / 2);
      state.steps++;
      optimizer.step(state, main, gradient, serverLearningRate);
    }
    for (const [i, value] of main.entries()) expect(got[i]).toBeCloseTo(value, 12);
  });

  test('gradient descent with rate 1 is no optimizer', () => {
    const plain = numbersOf(run({}).getModelParameters());
    expect(plain).toEqual([0, 0, -2]);
    const got = numbersOf(run({ serverOptimizer: 'gradientDescent' }).getModelParameters());
    for (const [i, value] of plain.entries()) expect(got[i]).toBeCloseTo(value, 15);
  });

  test('goes on after a restart with what it remembers', async () => {
    const serverOptimizer = { name: 'momentum', momentum: 0.5 } as const;
    const store = new MemoryStore();
    const before = run({ serverOptimizer, store }, sent.slice(0, 2));
    await before.close();
    const after = new DistributedModelParametersCoordinator({ mode, serverOptimizer, store });
    expect(await after.restore()).toBe(true);
    send(after, sent.slice(2));
    expect(numbersOf(after.getModelParameters())).toEqual(
      numbersOf(run({ serverOptimizer }).getModelParameters()),
    );
  });

  test('is for rounds', () => {
    expect(() => new DistributedModelParametersCoordinator({ serverOptimizer: 'adam' })).toThrow(
      /needs rounds/,
    );
    expect(() => new DistributedModelParametersCoordinator({ mode, serverLearningRate: 1 })).toThrow(
      /for a serverOptimizer/,
    );
    expect(() => run({ serverOptimizer: 'adam', serverLearningRate: 0 })).toThrow(/serverLearningRate is 0/);
    expect(() => run({ serverOptimizer: 'adam' }).setMode('immediate')).toThrow(/needs rounds/);
  });
});
