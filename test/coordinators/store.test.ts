import type { GradientsCoordinatorOptions, Store, StoreOperation } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  MalformedDataError,
  MemoryStore,
  ModelParametersMerger,
  StoreError,
} from 'mainstem';
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

  test('a refusing store is reported, its updates are not acknowledged, and the next commit brings all', async () => {
    const store = new HeldStore();
    const coordinator = make(store);
    const errors: Error[] = [];
    coordinator.on('error', (error) => errors.push(error));
    coordinator.setModelParameters(parametersOf(1, 1));
    store.waiting[0]?.finish();
    await settle();
    const lost = coordinator.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 1 });
    store.waiting[1]?.fail(new Error('disk full'));
    await expect(lost.committed).rejects.toBeInstanceOf(StoreError);
    await expect(lost.committed).rejects.toThrow(/disk full/);
    expect(errors).toHaveLength(1);
    const kept = coordinator.addGradients(gradientsOf([1, 1]), { childId: 'b', sequence: 1 });
    store.waiting[2]?.finish();
    await kept.committed;
    const second = make(store.inner);
    await second.restore();
    expect(second.version).toBe(3);
    expect(second.addGradients(gradientsOf([1, 1]), { childId: 'a', sequence: 1 }).status).toBe('duplicate');
  });

  test('a store that throws at once is no different', async () => {
    const store = new MemoryStore();
    const coordinator = make(store);
    coordinator.setModelParameters(parametersOf(1, 1));
    store.close();
    const receipt = coordinator.addGradients(gradientsOf([1, 1]));
    expect(receipt.status).toBe('applied');
    await expect(receipt.committed).rejects.toBeInstanceOf(StoreError);
  });
});
