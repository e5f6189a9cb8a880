import fc from 'fast-check';
import type { ModelParameters, UpdateLogEntry } from 'mainstem';
import {
  BestMainKeeper,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  InvalidOptionError,
  MemoryStore,
  ModelParametersMerger,
  NormClipping,
  UpdateLog,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf } from '../helpers.ts';

function gradientsCoordinator(store = new MemoryStore()): DistributedGradientsCoordinator {
  return new DistributedGradientsCoordinator({ learningRate: 1, store });
}

function replacing(store = new MemoryStore()): DistributedModelParametersCoordinator {
  return new DistributedModelParametersCoordinator({
    childUpdatesPerMerge: 1,
    merger: new ModelParametersMerger({ mode: 'average' }),
    store,
  });
}

describe('NormClipping', () => {
  test('scales gradients down to the norm, and leaves smaller ones alone', () => {
    const clipping = new NormClipping({ maximumNorm: 5 });
    const coordinator = gradientsCoordinator().use(clipping);
    coordinator.setModelParameters(parametersOf(0, 0));
    coordinator.addGradients(gradientsOf([-30, -40]));
    expect(numbersOf(coordinator.getModelParameters())).toEqual([3, 4]);
    coordinator.addGradients(gradientsOf([0.5, 0.25]));
    expect(numbersOf(coordinator.getModelParameters())).toEqual([2.5, 3.75]);
    expect(clipping.clippedUpdates).toBe(1);
  });

  test('measures parameters from main, and lets the first ones pass', () => {
    const coordinator = replacing().use(new NormClipping({ maximumNorm: 10 }));
    coordinator.addModelParameters(parametersOf(300, 400));
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([300, 400]);
    coordinator.addModelParameters(parametersOf(360, 480));
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([306, 408]);
    coordinator.addModelParameters(parametersOf(309, 412));
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([309, 412]);
  });

  test('may refuse instead, and main stays', () => {
    const coordinator = gradientsCoordinator().use(new NormClipping({ maximumNorm: 5, action: 'refuse' }));
    coordinator.setModelParameters(parametersOf(0, 0));
    const { reason } = coordinator.addGradients(gradientsOf([30, 40]));
    expect(reason?.message).toBe('the update has norm 50.0000, at most 5 is allowed');
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 0]);
    expect(coordinator.addGradients(gradientsOf([3, 4])).status).toBe('applied');
  });

  test('keeps the direction and reaches the norm, for any finite update', () => {
    const numbers = fc.array(fc.double({ min: -1e300, max: 1e300, noNaN: true }), {
      minLength: 2,
      maxLength: 6,
    });
    fc.assert(
      fc.property(numbers, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (values, maximumNorm) => {
        const content = gradientsOf(values);
        const update = { childId: 'a', sequence: undefined, content };
        const clipped = new NormClipping({ maximumNorm }).onUpdate(update)?.content;
        const norm = Math.hypot(...values);
        if (norm <= maximumNorm * (1 - 1e-12)) {
          expect(clipped).toBeUndefined();
          return;
        }
        if (clipped === undefined) return;
        expect(Math.hypot(...clipped.values)).toBeLessThanOrEqual(maximumNorm * (1 + 1e-12));
        clipped.values.forEach((value, i) => {
          const scale = Math.max(...values.map(Math.abs));
          const expected =
            (((values[i] as number) / scale) * maximumNorm) / Math.hypot(...values.map((v) => v / scale));
          expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-12 * maximumNorm);
        });
        expect(Array.from(content.values)).toEqual(values);
      }),
    );
  });

  test.each([
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1',
  ])('refuses a maximumNorm of %s', (maximumNorm) => {
    expect(() => new NormClipping({ maximumNorm: maximumNorm as number })).toThrow(InvalidOptionError);
  });
});

describe('UpdateLog', () => {
  test('says who came, what was sent, and what became of it', () => {
    const log = new UpdateLog();
    const coordinator = gradientsCoordinator().use(log);
    coordinator.setModelParameters(parametersOf(0, 0));
    coordinator.addGradients(gradientsOf([3, 4], 7), { childId: 'a', sequence: 1 });
    coordinator.addGradients(gradientsOf([3, 4], 7), { childId: 'a', sequence: 1 });
    coordinator.removeChild('a');
    expect(log.entries).toEqual([
      { number: 1, event: 'main', version: 1, children: [] },
      { number: 2, event: 'joined', version: 1, childId: 'a' },
      { number: 3, event: 'received', version: 1, childId: 'a', sequence: 1, norm: 5, sampleCount: 7 },
      { number: 4, event: 'main', version: 2, children: ['a'] },
      {
        number: 5,
        event: 'rejected',
        version: 2,
        childId: 'a',
        sequence: 1,
        code: 'DUPLICATE_UPDATE',
        message: 'update 1 of a was taken before',
      },
      { number: 6, event: 'left', version: 2, childId: 'a' },
    ]);
  });

  test('keeps the last entries, numbers them without gaps, and goes on after a restart', async () => {
    const store = new MemoryStore();
    const written: UpdateLogEntry[] = [];
    const log = new UpdateLog({ entriesMax: 3, onEntry: (entry) => written.push(entry) });
    const coordinator = gradientsCoordinator(store).use(log);
    coordinator.setModelParameters(parametersOf(0, 0));
    for (let i = 0; i < 50; i++) coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a' });
    expect(log.entries.map(({ number }) => number)).toEqual([100, 101, 102]);
    expect(written.map(({ number }) => number)).toEqual(Array.from({ length: 102 }, (_, i) => i + 1));
    await coordinator.close();
    const again = new UpdateLog({ entriesMax: 3 });
    const second = gradientsCoordinator(store).use(again);
    await second.restore();
    expect(again.entries).toEqual(log.entries);
    second.addGradients(gradientsOf([1, 0]), { childId: 'a' });
    expect(again.entries.at(-1)?.number).toBe(105);
  });

  test('a sink that fails stops no update, and a removed log hears nothing', () => {
    const log = new UpdateLog({
      onEntry: () => {
        throw new Error('disk full');
      },
    });
    const coordinator = gradientsCoordinator().use(log);
    coordinator.setModelParameters(parametersOf(0, 0));
    expect(coordinator.addGradients(gradientsOf([1, 0])).status).toBe('applied');
    const count = log.entries.length;
    coordinator.removePlugin('updateLog');
    coordinator.addGradients(gradientsOf([1, 0]));
    expect(log.entries).toHaveLength(count);
  });
});

describe('BestMainKeeper', () => {
  /** The nearer to 10, the better. */
  const score = (main: ModelParameters): number => -Math.abs((main.values[0] as number) - 10);

  test('keeps the best, the first of equals, and goes on after a restart', async () => {
    const store = new MemoryStore();
    const keeper = new BestMainKeeper({ score });
    const coordinator = replacing(store).use(keeper);
    expect(keeper.best).toBeUndefined();
    for (const value of [1, 8, 12, 3]) coordinator.addModelParameters(parametersOf(value, 0));
    expect(keeper.best).toMatchObject({ version: 2, score: -2 });
    expect(numbersOf((keeper.best as NonNullable<typeof keeper.best>).parameters)).toEqual([8, 0]);
    keeper.best?.parameters.values.fill(10);
    await coordinator.close();
    const again = new BestMainKeeper({ score });
    const second = replacing(store).use(again);
    await second.restore();
    expect(again.best).toMatchObject({ version: 2, score: -2 });
    expect(numbersOf((again.best as NonNullable<typeof again.best>).parameters)).toEqual([8, 0]);
    second.addModelParameters(parametersOf(9, 0));
    expect(again.best).toMatchObject({ version: 5, score: -1 });
  });

  test('publishes only what is as good as the best, where it is told to', () => {
    const published: number[] = [];
    const coordinator = replacing().use(new BestMainKeeper({ score, publishOnlyBest: true }));
    coordinator.on('mainPublished', ({ version }) => published.push(version));
    for (const value of [1, 8, 3, 12, 9]) coordinator.addModelParameters(parametersOf(value, 0));
    coordinator.setMainModelParameters(parametersOf(0, 0));
    expect(published).toEqual([1, 2, 4, 5, 6]);
  });

  test('a score that is no number, or fails, refuses the merge', () => {
    let value: number | Error = Number.NaN;
    const coordinator = replacing().use(
      new BestMainKeeper({
        score: () => {
          if (value instanceof Error) throw value;
          return value;
        },
      }),
    );
    expect(coordinator.addModelParameters(parametersOf(1, 1)).reason?.message).toMatch(
      /score of version 1 is NaN/,
    );
    value = new Error('no rows');
    expect(coordinator.addModelParameters(parametersOf(1, 1)).reason?.message).toMatch(/no rows/);
    value = 1;
    expect(coordinator.addModelParameters(parametersOf(1, 1)).status).toBe('applied');
  });
});
