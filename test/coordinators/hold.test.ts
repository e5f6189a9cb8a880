import fc from 'fast-check';
import type { Receipt, Store, StoreOperation } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  MemoryStore,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf, settle } from './helpers.ts';

/** A store that counts its batches, and fails as long as it is told to. */
class CountingStore implements Store {
  readonly inner = new MemoryStore();
  isFailing = false;
  batches = 0;

  get = (key: string): Uint8Array | undefined => this.inner.get(key);
  keys = (prefix: string): string[] => this.inner.keys(prefix);
  close = (): void => {};

  batch(operations: readonly StoreOperation[]): void {
    if (this.isFailing) throw new Error('the disk is full');
    this.batches++;
    this.inner.batch(operations);
  }
}

interface Turn {
  readonly kind: 'hold' | 'release' | 'update' | 'bad' | 'fail' | 'heal';
  readonly child: number;
  readonly sequence: number;
  readonly value: number;
}

const turn = fc.record<Turn>({
  kind: fc.constantFrom('hold', 'release', 'update', 'update', 'update', 'bad', 'fail', 'heal'),
  child: fc.integer({ min: 0, max: 2 }),
  sequence: fc.integer({ min: 0, max: 5 }),
  value: fc.integer({ min: -8, max: 8 }),
});

/** A coordinator with an optimizer and a plugin that remember, and whatever has become of its updates. */
class Played {
  readonly store = new CountingStore();
  readonly clock = new VirtualClock();
  readonly coordinator: DistributedGradientsCoordinator;
  readonly receipts: Receipt[] = [];
  readonly outcomes: string[] = [];
  holds = 0;

  constructor() {
    this.coordinator = create(this.store, this.clock).coordinator;
    this.coordinator.setModelParameters(parametersOf(1, 2));
  }

  update({ kind, child, sequence, value }: Turn): void {
    const gradients = gradientsOf([value, kind === 'bad' ? Number.NaN : 1]);
    const receipt = this.coordinator.addGradients(gradients, { childId: `c${child}`, sequence, epoch: 1 });
    const index = this.receipts.push(receipt) - 1;
    receipt.committed.then(
      () => {
        this.outcomes[index] = 'committed';
      },
      (error: Error) => {
        this.outcomes[index] = error.message;
      },
    );
  }

  play(given: Turn, isHolding: boolean): void {
    const { hold, release } = this.coordinator.server.coordinator;
    if (given.kind === 'update' || given.kind === 'bad') this.update(given);
    else if (given.kind === 'fail') this.store.isFailing = true;
    else if (given.kind === 'heal') {
      this.store.isFailing = false;
      this.clock.advance(1_000);
    } else if (isHolding && given.kind === 'hold') {
      this.holds++;
      hold();
    } else if (isHolding && this.holds > 0) {
      this.holds--;
      release();
    }
  }

  async end(): Promise<void> {
    for (; this.holds > 0; this.holds--) this.coordinator.server.coordinator.release();
    this.store.isFailing = false;
    this.clock.advance(1_000);
    await settle();
  }
}

/** A coordinator whose plugin counts the updates that it has let through. */
function create(
  store: Store,
  clock = new VirtualClock(),
): { coordinator: DistributedGradientsCoordinator; counted: () => number } {
  let count = 0;
  const coordinator = new DistributedGradientsCoordinator({ store, clock, optimizer: 'adam' }).use({
    name: 'counter',
    afterMerge: () => {
      count++;
    },
    save: () => count,
    load: (state) => {
      count = state as number;
    },
  });
  return { coordinator, counted: () => count };
}

/** What a new process finds in the store. */
async function restored(
  store: CountingStore,
): Promise<{ version: number; counted: number; taken: number; main: number[] }> {
  const copy = new MemoryStore();
  for (const key of store.keys('')) copy.batch([{ key, value: store.get(key) }]);
  const { coordinator, counted } = create(copy);
  await coordinator.restore();
  let taken = 0;
  for (const childId of ['c0', 'c1', 'c2']) {
    for (let sequence = 0; sequence < 6; sequence++) {
      const again = coordinator.addGradients(gradientsOf([Number.NaN, 0]), { childId, sequence, epoch: 1 });
      if (again.status === 'duplicate') taken++;
    }
  }
  return {
    version: coordinator.version,
    counted: counted(),
    taken,
    main: numbersOf(coordinator.getModelParameters()),
  };
}

describe('commits that are held', () => {
  test('end in the same main and the same outcomes, and the store always holds one whole moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 40 }), async (turns) => {
        const [held, direct] = [new Played(), new Played()];
        const mains = new Map([[1, numbersOf(direct.coordinator.getModelParameters())]]);
        for (const given of turns) {
          held.play(given, true);
          direct.play(given, false);
          mains.set(direct.coordinator.version, numbersOf(direct.coordinator.getModelParameters()));
          const { version, counted, taken, main } = await restored(held.store);
          expect(main).toEqual(mains.get(version));
          expect([counted, taken]).toEqual([version - 1, version - 1]);
        }
        await held.end();
        await direct.end();
        expect(held.outcomes).toEqual(direct.outcomes);
        expect(held.receipts.map(({ status, version }) => [status, version])).toEqual(
          direct.receipts.map(({ status, version }) => [status, version]),
        );
        expect(numbersOf(held.coordinator.getModelParameters())).toEqual(
          numbersOf(direct.coordinator.getModelParameters()),
        );
        expect(await restored(held.store)).toEqual(await restored(direct.store));
        for (const key of direct.store.inner.keys(''))
          expect(held.store.inner.get(key)).toEqual(direct.store.inner.get(key));
        // A store that fails brings commits together that nobody has held: what was held then may be one batch more.
        if (!turns.some(({ kind }) => kind === 'fail'))
          expect(held.store.batches).toBeLessThanOrEqual(direct.store.batches);
      }),
      { numRuns: 100 },
    );
  });

  test('become one batch at the last release, and none where nothing came', () => {
    const { store, coordinator } = new Played();
    const { hold, release } = coordinator.server.coordinator;
    hold();
    hold();
    for (let sequence = 0; sequence < 10; sequence++)
      coordinator.addGradients(gradientsOf([1, 1]), { childId: `c${sequence % 3}`, sequence });
    release();
    expect(store.batches).toBe(1);
    release();
    expect(store.batches).toBe(2);
    hold();
    release();
    expect(store.batches).toBe(2);
  });

  test('are written all the same when they are 1,024, or as many as may wait', () => {
    for (const [limits, expected] of [
      [{}, 1_024],
      [{ uncommittedUpdatesMax: 7 }, 7],
    ] as const) {
      const store = new CountingStore();
      const coordinator = new DistributedGradientsCoordinator({ store, limits });
      coordinator.setModelParameters(parametersOf(1, 2));
      coordinator.server.coordinator.hold();
      for (let i = 1; i < expected; i++) coordinator.addGradients(gradientsOf([1, 1]));
      expect(store.batches).toBe(1);
      expect(coordinator.addGradients(gradientsOf([1, 1])).status).toBe('applied');
      expect(store.batches).toBe(2);
      expect(coordinator.addGradients(gradientsOf([1, 1])).status).toBe('applied');
    }
  });

  test('are written when the coordinator closes, and nothing is held from then on', async () => {
    const { store, coordinator } = new Played();
    const served = coordinator.server.coordinator;
    served.hold();
    const receipt = coordinator.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 1 });
    await coordinator.close();
    await expect(receipt.committed).resolves.toBeUndefined();
    expect((await restored(store)).version).toBe(2);
    coordinator.setModelParameters(parametersOf(5, 5));
    expect((await restored(store)).version).toBe(3);
    served.release();
    served.release();
    expect((await restored(store)).version).toBe(3);
  });

  test('are given up with a store that refuses them even when the coordinator closes', async () => {
    const { store, coordinator } = new Played();
    coordinator.server.coordinator.hold();
    store.isFailing = true;
    const receipt = coordinator.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 1 });
    await coordinator.close();
    await expect(receipt.committed).rejects.toThrow(/closed before the store took the update/);
    expect((await restored(store)).version).toBe(1);
  });

  test('leave what is removed meanwhile removed', async () => {
    const store = new CountingStore();
    const coordinator = new DistributedModelParametersCoordinator({ store });
    coordinator.server.coordinator.hold();
    coordinator.addModelParameters(parametersOf(2, 2), { childId: 'a', sampleCount: 1 });
    coordinator.addModelParameters(parametersOf(4, 4), { childId: 'b', sampleCount: 1 });
    coordinator.removeChild('a');
    coordinator.server.coordinator.release();
    const next = new DistributedModelParametersCoordinator({ store });
    await next.restore();
    expect(numbersOf(next.getModelParameters())).toEqual([3, 3]);
    next.addModelParameters(parametersOf(6, 6), { childId: 'b', sampleCount: 1 });
    expect(numbersOf(next.getModelParameters())).toEqual([6, 6]);
  });

  test('leave a child forgotten whose place was needed meanwhile', () => {
    const store = new CountingStore();
    const coordinator = new DistributedGradientsCoordinator({ store, limits: { childrenMax: 1 } });
    coordinator.setModelParameters(parametersOf(1, 2));
    coordinator.server.coordinator.hold();
    coordinator.addGradients(gradientsOf([1, 1]), { childId: 'a' });
    coordinator.removeChild('a');
    coordinator.addGradients(gradientsOf([1, 1]), { childId: 'b' });
    coordinator.server.coordinator.release();
    expect(store.keys('default/child/')).toEqual(['default/child/b']);
  });

  test('what children may see waits for the release, also without a store', () => {
    for (const options of [{}, { store: new MemoryStore() }]) {
      const coordinator = new DistributedGradientsCoordinator({ learningRate: 1, ...options });
      const { hold, release, main } = coordinator.server.coordinator;
      const seen = (): number[] | undefined => {
        const visible = main();
        return visible && [visible.baseVersion ?? 0, ...numbersOf(visible)];
      };
      const published: number[] = [];
      coordinator.on('mainPublished', ({ version }) => published.push(version));
      coordinator.setModelParameters(parametersOf(1, 2));
      coordinator.addGradients(gradientsOf([1, 1]));
      expect(seen()).toEqual([2, 0, 1]);
      hold();
      for (let i = 0; i < 4; i++) {
        coordinator.addGradients(gradientsOf([1, 1]));
        expect(seen()).toEqual([2, 0, 1]);
      }
      release();
      expect(seen()).toEqual([6, -4, -3]);
      coordinator.addGradients(gradientsOf([1, 1]));
      expect(seen()).toEqual([7, -5, -4]);
      expect(published).toEqual([1, 2, 6, 7]);
    }
  });

  test('a main that a plugin keeps back stays what it was, also without a store', () => {
    const coordinator = new DistributedGradientsCoordinator({ learningRate: 1 });
    coordinator.setModelParameters(parametersOf(1, 2));
    coordinator.use({ name: 'no', beforePublish: ({ version }) => version % 3 === 0 });
    for (let version = 2; version < 9; version++) {
      coordinator.addGradients(gradientsOf([1, 1]));
      const out = coordinator.server.coordinator.main();
      const newest = Math.max(1, version - (version % 3));
      expect([out?.baseVersion, out && numbersOf(out)]).toEqual([newest, [2 - newest, 3 - newest]]);
    }
  });

  test('a main that is still judged when its judge goes stays what it was, also without a store', async () => {
    const coordinator = new DistributedGradientsCoordinator({ learningRate: 1 });
    coordinator.setModelParameters(parametersOf(1, 2));
    let decide: (isGood: boolean) => void = () => {};
    const verdict = new Promise<boolean>((resolve) => {
      decide = resolve;
    });
    coordinator.use({ name: 'slow', beforePublish: () => verdict });
    const seen: number[][] = [];
    coordinator.on('mainPublished', ({ version }) => {
      const out = coordinator.server.coordinator.main();
      if (out !== undefined) seen.push([version, ...numbersOf(out)]);
    });
    coordinator.addGradients(gradientsOf([1, 1]));
    coordinator.removePlugin('slow');
    for (let i = 0; i < 3; i++) coordinator.addGradients(gradientsOf([1, 1]));
    decide(true);
    await settle();
    expect(seen).toEqual([
      [2, 0, 1],
      [5, -3, -2],
    ]);
  });
});
