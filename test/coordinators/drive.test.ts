import type { Clock, Drive } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  LimitExceededError,
  MalformedDataError,
  ModelParameters,
  ModelParametersMerger,
  NonFiniteError,
  UpdateDiscardedError,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { flatLayout, gradientsOf, numbersOf, parametersOf } from './helpers.ts';

/** A clock by which every look costs a millisecond: a budget then counts slices. */
function costlyClock(): Clock {
  let now = 0;
  return { now: () => now++, schedule: () => () => {}, yieldTurn: async () => {} };
}

const length = 150_000;
const layout = flatLayout(length);
const filled = (value: number): Float64Array<ArrayBuffer> => new Float64Array(length).fill(value);

describe("drive: 'tick'", () => {
  test('an update waits for a tick', async () => {
    const coordinator = new DistributedGradientsCoordinator({ drive: 'tick' });
    coordinator.setModelParameters(parametersOf(1, 1));
    const receipt = coordinator.addGradients(gradientsOf([10, 10]));
    expect(receipt).toMatchObject({ status: 'accepted', version: 1 });
    expect(coordinator.queuedUpdates).toBe(1);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 1]);
    expect(coordinator.tick(1000)).toBe(true);
    await receipt.committed;
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 0]);
    expect(coordinator.queuedUpdates).toBe(0);
  });

  test('what waits does not change under its sender’s hands', () => {
    const coordinator = new DistributedGradientsCoordinator({ drive: 'tick' });
    coordinator.setModelParameters(parametersOf(1, 1));
    const gradients = gradientsOf([10, 10]);
    coordinator.addGradients(gradients);
    gradients.values.fill(1e6);
    coordinator.tick(1000);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 0]);
  });

  test.each([
    'adam',
    'gradientDescent',
  ] as const)('slices do not change the arithmetic, and main is whole in between: %s', (optimizer) => {
    const results = (['immediate', 'tick'] satisfies Drive[]).map((drive) => {
      const coordinator = new DistributedGradientsCoordinator({
        drive,
        optimizer,
        learningRate: 0.1,
        childrenPerUpdate: 2,
        clock: costlyClock(),
      });
      coordinator.setModelParameters(new ModelParameters(layout, filled(1)));
      for (const [index, value] of [0.5, -2, 3, 7].entries()) {
        coordinator.addGradients(new Gradients(layout, filled(value), { sampleCount: index + 1 }), {
          childId: `child-${index}`,
        });
      }
      let ticks = 0;
      const seen = new Set<number>();
      while (!coordinator.tick(0)) {
        ticks++;
        const { values } = coordinator.getModelParameters();
        seen.add(values[0] as number);
        expect(values[length - 1]).toBe(values[0]);
      }
      if (drive === 'tick') {
        expect(ticks).toBeGreaterThan(15);
        // The second of the two rounds ends with the last tick.
        expect(seen.size).toBe(2);
      }
      return coordinator.getModelParameters().values;
    });
    expect(results[1]).toEqual(results[0]);
  });

  test('merging is sliced too, with the same result', () => {
    const results = (['immediate', 'tick'] satisfies Drive[]).map((drive) => {
      const coordinator = new DistributedModelParametersCoordinator({ drive, clock: costlyClock() });
      for (let i = 0; i < 3; i++) {
        coordinator.addModelParameters(new ModelParameters(layout, filled(i / 3)), {
          childId: `child-${i}`,
          sampleCount: i + 1,
        });
      }
      let ticks = 0;
      while (!coordinator.tick(0)) ticks++;
      if (drive === 'tick') expect(ticks).toBeGreaterThan(15);
      return coordinator.getMainModelParameters().values;
    });
    expect(results[1]).toEqual(results[0]);
  });

  test('a budget ends the turn, and the rest comes later', () => {
    const coordinator = new DistributedGradientsCoordinator({ drive: 'tick', clock: costlyClock() });
    coordinator.setModelParameters(new ModelParameters(layout, filled(0)));
    coordinator.addGradients(new Gradients(layout, filled(1), { sampleCount: 1 }));
    expect(coordinator.tick(3)).toBe(false);
    expect(coordinator.version).toBe(1);
    while (!coordinator.tick(3));
    expect(coordinator.version).toBe(2);
    expect(() => coordinator.tick(-1)).toThrow(MalformedDataError);
    expect(() => coordinator.tick(Number.NaN)).toThrow(MalformedDataError);
  });

  test('a bad update is refused at its turn, and the number may come again', async () => {
    const coordinator = new DistributedGradientsCoordinator({ drive: 'tick' });
    coordinator.setModelParameters(parametersOf(1, 1));
    const receipt = coordinator.addGradients(gradientsOf([Number.NaN, 0]), { childId: 'a', sequence: 1 });
    expect(receipt.status).toBe('accepted');
    // While it waits, its number is taken.
    expect(coordinator.addGradients(gradientsOf([0, 0]), { childId: 'a', sequence: 1 }).status).toBe(
      'duplicate',
    );
    coordinator.tick(1000);
    await expect(receipt.committed).rejects.toBeInstanceOf(NonFiniteError);
    expect(coordinator.addGradients(gradientsOf([0, 0]), { childId: 'a', sequence: 1 }).status).toBe(
      'accepted',
    );
  });

  test('the queue has a limit', () => {
    const coordinator = new DistributedGradientsCoordinator({
      drive: 'tick',
      limits: { queuedUpdatesMax: 2 },
    });
    coordinator.setModelParameters(parametersOf(1, 1));
    const receipts = Array.from({ length: 3 }, () => coordinator.addGradients(gradientsOf([0, 0])));
    expect(receipts.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'refused']);
    expect(receipts[2]?.reason).toBeInstanceOf(LimitExceededError);
    coordinator.tick(1000);
    expect(coordinator.addGradients(gradientsOf([0, 0])).status).toBe('accepted');
  });

  test('main set anew in the middle of a fold wins, and the update is given up', async () => {
    const coordinator = new DistributedGradientsCoordinator({ drive: 'tick', clock: costlyClock() });
    coordinator.setModelParameters(new ModelParameters(layout, filled(0)));
    const receipt = coordinator.addGradients(new Gradients(layout, filled(1), { sampleCount: 1 }));
    // In the middle of the step: after all slices of the check, before the last of the step.
    for (let i = 0; i < 4; i++) coordinator.tick(0);
    expect([coordinator.version, coordinator.queuedUpdates]).toEqual([1, 1]);
    coordinator.setModelParameters(new ModelParameters(layout, filled(5)));
    while (!coordinator.tick(0));
    await expect(receipt.committed).rejects.toBeInstanceOf(UpdateDiscardedError);
    expect(new Set(coordinator.getModelParameters().values)).toEqual(new Set([5]));
  });

  test('a reset in the middle of a merge keeps nothing for the next', () => {
    const coordinator = new DistributedModelParametersCoordinator({
      drive: 'tick',
      clock: costlyClock(),
      merger: new ModelParametersMerger({ mode: 'average' }),
    });
    coordinator.addModelParameters(new ModelParameters(layout, filled(1)), { childId: 'a' });
    for (let i = 0; i < 8; i++) coordinator.tick(0);
    coordinator.reset();
    coordinator.addModelParameters(new ModelParameters(layout, filled(9)), { childId: 'b' });
    while (!coordinator.tick(0));
    expect(coordinator.getMainModelParameters().values[0]).toBe(9);
  });
});

describe("drive: 'timers'", () => {
  test('start works by itself, stop ends it', () => {
    const clock = new VirtualClock();
    const coordinator = new DistributedGradientsCoordinator({
      drive: 'timers',
      clock,
      timers: { intervalMs: 20, budgetMs: 1 },
    });
    coordinator.setModelParameters(parametersOf(1, 1));
    coordinator.addGradients(gradientsOf([10, 0]));
    clock.advance(100);
    expect(coordinator.version).toBe(1);
    coordinator.start();
    coordinator.start();
    expect(clock.pendingTimers).toBe(1);
    clock.advance(19);
    expect(coordinator.version).toBe(1);
    clock.advance(1);
    expect(coordinator.version).toBe(2);
    coordinator.addGradients(gradientsOf([10, 0]));
    clock.advance(20);
    expect(coordinator.version).toBe(3);
    coordinator.stop();
    expect(clock.pendingTimers).toBe(0);
    coordinator.addGradients(gradientsOf([10, 0]));
    clock.advance(1000);
    expect(coordinator.version).toBe(3);
  });
});

test('stop within a turn ends the timers; start is for timers', () => {
  const clock = new VirtualClock();
  const coordinator = new DistributedGradientsCoordinator({ drive: 'timers', clock });
  coordinator.setModelParameters(parametersOf(1, 1));
  coordinator.on('mainUpdated', () => coordinator.stop());
  coordinator.start();
  coordinator.addGradients(gradientsOf([1, 0]));
  clock.advance(100);
  expect(clock.pendingTimers).toBe(0);
  expect(() => new DistributedGradientsCoordinator().start()).toThrow(/start is for drive 'timers'/);
});

describe('close', () => {
  test('does what waits, gives up what waits for others, refuses what comes later, and is idempotent', async () => {
    const coordinator = new DistributedGradientsCoordinator({ drive: 'tick', childrenPerUpdate: 2 });
    coordinator.setModelParameters(parametersOf(0, 0));
    const receipts = ['a', 'b', 'c'].map((childId) =>
      coordinator.addGradients(gradientsOf([10, 0]), { childId }),
    );
    await coordinator.close();
    await coordinator.close();
    await receipts[0]?.committed;
    await receipts[1]?.committed;
    await expect(receipts[2]?.committed).rejects.toBeInstanceOf(UpdateDiscardedError);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, 0]);
    expect(coordinator.addGradients(gradientsOf([1, 0])).reason).toBeInstanceOf(UpdateDiscardedError);
  });
});
