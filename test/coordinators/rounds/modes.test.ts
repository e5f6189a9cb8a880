import type { ChildSelection, CoordinatorEvents, ModeOption, Receipt } from 'mainstem';
import {
  AlreadyContributedError,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  InvalidOptionError,
  MemoryStore,
  ModelParameters,
  NotSelectedError,
  StaleUpdateError,
  TickClock,
  TooFarAheadError,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { flatLayout, numbersOf } from '../helpers.ts';

const layout = flatLayout(2);

function parameters(values: number[], baseVersion?: number, sampleCount = 1): ModelParameters {
  return new ModelParameters(layout, Float64Array.from(values), { baseVersion, sampleCount });
}

function gradients(values: number[], baseVersion?: number, sampleCount = 1): Gradients {
  return new Gradients(layout, Float64Array.from(values), { baseVersion, sampleCount });
}

interface Merging {
  coordinator: DistributedModelParametersCoordinator;
  clock: VirtualClock;
  waits: CoordinatorEvents['waiting'][];
  send(childId: string, values: number[], baseVersion?: number): Receipt;
  main(): number[];
}

function merging(mode: ModeOption, options: object = {}): Merging {
  const clock = new VirtualClock();
  const coordinator = new DistributedModelParametersCoordinator({ mode, clock, ...options });
  coordinator.setMainModelParameters(parameters([0, 0]));
  const waits: CoordinatorEvents['waiting'][] = [];
  coordinator.on('waiting', (wait) => waits.push(wait));
  return {
    coordinator,
    clock,
    waits,
    send: (childId, values, baseVersion = coordinator.version) =>
      coordinator.addModelParameters(parameters(values, baseVersion), { childId }),
    main: () => numbersOf(coordinator.getModelParameters()),
  };
}

describe('synchronous', () => {
  test('main moves once, with the mean of one update of each', () => {
    const { coordinator, send, main } = merging({ mode: 'synchronous', children: 3 });
    expect(send('a', [1, 0]).status).toBe('accepted');
    expect(send('b', [2, 0]).status).toBe('accepted');
    expect(send('a', [9, 9]).reason).toBeInstanceOf(AlreadyContributedError);
    expect(main()).toEqual([0, 0]);
    expect(send('c', [6, 3]).status).toBe('applied');
    expect(main()).toEqual([3, 1]);
    expect(coordinator.version).toBe(2);
  });

  test('an update from an older main is stale', () => {
    const { send } = merging({ mode: 'synchronous', children: 1 });
    send('a', [1, 1]);
    const late = send('b', [5, 5], 1);
    expect(late.status).toBe('stale');
    expect(late.reason).toBeInstanceOf(StaleUpdateError);
  });

  test('one of each that is there: a child that leaves ends the round in the same call', () => {
    const { coordinator, send, main } = merging({ mode: 'synchronous', quorum: 2 });
    send('a', [1, 1]);
    send('b', [3, 3]);
    expect(main()).toEqual([2, 2]);
    // a and b are there now, and so is c, which adds first.
    send('c', [2, 2]);
    send('a', [4, 4]);
    expect(coordinator.waitingFor()).toMatchObject({ updates: 2, needed: Infinity, missing: ['b'] });
    coordinator.removeChild('b');
    expect(main()).toEqual([3, 3]);
  });

  test('a number of children waits for others where those that are there are too few, and says so', () => {
    const { coordinator, send, waits } = merging({ mode: 'synchronous', children: 3 });
    send('a', [1, 1]);
    send('b', [1, 1]);
    expect(coordinator.waitingFor()).toMatchObject({ updates: 2, needed: 3, quorum: 3, missing: [] });
    expect(coordinator.waitingFor()?.reason).toBe(
      'the round has 2 of 3 updates after 0; no child that is there can add to it: it waits for others to come; it ends with no fewer than 3; its deadline is in 60000',
    );
    send('c', [4, 4]);
    // Now the only missing one leaves.
    send('a', [1, 1]);
    send('b', [1, 1]);
    coordinator.removeChild('c');
    expect(waits).toHaveLength(1);
    expect(waits[0]).toMatchObject({ updates: 2, quorum: 3, missing: [] });
    expect(send('d', [7, 7]).status).toBe('applied');
  });

  test('the deadline ends it with the quorum', async () => {
    const mode = { mode: 'synchronous', children: 3, quorum: 2, deadline: 100 } as const;
    const { clock, coordinator, send, main, waits } = merging(mode);
    for (const id of ['a', 'b', 'c']) send(id, [0, 0]);
    clock.advance(10);
    const early = send('a', [2, 2]);
    clock.advance(60);
    expect(coordinator.waitingFor()).toMatchObject({ elapsed: 70, remaining: 30, missing: ['b', 'c'] });
    send('b', [4, 4]);
    clock.advance(29);
    expect(coordinator.version).toBe(2);
    clock.advance(1);
    expect(main()).toEqual([3, 3]);
    expect(waits).toEqual([]);
    await early.committed;
  });

  test('where the deadline finds too few, the wait is stated, and the update that makes the quorum ends it', () => {
    const mode = { mode: 'synchronous', children: 3, quorum: 2, deadline: 100 } as const;
    const { clock, coordinator, send, main, waits } = merging(mode);
    for (const id of ['a', 'b', 'c']) send(id, [0, 0]);
    send('a', [2, 2]);
    clock.advance(100);
    expect(waits.map(({ reason }) => reason)).toEqual([
      'the round has 1 of 3 updates after 100; it waits for b, c; it ends with no fewer than 2; its deadline has passed',
    ]);
    expect(coordinator.waitingFor()?.remaining).toBe(0);
    expect(send('c', [4, 4]).status).toBe('applied');
    expect(main()).toEqual([3, 3]);
    expect(send('b', [9, 9], 2).status).toBe('stale');
  });

  test('late updates move the deadline, once for each child and round', () => {
    const mode = { mode: 'synchronous', quorum: 1, deadline: { factor: 0, ceiling: 100 } } as const;
    const { clock, coordinator, send } = merging(mode);
    for (const id of ['a', 'b', 'c', 'd', 'e']) coordinator.addChild(id);
    clock.advance(10);
    for (const id of ['a', 'b', 'c']) send(id, [0, 0]);
    clock.advance(90);
    expect(coordinator.version).toBe(2);
    // Three arrivals are too few to tell: the next deadline is the ceiling again.
    clock.advance(20);
    for (let i = 0; i < 20; i++) expect(send('d', [0, 0], 1).status).toBe('stale');
    send('e', [0, 0], 1);
    send('a', [0, 0]);
    clock.advance(80);
    // 10, 10, 10, 120, 120 and 20.
    expect(coordinator.version).toBe(3);
    expect(coordinator.waitingFor()?.remaining).toBe(15);
  });

  test('main that is set while a round is open is what the rest of it starts from', () => {
    const mode = { mode: 'synchronous', children: 2, ask: 2, deadline: 'none' } as const;
    const { coordinator, send } = merging(mode);
    const asked: string[] = [];
    coordinator.on('childAsked', ({ childId, version }) => asked.push(`${childId}${version}`));
    coordinator.addChild('a');
    coordinator.addChild('b');
    send('a', [1, 1]);
    coordinator.setMainModelParameters(parameters([5, 5]));
    expect(send('b', [3, 3], 1).status).toBe('stale');
    expect(asked).toEqual(['a1', 'b1', 'b2']);
    expect(send('b', [3, 3]).status).toBe('applied');
  });

  test('a selection hears which main holds the last update of a child, after a restart too', async () => {
    const store = new MemoryStore();
    const before = merging('asynchronous', { store });
    for (let i = 0; i < 3; i++) before.send('a', [i, i]);
    await before.coordinator.close();
    const heard: number[] = [];
    const selection: ChildSelection = (candidates) => {
      heard.push(...candidates.map(({ lastVersion }) => lastVersion));
      return candidates.map(({ childId }) => childId);
    };
    const after = new DistributedModelParametersCoordinator({
      mode: { mode: 'synchronous', children: 1, selection },
      store,
    });
    await after.restore();
    expect(after.version).toBe(4);
    for (let version = 4; version < 7; version++)
      after.addModelParameters(parameters([0, 0], version), { childId: 'a' });
    expect(heard).toEqual([5, 6, 7]);
  });

  test('deadlines in ticks stand still with the game', () => {
    const roundClock = new TickClock();
    const mode = { mode: 'synchronous', children: 2, quorum: 1, deadline: 10 } as const;
    const { clock, coordinator, send } = merging(mode, { roundClock });
    for (const id of ['a', 'b']) send(id, [0, 0]);
    send('a', [1, 1]);
    clock.advance(1_000_000);
    for (let tick = 0; tick < 9; tick++) roundClock.advance();
    expect(coordinator.version).toBe(2);
    roundClock.advance();
    expect(coordinator.version).toBe(3);
  });

  test('with tick as drive the deadline is the work of a tick', () => {
    const mode = { mode: 'synchronous', children: 2, quorum: 1, deadline: 10 } as const;
    const { clock, coordinator, send } = merging(mode, { drive: 'tick' });
    send('a', [4, 4]);
    coordinator.tick(Infinity);
    clock.advance(10);
    expect(coordinator.version).toBe(1);
    coordinator.tick(Infinity);
    expect(coordinator.version).toBe(2);
  });

  test('over-selection: the first of those that are asked end the round', () => {
    const asked: string[] = [];
    const mode = { mode: 'synchronous', children: 2, ask: 3, selection: 'roundRobin' } as const;
    const { coordinator, send } = merging(mode);
    coordinator.on('childAsked', ({ childId, version }) => asked.push(`${childId}${version}`));
    send('a', [0, 0]);
    send('b', [0, 0]);
    // The next round asks a and b, and who comes as long as it has no three; then c and d are there too.
    send('c', [0, 0]);
    send('a', [0, 0]);
    expect(send('d', [0, 0]).reason).toBeInstanceOf(NotSelectedError);
    expect(asked).toEqual(['a1', 'b1', 'a2', 'b2', 'c2', 'c3', 'a3', 'b3']);
    // One that leaves makes room for another.
    coordinator.removeChild('b');
    expect(send('d', [0, 0]).status).toBe('accepted');
    expect(asked.at(-1)).toBe('d3');
    expect(send('c', [0, 0]).status).toBe('applied');
    // The third is late.
    expect(send('a', [0, 0], 3).status).toBe('stale');
  });

  test('a child that is not asked is refused, and the round goes on', () => {
    const mode = { mode: 'synchronous', children: 1, selection: () => ['b'] } as const;
    const { coordinator, send } = merging(mode);
    send('a', [0, 0]);
    // Nobody of this selection is there yet, so that whoever comes is asked; from here on b is.
    send('b', [0, 0]);
    expect(send('a', [1, 1]).reason).toBeInstanceOf(NotSelectedError);
    expect(send('b', [1, 1]).status).toBe('applied');
    expect(coordinator.version).toBe(4);
  });
});

describe('updates from older mains', () => {
  test('buffered: main moves by the mean of how far children have come, each weighted by its staleness', () => {
    const { send, main } = merging({ mode: 'buffered', updates: 2 });
    send('a', [2, 0]);
    send('b', [4, 0]);
    expect(main()).toEqual([3, 0]);
    // c started from version 1, at [0, 0], and is one version late; a is up to date.
    send('c', [8, 8], 1);
    send('a', [5, 2], 2);
    const [x, y] = main();
    expect(x).toBeCloseTo(3 + (8 / Math.SQRT2 + 2) / 2, 12);
    expect(y).toBeCloseTo((8 / Math.SQRT2 + 2) / 2, 12);
  });

  test('asynchronous: main takes over a share, smaller for a stale update', () => {
    const weight = (staleness: number): number => 1 / (1 + staleness);
    const { send, main } = merging({ mode: 'asynchronous', mixing: 0.5, stalenessWeight: weight });
    expect(send('a', [4, 2]).status).toBe('applied');
    expect(main()).toEqual([2, 1]);
    send('b', [4, 0], 1);
    expect(main()).toEqual([2 + 0.25 * 4, 1]);
  });

  test('0.6 is what it takes over unless told', () => {
    const { send, main } = merging('asynchronous');
    send('a', [10, 5]);
    expect(main()).toEqual([6, 3]);
  });

  test('an update above stalenessMax is refused; one at it is not', () => {
    const { send, coordinator } = merging({ mode: 'asynchronous', stalenessMax: 2 });
    for (let i = 0; i < 3; i++) send('a', [i, i]);
    expect(coordinator.version).toBe(4);
    expect(send('b', [1, 1], 1).status).toBe('stale');
    expect(send('b', [1, 1], 2).status).toBe('applied');
  });

  test('gradients count by their staleness, as mean over their rows', () => {
    const coordinator = new DistributedGradientsCoordinator({
      mode: { mode: 'buffered', updates: 2 },
      learningRate: 1,
    });
    coordinator.setModelParameters(parameters([0, 0]));
    coordinator.addGradients(gradients([1, 0], 1, 3), { childId: 'a' });
    coordinator.addGradients(gradients([5, 0], 1, 1), { childId: 'b' });
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-2, 0]);
    coordinator.addGradients(gradients([0, 4], 1, 1), { childId: 'a' });
    coordinator.addGradients(gradients([0, 2], 2, 1), { childId: 'a' });
    expect(numbersOf(coordinator.getModelParameters())[1]).toBeCloseTo(-(4 / Math.SQRT2 + 2) / 2, 14);
  });

  test('asynchronous gradients move main by the share and the weight', () => {
    const mode = { mode: 'asynchronous', mixing: 0.5, stalenessWeight: 'inverseSquareRoot' } as const;
    const coordinator = new DistributedGradientsCoordinator({ mode, learningRate: 1 });
    coordinator.setModelParameters(parameters([0, 0]));
    coordinator.addGradients(gradients([2, 0], 1));
    coordinator.addGradients(gradients([0, 2], 1));
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, -1 / Math.SQRT2]);
  });
});

describe('boundedStaleness', () => {
  test('no child runs ahead of the slowest', () => {
    const mode = { mode: 'boundedStaleness', updatesAheadMax: 2, mixing: 1 } as const;
    const { coordinator, send } = merging(mode);
    send('slow', [0, 0]);
    expect(send('quick', [1, 1]).status).toBe('applied');
    expect(send('quick', [1, 1]).status).toBe('applied');
    expect(coordinator.waitingFor()).toBeUndefined();
    const refused = send('quick', [1, 1]);
    expect(refused.reason).toBeInstanceOf(TooFarAheadError);
    expect(coordinator.waitingFor()).toMatchObject({
      missing: ['slow'],
      reason: 'quick may go on when slow have given an update',
    });
    send('slow', [0, 0]);
    expect(send('quick', [1, 1]).status).toBe('applied');
    expect(send('quick', [1, 1]).status).toBe('refused');
    coordinator.removeChild('slow');
    expect(send('quick', [1, 1]).status).toBe('applied');
  });
});

describe('a mode', () => {
  test('is changed at run time, and what the round has stays in it', () => {
    const { coordinator, send, main } = merging({ mode: 'synchronous', children: 3, deadline: 'none' });
    send('a', [2, 2]);
    send('b', [4, 4]);
    coordinator.setMode({ mode: 'buffered', updates: 2 });
    expect(main()).toEqual([3, 3]);
    coordinator.setMode('asynchronous');
    expect(send('b', [4, 4], 2).status).toBe('applied');
    coordinator.setMode('immediate');
    expect(send('a', [7, 7]).status).toBe('applied');
    expect(main()).toEqual([7, 7]);
    coordinator.setMode({ mode: 'synchronous', quorum: 2 });
    // a and b are still there: nothing has to be told anew.
    expect(coordinator.waitingFor()?.missing).toEqual(['a', 'b']);
  });

  test('that takes updates from older mains knows those of the one before, as many as it keeps', () => {
    const { coordinator, send, main } = merging({ mode: 'asynchronous', mixing: 1 });
    for (let version = 1; version <= 4; version++)
      expect(send('quick', [version, version], version).status).toBe('applied');
    coordinator.setMode({ mode: 'buffered', updates: 1, stalenessMax: 2, stalenessWeight: 'none' });
    // From version 3, which was [2, 2]: it has come 10 further, and so does main.
    expect(send('slow', [12, 12], 3).status).toBe('applied');
    expect(main()).toEqual([14, 14]);
    expect(send('slower', [12, 12], 2).status).toBe('stale');
  });

  test.each<[ModeOption, RegExp]>([
    ['sometimes' as never, /mode is 'sometimes'|mode is "sometimes"/],
    [{ mode: 'buffered' } as never, /updates is undefined/],
    [{ mode: 'buffered', updates: 0 }, /updates is 0/],
    [{ mode: 'buffered', updates: 2, stalenessMax: -1 }, /stalenessMax is -1/],
    [{ mode: 'buffered', updates: 2, stalenessWeight: 'some' as never }, /stalenessWeight/],
    [{ mode: 'synchronous', children: 2, quorum: 3 }, /quorum is 3/],
    [{ mode: 'synchronous', children: 3, ask: 2 }, /ask is 2/],
    [{ mode: 'synchronous', selection: 'random' }, /selection needs ask/],
    [{ mode: 'synchronous', deadline: -1 }, /deadline has/],
    [{ mode: 'synchronous', deadline: { floor: 2, ceiling: 1 } }, /floor/],
    [{ mode: 'synchronous', quorums: 1 } as never, /no option quorums/],
    [{ mode: 'asynchronous', mixing: 1.5 }, /mixing is 1.5/],
    [{ mode: 'boundedStaleness', updatesAheadMax: 0 }, /updatesAheadMax is 0/],
  ])('is refused where it makes no sense: %j', (mode, message) => {
    expect(() => new DistributedModelParametersCoordinator({ mode })).toThrow(message);
    const coordinator = new DistributedGradientsCoordinator();
    expect(() => coordinator.setMode(mode)).toThrow(InvalidOptionError);
  });

  test('and what is short for one are not given together', () => {
    const mode = { mode: 'buffered', updates: 2 } as const;
    expect(() => new DistributedModelParametersCoordinator({ mode, childUpdatesPerMerge: 2 })).toThrow(
      /only one/,
    );
    expect(() => new DistributedGradientsCoordinator({ mode, childrenPerUpdate: 2 })).toThrow(/only one/);
  });
});
