import fc from 'fast-check';
import type { Store } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  kernels,
  MemoryStore,
  ModelParameters,
  UpdateRefusedError,
} from 'mainstem';
import type { CoordinatorDescription, RecordedCoordinator, ReplayedMain } from 'mainstem/replay';
import { createCoordinator, exportLog, importLog, replayLog, UpdateRecorder } from 'mainstem/replay';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/random.ts';
import { TickClock } from '../../src/TickClock.ts';
import { bits } from '../models/support.ts';

const names = ['a', 'b', 'c', 'd', 'e'];

/** A coordinator with its recorder. */
function recorded(description: CoordinatorDescription, seed = 1) {
  const store = new MemoryStore();
  const clock = new TickClock();
  const coordinator = createCoordinator(description, {
    clock,
    roundClock: clock,
    random: seededRandom(seed),
  });
  const recorder = new UpdateRecorder({ store, coordinator: description, clock });
  coordinator.use(recorder);
  return { coordinator, recorder, store, clock };
}

const parameters = (values: number[], info: object = {}): ModelParameters =>
  ModelParameters.fromArrays({ weights: values.slice(1), bias: [values[0]!] }, info);

function setMain(coordinator: RecordedCoordinator, values: number[]): void {
  if (coordinator instanceof DistributedGradientsCoordinator)
    coordinator.setModelParameters(parameters(values));
  else coordinator.setMainModelParameters(parameters(values));
}

function add(coordinator: RecordedCoordinator, childId: string, values: number[], info: object): string {
  const arrays = { weights: values.slice(1), bias: [values[0]!] };
  if (coordinator instanceof DistributedGradientsCoordinator)
    return coordinator.addGradients(Gradients.fromArrays(arrays, { sampleCount: 1, ...info }), { childId })
      .status;
  return coordinator.addModelParameters(ModelParameters.fromArrays(arrays, info), { childId }).status;
}

/** A run that comes from a seed: children join, send from mains of some age, leave; time passes; main is set now and then. */
function play(
  { coordinator, clock }: ReturnType<typeof recorded>,
  seed: number,
  steps: number,
  without = '',
): void {
  const random = seededRandom(seed, 3);
  setMain(coordinator, [0, 0, 0]);
  for (const name of names) if (name !== without) coordinator.addChild(name);
  for (let step = 0; step < steps; step++) {
    const [kind, who, age] = [random.next(), Math.floor(random.next() * 5), Math.floor(random.next() * 3)];
    const values = [random.next(), random.next(), random.next()];
    const childId = names[who]!;
    const wait = random.next() * 50;
    if (childId === without) continue;
    clock.advance(wait);
    if (kind < 0.04) setMain(coordinator, values);
    else if (kind < 0.08) coordinator.removeChild(childId);
    else if (kind < 0.12) coordinator.addChild(childId);
    else
      add(coordinator, childId, values, {
        sampleCount: 1 + who,
        baseVersion: Math.max(0, coordinator.version - age),
      });
  }
}

const descriptions: [string, CoordinatorDescription][] = [
  ['parameters, immediate', { kind: 'parameters' }],
  ['parameters, every three', { kind: 'parameters', childUpdatesPerMerge: 3, merger: { mode: 'average' } }],
  [
    'parameters, synchronous with selection and a deadline',
    {
      kind: 'parameters',
      mode: { mode: 'synchronous', children: 2, ask: 3, quorum: 1, deadline: { floor: 30, ceiling: 90 } },
      serverOptimizer: { name: 'adam', beta2: 0.99 },
    },
  ],
  ['parameters, synchronous with all', { kind: 'parameters', mode: 'synchronous' }],
  ['parameters, buffered', { kind: 'parameters', mode: { mode: 'buffered', updates: 3 } }],
  ['parameters, asynchronous', { kind: 'parameters', mode: 'asynchronous' }],
  [
    'parameters, bounded staleness',
    { kind: 'parameters', mode: { mode: 'boundedStaleness', updatesAheadMax: 2 } },
  ],
  ['gradients, immediate', { kind: 'gradients', optimizer: 'adam', learningRate: 0.1 }],
  ['gradients, rounds', { kind: 'gradients', childrenPerUpdate: 3, learningRateScaling: 'linear' }],
  [
    'gradients, buffered',
    { kind: 'gradients', mode: { mode: 'buffered', updates: 2 }, optimizer: 'momentum' },
  ],
];

describe.each(descriptions)('%s', (_, description) => {
  it('property: the log of a run replays to every main of it, bit for bit', async () => {
    let replayedUpdates = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), async (seed) => {
        const run = recorded(description, seed);
        const mains: bigint[][] = [];
        run.coordinator.on('mainUpdated', () => {
          mains.push([...bits(run.coordinator.getModelParameters().values)] as never);
        });
        play(run, seed, 60);
        await run.recorder.flush();
        const replayed: unknown[] = [];
        const { updates } = await replayLog(run.store, {
          onMain: ({ main }) => void replayed.push([...bits(main.values)]),
        });
        expect(replayed).toEqual(mains);
        replayedUpdates += updates;
      }),
      { numRuns: 25 },
    );
    expect(replayedUpdates).toBeGreaterThan(100);
  });
});

describe('leaving out a child', () => {
  it('is a run without it, where rounds do not wait for it', async () => {
    for (const kind of ['parameters', 'gradients'] as const) {
      const description: CoordinatorDescription = { kind };
      const [whole, other] = [recorded(description), recorded(description)];
      play(whole, 7, 80);
      play(other, 7, 80, 'c');
      await whole.recorder.flush();
      const replay = await replayLog(whole.store, { without: ['c'] });
      expect(bits(replay.getModelParameters().values)).toEqual(
        bits(other.coordinator.getModelParameters().values),
      );
    }
  });

  it('ends a round that it was in with the others alone', async () => {
    const { coordinator, recorder, store } = recorded({ kind: 'parameters', childUpdatesPerMerge: 3 });
    for (const [childId, value] of [
      ['a', 1],
      ['bad', 900],
      ['b', 3],
    ] as const)
      add(coordinator, childId, [value, value], {});
    for (const [childId, value] of [
      ['a', 5],
      ['b', 6],
      ['a', 7],
    ] as const)
      add(coordinator, childId, [value, value], {});
    await recorder.flush();
    const mains: ReplayedMain[] = [];
    await replayLog(store, { without: ['bad'], onMain: (main) => void mains.push(main) });
    expect(
      mains.map(({ version, update, children, main }) => [version, update, children, main.get('bias')[0]]),
    ).toEqual([
      [1, 3, ['a', 'b'], 2],
      [2, 6, ['a', 'b', 'a'], 6],
    ]);
  });
});

describe('a log', () => {
  const description = { kind: 'parameters' } as const;

  it('says which update broke main', async () => {
    const { coordinator, recorder, store, clock } = recorded(description);
    for (const [index, value] of [1, 2, 1, 1e6, 2, 1].entries()) {
      clock.advance(10);
      add(coordinator, `child-${index % 3}`, [value, 0], {});
    }
    await recorder.flush();
    const seen: (number | undefined)[][] = [];
    await replayLog(store, {
      onMain({ update, at, main }) {
        seen.push([update, at, main.norm()]);
        return main.norm() < 1e3;
      },
    });
    expect(seen.map(([update, at]) => [update, at])).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
      [4, 40],
    ]);
  });

  it('replays until an update', async () => {
    const run = recorded(description);
    for (const value of [1, 2, 3]) add(run.coordinator, 'a', [value, 0], {});
    await run.recorder.flush();
    const replay = await replayLog(run.store, { until: 2 });
    expect([replay.updates, replay.getModelParameters().get('bias')[0]]).toEqual([2, 2]);
  });

  it('has nothing of refused updates, whoever refuses them', async () => {
    const { coordinator, recorder, store } = recorded({
      kind: 'parameters',
      mode: { mode: 'synchronous', children: 2 },
    });
    const refuser = {
      name: 'refuser',
      onUpdate({ childId }: { childId: string }) {
        if (childId === 'bad') throw new UpdateRefusedError('no');
      },
    };
    // Behind the recorder: it has seen the update already.
    coordinator.use(refuser);
    const statuses = ['bad', 'a', 'a', 'b'].map((childId) => add(coordinator, childId, [1, 1], {}));
    expect(statuses).toEqual(['refused', 'accepted', 'refused', 'applied']);
    await recorder.flush();
    const children: string[] = [];
    await replayLog(store, { onMain: (main) => void children.push(...main.children) });
    expect(children).toEqual(['a', 'b']);
  });

  it('has nothing of updates that were given up before they were part of main', async () => {
    const { coordinator, recorder, store } = recorded({ kind: 'parameters', childUpdatesPerMerge: 2 });
    add(coordinator, 'a', [100, 0], {});
    (coordinator as DistributedModelParametersCoordinator).reset();
    add(coordinator, 'b', [1, 0], {});
    add(coordinator, 'c', [3, 0], {});
    await recorder.flush();
    const replay = await replayLog(store);
    expect(replay.getModelParameters().get('bias')[0]).toBe(2);
  });

  it('is the same after it was a file', async () => {
    const run = recorded(description);
    play(run, 3, 40);
    await run.recorder.flush();
    const pieces: Buffer[] = [];
    for await (const piece of exportLog(run.store)) pieces.push(Buffer.from(piece));
    const replay = await replayLog(importLog(new Uint8Array(Buffer.concat(pieces))));
    expect(bits(replay.getModelParameters().values)).toEqual(
      bits(run.coordinator.getModelParameters().values),
    );
    expect(replay.kernel).toBe(kernels.name);
    for (const cut of [4, 13, 200]) {
      const bytes = new Uint8Array(Buffer.concat(pieces).subarray(0, -cut));
      expect(() => importLog(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED_DATA' }));
    }
    expect(() => importLog(new Uint8Array(20))).toThrow('no log of mainstem');
  });

  it('holds nobody up: where the store is too slow it ends, says so, and updates go on', async () => {
    const errors: Error[] = [];
    const memory = new MemoryStore();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow: Store = {
      get: (key) => memory.get(key),
      keys: (prefix) => memory.keys(prefix),
      batch: async (operations) => {
        await gate;
        memory.batch(operations);
      },
      close: () => {},
    };
    const coordinator = new DistributedModelParametersCoordinator();
    const recorder = new UpdateRecorder({
      store: slow,
      coordinator: description,
      pendingBytesMax: 2_000,
      onError: (error) => errors.push(error),
    });
    coordinator.use(recorder);
    for (let i = 0; i < 50; i++) expect(add(coordinator, 'a', [i, i], {})).toBe('applied');
    open();
    await expect(recorder.flush()).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(errors).toHaveLength(1);
    await expect(replayLog(memory)).rejects.toThrow('has a hole behind update');
  });

  it('is not mixed with one that is there already', async () => {
    const run = recorded(description);
    add(run.coordinator, 'a', [1, 1], {});
    await run.recorder.flush();
    const errors: Error[] = [];
    const later = new DistributedModelParametersCoordinator();
    const recorder = new UpdateRecorder({
      store: run.store,
      coordinator: description,
      onError: (error) => errors.push(error),
    });
    later.use(recorder);
    expect(add(later, 'b', [5, 5], {})).toBe('applied');
    await expect(recorder.flush()).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('another prefix')]);
    expect((await replayLog(run.store)).getModelParameters().get('bias')[0]).toBe(1);
  });

  it.each<[string, (store: MemoryStore) => unknown]>([
    ['there is no log', () => replayLog(new MemoryStore())],
    ['until is -1', (store) => replayLog(store, { until: -1 })],
    ['whith', (store) => replayLog(store, { whith: [] } as never)],
    [
      'ends',
      (store) => {
        const key = store.keys('log/')[2]!;
        store.batch([{ key, value: store.get(key)!.subarray(0, 30) }]);
        return replayLog(store);
      },
    ],
  ])('refuses: %s', async (_, call) => {
    const run = recorded(description);
    add(run.coordinator, 'a', [1, 1], {});
    await run.recorder.flush();
    await expect((async () => call(run.store))()).rejects.toMatchObject({
      name: expect.stringMatching(/Error$/),
    });
  });

  it.each<[string, unknown]>([
    ['no kind', {}],
    ['a function', { kind: 'parameters', mode: { mode: 'buffered', updates: 2, stalenessWeight: () => 1 } }],
    ['an object of a class', { kind: 'gradients', optimizer: new (class Own {})() }],
    ['an option that there is not', { kind: 'gradients', learningrate: 1 }],
  ])('refuses a description with %s', (_, bad) => {
    expect(() => new UpdateRecorder({ store: new MemoryStore(), coordinator: bad as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });
});

describe('endRound', () => {
  it('makes main of what the round has; false where it has nothing', () => {
    const coordinator = new DistributedModelParametersCoordinator({
      mode: { mode: 'synchronous', children: 5 },
    });
    expect(coordinator.endRound()).toBe(false);
    add(coordinator, 'a', [1, 1], {});
    add(coordinator, 'b', [3, 3], {});
    expect(coordinator.endRound()).toBe(true);
    expect(coordinator.getModelParameters().get('bias')[0]).toBe(2);
    expect(coordinator.endRound()).toBe(false);
    // Its children may give to the next one.
    expect(add(coordinator, 'a', [1, 1], {})).toBe('accepted');
  });
});
