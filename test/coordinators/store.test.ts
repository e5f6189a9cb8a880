import type { GradientsCoordinatorOptions, Store, StoreOperation } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  InProcessTransport,
  LinearRegression,
  MalformedDataError,
  MemoryStore,
  ModelParametersMerger,
  StoreError,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf, settle } from './helpers.ts';

/** A store whose batches finish when the test says so. */
class HeldStore implements Store {
  readonly inner = new MemoryStore();
  readonly waiting: {
    operations: readonly StoreOperation[];
    finish: () => void;
    fail: (error: Error) => void;
  }[] = [];

  get = (key: string): Uint8Array | undefined => this.inner.get(key);
  keys = (prefix: string): string[] => this.inner.keys(prefix);
  close = (): void => this.inner.close();

  batch(operations: readonly StoreOperation[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.inner.batch(operations);
        resolve();
      };
      this.waiting.push({ operations, finish, fail: reject });
    });
  }
}

const make = (store: Store, options: GradientsCoordinatorOptions = {}): DistributedGradientsCoordinator =>
  new DistributedGradientsCoordinator({ store, optimizer: 'adam', learningRate: 0.1, ...options });

describe('restore', () => {
  test('a new coordinator continues as if nothing had happened: main, optimizer, sequence numbers', async () => {
    const store = new MemoryStore();
    const first = make(store);
    first.setModelParameters(parametersOf(1, 2).toDataType('float32'));
    const straight = make(new MemoryStore());
    straight.setModelParameters(parametersOf(1, 2).toDataType('float32'));
    for (const [sequence, gradient] of [
      [0.3, -2],
      [1, 1],
    ].entries()) {
      for (const coordinator of [first, straight])
        coordinator.addGradients(gradientsOf(gradient), { childId: 'a/b', sequence, epoch: 3 });
    }
    const second = make(store);
    expect(await second.restore()).toBe(true);
    expect(second.version).toBe(3);
    expect(second.getModelParameters().dtype).toBe('float32');
    expect(second.addGradients(gradientsOf([9, 9]), { childId: 'a/b', sequence: 1, epoch: 3 }).status).toBe(
      'duplicate',
    );
    expect(second.addGradients(gradientsOf([9, 9]), { childId: 'a/b', sequence: 5, epoch: 2 }).status).toBe(
      'stale',
    );
    for (const coordinator of [second, straight])
      coordinator.addGradients(gradientsOf([-1, 4]), { childId: 'a/b', sequence: 2, epoch: 3 });
    expect(numbersOf(second.getModelParameters())).toEqual(numbersOf(straight.getModelParameters()));
  });

  test('the latest parameters of every child come back', async () => {
    const store = new MemoryStore();
    const options = { store, merger: new ModelParametersMerger() };
    const first = new DistributedModelParametersCoordinator(options);
    first.addModelParameters(parametersOf(2, 2), { childId: 'a', sampleCount: 3 });
    first.addModelParameters(parametersOf(6, 6), { childId: 'b', sampleCount: 1 });
    const second = new DistributedModelParametersCoordinator(options);
    await second.restore();
    expect(numbersOf(second.getMainModelParameters())).toEqual([3, 3]);
    second.addModelParameters(parametersOf(10, 10), { childId: 'b', sampleCount: 1 });
    expect(numbersOf(second.getMainModelParameters())).toEqual([4, 4]);
  });

  test('federations share a store and do not meet; an empty store restores nothing', async () => {
    const store = new MemoryStore();
    make(store, { federation: 'arena' }).setModelParameters(parametersOf(1, 1));
    const other = make(store, { federation: 'arena/two' });
    expect(await other.restore()).toBe(false);
    expect(other.version).toBe(0);
    other.setModelParameters(parametersOf(5, 5));
    const again = make(store, { federation: 'arena' });
    await again.restore();
    expect(numbersOf(again.getModelParameters())).toEqual([1, 1]);
  });

  test('a damaged record, or one of another optimizer, is a typed error', async () => {
    const store = new MemoryStore();
    make(store).setModelParameters(parametersOf(1, 1));
    await expect(make(store, { optimizer: 'momentum' }).restore()).rejects.toThrow(
      /optimizer state is of adam, expected momentum/,
    );
    const bytes = store.get('default/main') as Uint8Array;
    store.batch([{ key: 'default/main', value: bytes.subarray(0, bytes.length - 1) }]);
    await expect(make(store).restore()).rejects.toBeInstanceOf(MalformedDataError);
  });
});

describe('commits', () => {
  test('folded state is seen at once, the acknowledgement waits for the store, and commits are grouped', async () => {
    const store = new HeldStore();
    const coordinator = make(store);
    coordinator.setModelParameters(parametersOf(1, 1));
    const settled: number[] = [];
    const receipts = [1, 2, 3].map((sequence) =>
      coordinator.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence }),
    );
    receipts.forEach(({ committed }, index) => void committed.then(() => settled.push(index)));
    expect(receipts.map(({ status }) => status)).toEqual(['applied', 'applied', 'applied']);
    expect(coordinator.version).toBe(4);
    await settle();
    expect(settled).toEqual([]);
    expect(store.waiting).toHaveLength(1);
    store.waiting[0]?.finish();
    await settle();
    // All three went into one batch, behind the one of setModelParameters.
    expect(settled).toEqual([]);
    expect(store.waiting).toHaveLength(2);
    store.waiting[1]?.finish();
    await settle();
    expect(settled).toEqual([0, 1, 2]);
    const keys = store.waiting[1]?.operations.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys?.length);
  });

  test('a refusing store is reported and tried again; nothing is acknowledged before that', async () => {
    const store = new HeldStore();
    const clock = new VirtualClock();
    const coordinator = make(store, { clock });
    const errors: Error[] = [];
    coordinator.on('error', (error) => errors.push(error));
    coordinator.setModelParameters(parametersOf(1, 1));
    store.waiting[0]?.finish();
    await settle();
    const late = coordinator.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 1 });
    let isCommitted = false;
    void late.committed.then(() => {
      isCommitted = true;
    });
    store.waiting[1]?.fail(new Error('disk full'));
    await settle();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(StoreError);
    expect(errors[0]?.message).toMatch(/disk full/);
    expect(isCommitted).toBe(false);
    expect(store.waiting).toHaveLength(2);
    clock.advance(1000);
    store.waiting[2]?.finish();
    await late.committed;
    const second = make(store.inner);
    await second.restore();
    expect(second.version).toBe(2);
    expect(second.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 1 }).status).toBe('duplicate');
  });

  test('close waits for all batches, and gives up what the store refuses even then', async () => {
    const store = new HeldStore();
    const clock = new VirtualClock();
    const coordinator = make(store, { clock });
    coordinator.setModelParameters(parametersOf(1, 1));
    const kept = coordinator.addGradients(gradientsOf([1, 1]));
    let isClosed = false;
    const closing = coordinator.close().then(() => {
      isClosed = true;
    });
    store.waiting[0]?.finish();
    await settle();
    expect(isClosed).toBe(false);
    store.waiting[1]?.finish();
    await closing;
    await kept.committed;

    const broken = new MemoryStore();
    const other = make(broken, { clock });
    other.setModelParameters(parametersOf(1, 1));
    broken.close();
    const lost = other.addGradients(gradientsOf([1, 1]));
    expect(lost.status).toBe('applied');
    await other.close();
    await expect(lost.committed).rejects.toBeInstanceOf(StoreError);
    expect(clock.pendingTimers).toBe(0);
  });

  test('children see what is durable only', async () => {
    const store = new HeldStore();
    const coordinator = make(store, { clock: new VirtualClock() });
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    coordinator.setModelParameters(parametersOf(1, 1));
    const early = await Child.connect({ transport, model: new LinearRegression(), childId: 'early' });
    expect(early.version).toBe(0);
    store.waiting[0]?.finish();
    await settle();
    expect(early.version).toBe(1);
    coordinator.addGradients(gradientsOf([1, 1]));
    const late = await Child.connect({ transport, model: new LinearRegression(), childId: 'late' });
    expect([coordinator.version, early.version, late.version]).toEqual([2, 1, 1]);
    store.waiting[1]?.finish();
    await settle();
    expect([early.version, late.version]).toEqual([2, 2]);
  });

  test('updates that wait for the store have a limit', () => {
    const coordinator = make(new HeldStore(), { limits: { uncommittedUpdatesMax: 2 } });
    coordinator.setModelParameters(parametersOf(1, 1));
    const statuses = [1, 2, 3].map(() => coordinator.addGradients(gradientsOf([1, 1])).status);
    expect(statuses).toEqual(['applied', 'applied', 'refused']);
  });
});

describe('what the store knows', () => {
  test('only the numbers of updates that are in main: what was accepted and lost may be sent again', async () => {
    const store = new MemoryStore();
    const first = make(store, { drive: 'tick' });
    first.setModelParameters(parametersOf(1, 1));
    first.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 1 });
    first.tick(1000);
    first.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 2 });
    const second = make(store);
    await second.restore();
    expect(second.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 1 }).status).toBe('duplicate');
    expect(second.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 2 }).status).toBe('applied');
  });

  test('a removed child and a reset stay removed after a restore', async () => {
    const store = new MemoryStore();
    const options = { store, merger: new ModelParametersMerger({ mode: 'average' }) };
    const first = new DistributedModelParametersCoordinator(options);
    for (const [childId, value] of [
      ['bad', 100],
      ['good', 0],
    ] as const) {
      first.addModelParameters(parametersOf(value, value), { childId });
    }
    first.removeChild('bad');
    const second = new DistributedModelParametersCoordinator(options);
    await second.restore();
    second.addModelParameters(parametersOf(2, 2), { childId: 'good' });
    expect(numbersOf(second.getMainModelParameters())).toEqual([2, 2]);
    second.reset();
    const third = new DistributedModelParametersCoordinator(options);
    await third.restore();
    third.addModelParameters(parametersOf(8, 8), { childId: 'new' });
    expect(numbersOf(third.getMainModelParameters())).toEqual([8, 8]);
    // A kept part can be removed before its child has come back.
    const fourth = new DistributedModelParametersCoordinator(options);
    await fourth.restore();
    expect(fourth.removeChild('new')).toBe(true);
    expect(fourth.removeChild('nobody')).toBe(false);
  });

  test('places of children survive, so that weights by place mean the same', async () => {
    const store = new MemoryStore();
    const options = {
      store,
      merger: new ModelParametersMerger({ mode: 'weightedAverage', weights: [1, 0] }),
    };
    const first = new DistributedModelParametersCoordinator(options);
    first.addModelParameters(parametersOf(10, 10), { childId: 'z' });
    first.addModelParameters(parametersOf(20, 20), { childId: 'a' });
    const second = new DistributedModelParametersCoordinator(options);
    await second.restore();
    second.addModelParameters(parametersOf(20, 20), { childId: 'a' });
    expect(numbersOf(second.getMainModelParameters())).toEqual([10, 10]);
  });

  test('restore comes first', async () => {
    const coordinator = make(new MemoryStore());
    coordinator.setModelParameters(parametersOf(1, 1));
    await expect(coordinator.restore()).rejects.toThrow(/restore comes before anything else/);
  });
});
