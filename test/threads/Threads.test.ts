import { Worker } from 'node:worker_threads';
import type { IterationReport, Logger, Optimizer } from 'mainstem';
import {
  AbortedError,
  DivergedError,
  GradientDescent,
  InvalidDataError,
  InvalidOptionError,
  kernels,
  LinearRegression,
  ModelBusyError,
  NeuralNetwork,
} from 'mainstem';
import { formulaActivation } from 'mainstem/formulas';
import { createThreads, ThreadFailedError, ThreadsClosedError } from 'mainstem/threads';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createThreadsWith } from '../../src/threads/createThreads.ts';
import { nodeThread } from '../../src/threads/startThread.ts';
import type { Threads } from '../../src/threads/Threads.ts';
import { normalRows, roundRobin } from '../models/support.ts';
import { startSourceThread, startThreads } from './support.ts';

let threads: Threads;
beforeAll(async () => {
  threads = await startThreads();
});
afterAll(() => threads.close());

const features = normalRows(45, 7, 3);
const labels = features.map((row) => row[0]! - 2 * row[1]!);

function network(options: object = {}): NeuralNetwork {
  return new NeuralNetwork({ layers: [7, 9, 1], batchSize: 10, seed: 4, ...options });
}

describe('a training on threads', () => {
  test('gives the same bits again', async () => {
    const runs = [];
    for (let run = 0; run < 3; run++) {
      const model = network();
      const { costs } = await threads.train(model, features, labels, { maximumNumberOfIterations: 20 });
      runs.push({ costs, values: model.getModelParameters().values });
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  test('is what trainAsync with threads does', async () => {
    const [one, other] = [network(), network()];
    const { costs } = await threads.train(one, features, labels, { maximumNumberOfIterations: 3 });
    expect(await other.trainAsync(features, labels, { maximumNumberOfIterations: 3, threads })).toEqual(
      costs,
    );
    expect(other.getModelParameters().values).toEqual(one.getModelParameters().values);
  });

  test('leaves the event loop free and the model busy', async () => {
    const model = network();
    const training = threads.train(model, features, labels, { maximumNumberOfIterations: 3 });
    expect(() => model.train(features, labels)).toThrow(ModelBusyError);
    expect(() => model.setModelParameters(model.getModelParameters())).toThrow(ModelBusyError);
    await expect(threads.train(model, features, labels)).rejects.toThrow(ModelBusyError);
    await training;
    expect(model.train(features, labels, { maximumNumberOfIterations: 1 })).toHaveLength(1);
  });

  test('takes turns with others', async () => {
    const apart = [];
    for (const seed of [1, 2, 3]) {
      const model = network({ seed });
      apart.push((await threads.train(model, features, labels, { maximumNumberOfIterations: 8 })).costs);
    }
    const together = await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const model = network({ seed });
        return (await threads.train(model, features, labels, { maximumNumberOfIterations: 8 })).costs;
      }),
    );
    expect(together).toEqual(apart);
  });

  test('reports each iteration, with parameters as they are then, and ends when told to', async () => {
    const model = network();
    const reports: IterationReport[] = [];
    const seen: number[] = [];
    const { costs } = await threads.train(model, features, labels, {
      maximumNumberOfIterations: 50,
      validation: { features: features.slice(0, 9), labels: labels.slice(0, 9) },
      onIteration: (report) => {
        reports.push(report);
        seen.push(model.computeCost(features.slice(0, 9), labels.slice(0, 9)));
        return report.iteration < 4;
      },
    });
    expect(costs).toHaveLength(4);
    expect(reports.map(({ cost }) => cost)).toEqual(costs);
    expect(reports.map(({ validationCost }) => validationCost)).toEqual(seen);
  });

  test('ends by early stopping with the best parameters, and by tolerance', async () => {
    const model = network({ optimizer: 'momentum', learningRate: 0.02 });
    const validation = { features: normalRows(20, 7, 9), labels: normalRows(20, 1, 8) };
    const lows: number[] = [];
    const { costs } = await threads.train(model, features, labels, {
      maximumNumberOfIterations: 400,
      validation,
      earlyStopping: { patience: 3 },
      onIteration: ({ validationCost }) => {
        lows.push(validationCost!);
      },
    });
    expect(costs.length).toBeLessThan(400);
    expect(model.computeCost(validation.features, validation.labels)).toBe(Math.min(...lows));
    const slow = network({ tolerance: 10 });
    expect((await threads.train(slow, features, labels)).costs).toHaveLength(2);
  });

  test('stops at a signal and keeps what was learnt', async () => {
    const model = network();
    const before = model.getModelParameters().values;
    const controller = new AbortController();
    const training = threads.train(model, features, labels, {
      maximumNumberOfIterations: 1e6,
      signal: controller.signal,
      onIteration: ({ iteration }) => {
        if (iteration === 3) controller.abort('enough');
      },
    });
    await expect(training).rejects.toThrow(AbortedError);
    expect(model.getModelParameters().values).not.toEqual(before);
    // Three passes of five batches, and at most what of the fourth was done before the signal was seen.
    const { steps } = model.getOptimizerState()!;
    expect(steps).toBeGreaterThanOrEqual(15);
    expect(steps).toBeLessThanOrEqual(20);
    expect(model.train(features, labels, { maximumNumberOfIterations: 1 })).toHaveLength(1);
  });

  test('stops in the middle of a pass', async () => {
    // A pass of so many batches that the signal comes long before its end.
    const rows = 200_000;
    const long = { data: new Float64Array(rows).fill(0.5), rows, columns: 1 };
    const model = new LinearRegression({ batchSize: 1, learningRate: 1e-6 });
    const controller = new AbortController();
    const training = threads.train(model, long, new Float64Array(rows), {
      maximumNumberOfIterations: 1000,
      signal: controller.signal,
    });
    setImmediate(() => controller.abort());
    await expect(training).rejects.toThrow(AbortedError);
    expect(model.getOptimizerState()!.steps).toBeLessThan(rows * 1000);
  });

  test('that diverges leaves the model as it was', async () => {
    const model = network({ optimizer: 'gradientDescent', learningRate: 1e30, gradientClipping: undefined });
    await threads.train(model, features, labels, { maximumNumberOfIterations: 0 });
    const before = model.toJSON();
    const training = threads.train(model, features, labels, { maximumNumberOfIterations: 10 });
    await expect(training).rejects.toThrow(DivergedError);
    await expect(training).rejects.toThrow(/diverged in iteration 1: the cost became/);
    expect(model.toJSON()).toEqual(before);
    model.setParameters({ learningRate: 0.01 });
    expect((await threads.train(model, features, labels, { maximumNumberOfIterations: 2 })).threads).toBe(2);
  });

  test('refuses what train refuses', async () => {
    await expect(threads.train(network(), features, labels.slice(1))).rejects.toThrow(InvalidDataError);
    const unknown = { iterations: 3 } as object;
    await expect(threads.train(network(), features, labels, unknown)).rejects.toThrow(InvalidOptionError);
    const rateAt = (): number => -1;
    const model = network({ learningRateSchedule: { description: 'custom', rateAt } });
    await expect(threads.train(model, features, labels)).rejects.toThrow(InvalidOptionError);
    expect(
      (await threads.train(network(), features, labels, { maximumNumberOfIterations: 0 })).costs,
    ).toEqual([]);
  });

  test('takes typed matrices, strings and preprocessing as train does', async () => {
    const model = network({
      layers: [7, 5, { units: 3, activation: 'softmax' }],
      preprocessing: [{ name: 'standardScaler' }],
    });
    const twin = model.clone();
    const words = roundRobin(45, ['a', 'b', 'c']);
    const matrix = { data: Float64Array.from(features.flat()), rows: 45, columns: 7 };
    await threads.train(model, matrix, words, { maximumNumberOfIterations: 5 });
    twin.train(matrix, words, { maximumNumberOfIterations: 5 });
    expect(model.predict(features)).toEqual(twin.predict(features));
  });
});

class OwnDescent extends GradientDescent {}

describe('a training that is not for threads runs on one, and says why', () => {
  const softsign = (): object => formulaActivation('x / (1 + abs(x))');
  test.each<[string, () => NeuralNetwork | LinearRegression, RegExp]>([
    [
      'dropout',
      () => network({ layers: [7, { units: 9, dropout: 0.5 }, 1] }),
      /dropout is not done in threads/,
    ],
    [
      'formulas',
      () => network({ layers: [7, { units: 9, activation: softsign() }, 1] }),
      /activation of layer 0/,
    ],
    [
      'own optimizers',
      () => network({ optimizer: new OwnDescent() as Optimizer }),
      /optimizer .* steps in JavaScript/,
    ],
    ['exact', () => new LinearRegression({ solver: 'exact' }), /the model needs no steps/],
  ])('%s', async (_, create, reason) => {
    const [model, twin] = [create(), create()];
    const options = { maximumNumberOfIterations: 3 };
    const result = await threads.train(model, features, labels, options);
    expect(result.threads).toBe(1);
    expect(result.message).toMatch(reason);
    expect(result.message).toMatch(/it runs on one thread$/);
    expect(result.costs).toEqual(twin.train(features, labels, options));
    expect(model.getModelParameters().values).toEqual(twin.getModelParameters().values);
  });

  test('reference kernels', async () => {
    const best = kernels.name;
    kernels.select('reference');
    try {
      const result = await threads.train(network(), features, labels, { maximumNumberOfIterations: 1 });
      expect(result).toMatchObject({ threads: 1, message: expect.stringMatching(/reference kernels/) });
    } finally {
      kernels.select(best);
    }
  });

  test('too small to gain: the result and the logger say so', async () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() } satisfies Logger;
    const choosy = await startThreads({ gainMin: 1.2, logger });
    const model = network({ layers: [7, 64, 1], batchSize: 32 });
    const { threads: count, message } = await choosy.train(model, features, labels, {
      maximumNumberOfIterations: 1,
    });
    expect(count).toBe(1);
    expect(message).toMatch(
      /^7-64-1 at batch 32 is too small to gain: a step takes about \d+ µs, 2 meetings of 2/,
    );
    expect(logger.warn.mock.calls.map(([text]) => text)).toEqual([message]);
    expect(choosy.gain(model, 45, 32)).toMatchObject({ threads: 1 });
    await choosy.close();
  });

  test('no memory that can be shared', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    try {
      const none = await createThreads({ count: 2 });
      expect(none.count).toBe(1);
      const result = await none.train(network(), features, labels, { maximumNumberOfIterations: 1 });
      expect(result).toMatchObject({
        threads: 1,
        message: expect.stringMatching(/Cross-Origin-Opener-Policy/),
      });
      expect(none.gain(network(), 45)).toMatchObject({ threads: 1, speedup: 1 });
      await none.close();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe('closing and failing', () => {
  test('one thread needs no threads', async () => {
    await using one = await createThreads({ count: 1 });
    expect(one.count).toBe(1);
    const { message } = await one.train(network(), features, labels, { maximumNumberOfIterations: 1 });
    expect(message).toMatch(/one thread/);
  });

  test('close is idempotent; what comes later, or is under way, rejects', async () => {
    const own = await startThreads();
    const model = network();
    await own.train(model, features, labels, { maximumNumberOfIterations: 1 });
    const before = model.getModelParameters().values;
    const training = own.train(model, features, labels, { maximumNumberOfIterations: 1e6 });
    await Promise.all([own.close(), own.close(), expect(training).rejects.toThrow(ThreadsClosedError)]);
    expect(model.getModelParameters().values).toEqual(before);
    await expect(own.train(model, features, labels)).rejects.toThrow(ThreadsClosedError);
    expect(model.train(features, labels, { maximumNumberOfIterations: 1 })).toHaveLength(1);
    await own.close();
  });

  test('a thread that fails in a pass frees the others, and the model is as before', async () => {
    let started = 0;
    let passes = 0;
    const own = await createThreadsWith({ count: 2, gainMin: 0 }, (listener) => {
      const thread = startSourceThread(listener);
      started++;
      if (started === 1) return thread;
      // The second thread finds its record of the second pass where there is no memory; the first waits for it.
      return {
        ...thread,
        send: (request) => {
          const isFatal = request.kind === 'pass' && ++passes === 2;
          thread.send(isFatal ? { ...request, member: 2 ** 31 - 64 } : request);
        },
      };
    });
    const model = network();
    const before = model.getModelParameters().values;
    const training = own.train(model, features, labels, { maximumNumberOfIterations: 5 });
    await expect(training).rejects.toThrow(ThreadFailedError);
    await expect(training).rejects.toThrow(/thread 2 of 2 failed: .*out of bounds/);
    expect(model.getModelParameters().values).toEqual(before);
    await expect(own.train(model, features, labels)).rejects.toThrow(ThreadFailedError);
    await own.close();
  });

  test('a thread whose code cannot be loaded', async () => {
    const missing = new URL('./there-is-none.js', import.meta.url);
    const start = createThreadsWith({ count: 2 }, (listener) => nodeThread(new Worker(missing), listener));
    await expect(start).rejects.toThrow(ThreadFailedError);
    await expect(start).rejects.toThrow(/there-is-none/);
    const refused = createThreadsWith({ count: 2 }, () => {
      throw new Error('no more threads');
    });
    await expect(refused).rejects.toThrow(/thread 1 of 2 failed: no more threads/);
  });

  test('options are checked', async () => {
    for (const options of [{ count: 0 }, { count: 1.5 }, { count: 65 }, { gainMin: -1 }, { threads: 2 }]) {
      await expect(createThreads(options)).rejects.toThrow(InvalidOptionError);
    }
  });
});
