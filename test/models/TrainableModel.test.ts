import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import {
  AbortedError,
  InvalidDataError,
  ModelBusyError,
  NoGradientsError,
  NotTrainedError,
} from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { isCloneable, isGradientModel, isScorable } from '../../src/models/Model.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { TrainingStep } from '../../src/models/trainOptions.ts';
import { bits, normalRows, roundRobin, thrownBy } from './support.ts';

const rows = 30;
const features = normalRows(rows, 2, 1);
const labels = features.map((row) => row[0]! + row[1]!);

/** A clock that moves by `step` whenever it is read, and counts the turns that it gave. */
function countingClock(step: number): Clock & { turns: number; onTurn: () => void } {
  let now = 0;
  return {
    turns: 0,
    onTurn: () => {},
    now: () => {
      now += step;
      return now;
    },
    schedule: () => () => {},
    yieldTurn() {
      this.turns++;
      this.onTurn();
      return Promise.resolve();
    },
  };
}

describe('train, trainAsync and trainIterator', () => {
  const makers = {
    linear: () => new LinearRegression({ batchSize: 7, maximumNumberOfIterations: 4, seed: 5 }),
    logistic: () => new LogisticRegression({ batchSize: 7, maximumNumberOfIterations: 4, seed: 5 }),
    network: () => new NeuralNetwork({ layers: [2, 5, 1], batchSize: 7, maximumNumberOfIterations: 4 }),
  };
  it.each(['linear', 'logistic', 'network'] as const)('give the same bits: %s', async (kind) => {
    const y = kind === 'logistic' ? roundRobin(rows, ['n', 'y']) : labels;
    const [plain, async, stepped] = [makers[kind](), makers[kind](), makers[kind]()];
    const costs = plain.train(features, y);
    const asyncCosts = await async.trainAsync(features, y, { clock: countingClock(1) });
    const steps = stepped.trainIterator(features, y);
    const seen: TrainingStep[] = [];
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) seen.push(step.value);
    expect(bits(asyncCosts)).toEqual(bits(costs));
    expect(bits(step.value)).toEqual(bits(costs));
    expect(seen.filter((s) => s.cost !== undefined).map((s) => s.cost)).toEqual(costs);
    expect(seen.slice(0, 5).map((s) => s.rows)).toEqual([7, 14, 21, 28, 30]);
    expect(seen.map((s) => s.iteration)).toEqual([1, 2, 3, 4].flatMap((i) => [i, i, i, i, i]));
    const values = bits(plain.getModelParameters().values);
    expect(bits(async.getModelParameters().values)).toEqual(values);
    expect(bits(stepped.getModelParameters().values)).toEqual(values);
  });

  it('steps go through a batch in chunks of at most 256 rows', () => {
    const model = new LinearRegression();
    const big = normalRows(600, 1, 2);
    const steps = model.trainIterator(
      big,
      big.map((row) => row[0]!),
      { maximumNumberOfIterations: 1 },
    );
    expect([...steps].map((s) => s.rows)).toEqual([256, 512, 600]);
  });
});

describe('trainAsync', () => {
  const model = (): LinearRegression => new LinearRegression({ batchSize: 10, maximumNumberOfIterations: 4 });

  it('gives the event loop a turn each time 4 ms have passed, and not before', async () => {
    // 12 steps; the clock is read once a step, and once more after each turn.
    const slow = countingClock(4);
    await model().trainAsync(features, labels, { clock: slow });
    expect(slow.turns).toBe(12);
    const middling = countingClock(1);
    await model().trainAsync(features, labels, { clock: middling });
    expect(middling.turns).toBe(3);
    const fast = countingClock(0.1);
    await model().trainAsync(features, labels, { clock: fast });
    expect(fast.turns).toBe(0);
  });

  it('runs on the clock of the platform unless given one', async () => {
    expect(await model().trainAsync(features, labels)).toHaveLength(4);
  });

  it('rejects with AbortedError when its signal aborts, and keeps what was learnt', async () => {
    const controller = new AbortController();
    const clock = countingClock(4);
    clock.onTurn = () => {
      if (clock.turns === 6) controller.abort(new Error('round over'));
    };
    const child = model();
    const running = child.trainAsync(features, labels, { clock, signal: controller.signal });
    const error = await running.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AbortedError);
    expect((error as Error).cause).toEqual(new Error('round over'));
    const twin = model();
    twin.train(features, labels, { maximumNumberOfIterations: 2 });
    expect(bits(child.getModelParameters().values)).toEqual(bits(twin.getModelParameters().values));
    expect(child.train(features, labels)).toHaveLength(4);
  });

  it('does no work for a signal that has aborted', async () => {
    const child = model();
    child.train(features, labels);
    const before = bits(child.getModelParameters().values);
    const running = child.trainAsync(features, labels, { signal: AbortSignal.abort() });
    await expect(running).rejects.toThrow(AbortedError);
    expect(bits(child.getModelParameters().values)).toEqual(before);
  });

  it('rejects bad data, and a model that is busy', async () => {
    await expect(model().trainAsync([], labels)).rejects.toThrow(InvalidDataError);
    const child = model();
    const running = child.trainAsync(features, labels, { clock: countingClock(4) });
    await expect(child.trainAsync(features, labels)).rejects.toThrow(ModelBusyError);
    expect(await running).toHaveLength(4);
  });
});

describe('a model whose training is under way', () => {
  it('refuses what would disturb it, by name, and still predicts', () => {
    const model = new LinearRegression({ batchSize: 10 });
    const steps = model.trainIterator(features, labels);
    steps.next();
    const parameters = model.getModelParameters();
    const calls: [string, () => unknown][] = [
      ['train', () => model.train(features, labels)],
      ['train', () => model.trainIterator(features, labels)],
      ['setModelParameters', () => model.setModelParameters(parameters)],
      ['setParameters', () => model.setParameters({ learningRate: 1 })],
      ['computeGradients', () => model.computeGradients(features, labels)],
    ];
    for (const [name, call] of calls) {
      expect(call).toThrow(ModelBusyError);
      expect(thrownBy(call).message).toContain(name);
    }
    expect(model.predict(features)).toHaveLength(rows);
    expect(bits(model.getModelParameters().values)).toEqual(bits(parameters.values));
    steps.return([]);
    expect(model.train(features, labels, { maximumNumberOfIterations: 2 })).toHaveLength(2);
  });

  it('refuses a new optimizer state, which it would ignore', () => {
    const model = new LinearRegression({ batchSize: 10, optimizer: 'momentum' });
    const steps = model.trainIterator(features, labels);
    steps.next();
    const state = model.getOptimizerState()!;
    expect(() => model.setOptimizerState(state)).toThrow(ModelBusyError);
  });

  it('refuses to start a second iterator that was made before', () => {
    const model = new LinearRegression({ maximumNumberOfIterations: 3 });
    const first = model.trainIterator(features, labels);
    const second = model.trainIterator(features, labels);
    first.next();
    expect(() => second.next()).toThrow(ModelBusyError);
    expect([...first]).toHaveLength(2);
    expect(model.train(features, labels)).toHaveLength(3);
  });

  it('is free again when its callback throws', () => {
    const model = new LinearRegression();
    const onIteration = (): never => {
      throw new RangeError('mine');
    };
    expect(() => model.train(features, labels, { onIteration })).toThrow(RangeError);
    expect(model.train(features, labels, { maximumNumberOfIterations: 1 })).toHaveLength(1);
  });

  it('keeps parameters set since the iterator was made, when that iterator diverges', () => {
    const model = new LinearRegression({ learningRate: 1e200 });
    const steps = model.trainIterator(features, labels);
    const parameters = model.getModelParameters();
    parameters.values.fill(3);
    model.setModelParameters(parameters);
    expect(() => [...steps]).toThrow(/diverged/);
    expect([...model.getModelParameters().values]).toEqual([3, 3, 3]);
  });
});

describe('gradients', () => {
  it('are there once training has saved them, as a copy', () => {
    const model = new LinearRegression({ maximumNumberOfIterations: 2 });
    model.train(features, labels);
    expect(() => model.getGradients()).toThrow(NoGradientsError);
    model.setAreGradientsSaved(true);
    expect(() => model.getGradients()).toThrow(NoGradientsError);
    model.train(features, labels);
    const before = bits(model.getGradients().values);
    model.getGradients().values.fill(9);
    expect(bits(model.getGradients().values)).toEqual(before);
    model.setAreGradientsSaved(false);
    expect(() => model.getGradients()).toThrow(NoGradientsError);
  });

  it('computeGradients trains nothing', () => {
    const model = new NeuralNetwork({ layers: [2, 3, 1] });
    const before = JSON.stringify(model.toJSON().parameters);
    model.computeGradients(features, labels);
    const after = model.getModelParameters();
    expect(JSON.stringify(model.clone().toJSON().parameters)).toBe(JSON.stringify(after.toJSON()));
    expect(before).toBe('null');
    expect(model.getOptimizerState()!.steps).toBe(0);
  });
});

it('an untrained model says so', () => {
  for (const model of [new LinearRegression(), new LogisticRegression(), new NeuralNetwork()]) {
    expect(() => model.predict(features)).toThrow(NotTrainedError);
    expect(() => model.getModelParameters()).toThrow(NotTrainedError);
    expect(model.getOptimizerState()).toBeUndefined();
  }
  expect(() => new LogisticRegression().predictProbabilities(features)).toThrow(NotTrainedError);
});

it('what a model can do shows', () => {
  const bare = {
    train: () => [],
    predict: () => [],
    getModelParameters: () => 0,
    setModelParameters: () => {},
  };
  expect([isGradientModel, isScorable, isCloneable].map((is) => is(new NeuralNetwork()))).toEqual([
    true,
    true,
    true,
  ]);
  expect([isGradientModel, isScorable, isCloneable].map((is) => is(bare as never))).toEqual([
    false,
    false,
    false,
  ]);
});

it('parameters know the rows of the last training', () => {
  const model = new LinearRegression({ maximumNumberOfIterations: 1 });
  model.train(features, labels);
  expect(model.getModelParameters().sampleCount).toBe(rows);
  model.train(features.slice(0, 4), labels.slice(0, 4));
  expect(model.getModelParameters().sampleCount).toBe(4);
});
