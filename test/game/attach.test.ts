import { EventEmitter } from 'node:events';
import type { GameLoop, TickListener } from 'mainstem/game';
import { attach } from 'mainstem/game';
import { describe, expect, it } from 'vitest';
import {
  DistributedModelParametersCoordinator,
  ModelParameters,
  ParameterLayout,
  TickClock,
} from '../../src/index.ts';
import { numbersOf } from '../coordinators/helpers.ts';

/** Something that has work for so many milliseconds, of a clock that goes on by what is worked. */
class Work {
  readonly drive = 'tick';
  readonly budgets: number[] = [];
  constructor(
    readonly clock: TickClock,
    public left: number,
    readonly slice = 1,
  ) {}

  get queuedUpdates(): number {
    return this.left > 0 ? 1 : 0;
  }

  tick(budgetMs: number): boolean {
    this.budgets.push(budgetMs);
    const end = this.clock.now() + budgetMs;
    while (this.left > 0) {
      this.clock.advance(this.slice);
      this.left -= this.slice;
      if (this.left > 0 && this.clock.now() >= end) return false;
    }
    return true;
  }
}

/** A loop that is a function; `tick` is one of its ticks. */
function createLoop(): { loop: GameLoop; tick(): void; readonly listeners: Set<TickListener> } {
  const listeners = new Set<TickListener>();
  const loop = (listener: TickListener): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    loop,
    listeners,
    tick: () => {
      for (const listener of listeners) listener();
    },
  };
}

describe('attach', () => {
  it('works in each tick until its budget is used up, and says what it has cost', () => {
    const clock = new TickClock();
    const work = new Work(clock, 7);
    const { loop, tick } = createLoop();
    const { stats } = attach(loop, work, { budgetMs: 3, clock });
    for (let i = 0; i < 5; i++) tick();
    expect(work.left).toBe(0);
    expect(work.budgets).toEqual([3, 3, 3]);
    expect(stats()).toMatchObject({ ticks: 5, unfinishedTicks: 2, queuedUpdates: 0, failures: 0 });
    expect(stats().work).toMatchObject({ count: 3, longest: 3, mean: 7 / 3 });
    expect(stats().overruns.count).toBe(0);
  });

  it('tells ticks that went beyond their budget, and by how much', () => {
    const clock = new TickClock();
    const { loop, tick } = createLoop();
    const { stats } = attach(loop, new Work(clock, 10, 5), { budgetMs: 2, clock });
    tick();
    tick();
    expect(stats().overruns).toMatchObject({ count: 2, mean: 3, longest: 3 });
  });

  it('shares one budget among several, and each is the first in its turn', () => {
    const clock = new TickClock();
    const [a, b] = [new Work(clock, 6), new Work(clock, 6)];
    const { loop, tick } = createLoop();
    attach(loop, [a, b], { budgetMs: 2, clock });
    tick();
    // The first one takes it all; what is left of it is no time, in which one slice is done.
    expect([a.left, b.left]).toEqual([4, 5]);
    tick();
    expect([a.left, b.left]).toEqual([3, 3]);
  });

  it.each<[string, (emitter: EventEmitter) => GameLoop, string]>([
    ['an event emitter', (emitter) => emitter, 'tick'],
    ['an event emitter with another event', (emitter) => emitter, 'update'],
    [
      'a ticker',
      (emitter) => ({
        add: (listener: TickListener) => emitter.on('tick', listener),
        remove: (listener: TickListener) => emitter.off('tick', listener),
      }),
      'tick',
    ],
  ])('listens to %s until it is detached', (_, loopOf, event) => {
    const clock = new TickClock();
    const work = new Work(clock, 3);
    const emitter = new EventEmitter();
    const attachment = attach(loopOf(emitter), work, { budgetMs: 1, clock, event });
    emitter.emit(event);
    expect(work.left).toBe(2);
    attachment.detach();
    attachment.detach();
    expect(emitter.listenerCount(event)).toBe(0);
    emitter.emit(event);
    expect(work.left).toBe(2);
    expect(attachment.stats()).toMatchObject({ ticks: 1, queuedUpdates: 1 });
  });

  it('does nothing in the rest of the tick in which a listener before it detaches', () => {
    const clock = new TickClock();
    const work = new Work(clock, 3);
    const emitter = new EventEmitter();
    emitter.on('tick', () => attachment.detach());
    const attachment = attach(emitter, work, { clock });
    emitter.emit('tick');
    expect(work.left).toBe(3);
  });

  it('keeps errors out of the loop', () => {
    const errors: unknown[] = [];
    const { loop, tick } = createLoop();
    const failing = {
      drive: 'tick',
      queuedUpdates: 1,
      tick: () => {
        throw new Error('no');
      },
    };
    const log = (_: string, details: unknown): void => void errors.push(details);
    const logger = { debug: log, info: log, warn: log, error: log };
    const { stats } = attach(loop, failing, { logger });
    tick();
    expect(stats()).toMatchObject({ ticks: 1, failures: 1 });
    expect(errors).toEqual([{ error: new Error('no') }]);
  });

  it.each<[string, () => unknown]>([
    ['loop is null', () => attach(null as never, new Work(new TickClock(), 1))],
    ['loop returned undefined', () => attach((() => {}) as never, new Work(new TickClock(), 1))],
    ['coordinators is an empty list', () => attach(createLoop().loop, [])],
    ['coordinator is 5, expected a coordinator', () => attach(createLoop().loop, 5 as never)],
    [
      "has drive 'immediate', a loop needs drive: 'tick'",
      () => attach(createLoop().loop, new DistributedModelParametersCoordinator()),
    ],
    ['budgetMs is -1', () => attach(createLoop().loop, new Work(new TickClock(), 1), { budgetMs: -1 })],
    ['budget', () => attach(createLoop().loop, new Work(new TickClock(), 1), { budget: 1 } as never)],
  ])('refuses: %s', (message, call) => {
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});

describe('a coordinator in a loop', () => {
  const layout = new ParameterLayout([{ name: 'weights', shape: [300_000] }]);
  const parametersOf = (seed: number): ModelParameters =>
    new ModelParameters(
      layout,
      Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i + seed)),
    );

  it('merges in slices, in the middle of a tensor, what a merge at once gives', () => {
    const { loop, tick } = createLoop();
    const coordinator = new DistributedModelParametersCoordinator({ drive: 'tick', childUpdatesPerMerge: 3 });
    const { stats } = attach(loop, coordinator, { budgetMs: 0 });
    const whole = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 3 });
    for (const seed of [1, 2, 3]) {
      coordinator.addModelParameters(parametersOf(seed), { childId: `${seed}` });
      whole.addModelParameters(parametersOf(seed), { childId: `${seed}` });
    }
    expect(stats().queuedUpdates).toBe(3);
    let ticks = 0;
    for (; stats().queuedUpdates > 0; ticks++) tick();
    expect(ticks).toBeGreaterThan(15);
    expect(stats().unfinishedTicks).toBe(ticks - 1);
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual(
      numbersOf(whole.getMainModelParameters()),
    );
  });

  it("ends rounds by deadlines in the loop's own ticks", () => {
    const { loop, tick } = createLoop();
    const roundClock = new TickClock();
    const coordinator = new DistributedModelParametersCoordinator({
      drive: 'tick',
      roundClock,
      mode: { mode: 'synchronous', quorum: 1, deadline: { floor: 10, ceiling: 10 } },
    });
    attach(loop, coordinator, { roundClock, budgetMs: 100 });
    coordinator.addChild('late');
    coordinator.addModelParameters(ModelParameters.fromArrays({ weights: [1] }), { childId: 'early' });
    for (let i = 0; i < 9; i++) tick();
    expect(coordinator.version).toBe(0);
    tick();
    expect(coordinator.version).toBe(1);
  });
});
