import type { Store, StoreOperation } from '../storage/Store.ts';
import type { ContractCase } from './contract.ts';
import { ensure, ensureFails, ensureSame } from './contract.ts';

/** The promises of a Store. `create` opens a new, empty one each time. */
export function storeContract(create: () => Store | Promise<Store>): ContractCase[] {
  const use = (name: string, body: (store: Store) => Promise<void>): ContractCase => ({
    name,
    async run() {
      const store = await create();
      try {
        await body(store);
      } finally {
        await store.close();
      }
    },
  });
  return [...readingCases(use), ...batchCases(use), closingCase(create)];
}

type Use = (name: string, body: (store: Store) => Promise<void>) => ContractCase;

function readingCases(use: Use): ContractCase[] {
  return [
    use('an unknown key is undefined', async (store) => {
      ensure((await store.get('nothing')) === undefined, 'an unknown key has a value');
    }),
    use('bytes come back as they were, empty ones too', async (store) => {
      await store.batch([put('a', 0, 255, 7), put('empty')]);
      ensureSame((await store.get('a')) ?? [], [0, 255, 7], 'value of a');
      ensure((await store.get('empty'))?.length === 0, 'the empty value is lost');
    }),
    use('values are copied on the way in and on the way out', async (store) => {
      const bytes = new Uint8Array([1, 2, 3]);
      await store.batch([{ key: 'a', value: bytes }]);
      bytes.fill(9);
      (await store.get('a'))?.fill(8);
      ensureSame((await store.get('a')) ?? [], [1, 2, 3], 'value of a');
    }),
    use('keys are those of the prefix, sorted', async (store) => {
      await store.batch(['b/2', 'a/1', 'b/10', 'b', 'c', 'b/é'].map((key) => put(key, 1)));
      const keys = await store.keys('b/');
      ensure(JSON.stringify(keys) === JSON.stringify(['b/10', 'b/2', 'b/é']), `keys are ${keys}`);
    }),
  ];
}

function batchCases(use: Use): ContractCase[] {
  return [
    use('a later operation of a batch wins over an earlier one', async (store) => {
      await store.batch([put('a', 1), put('a', 2), put('b', 3), { key: 'b', value: undefined }]);
      ensureSame((await store.get('a')) ?? [], [2], 'value of a');
      ensure((await store.get('b')) === undefined, 'b was removed and is still there');
    }),
    use('an illegal batch changes nothing', async (store) => {
      await store.batch([put('a', 1)]);
      const illegal = { key: 'b', value: 'text' } as unknown as StoreOperation;
      await ensureFails(() => store.batch([put('a', 2), illegal]), 'a value that is no Uint8Array was taken');
      ensureSame((await store.get('a')) ?? [], [1], 'value of a after an illegal batch');
    }),
    use('an empty batch is legal', async (store) => {
      await store.batch([]);
      ensure((await store.keys('')).length === 0, 'an empty batch left keys');
    }),
  ];
}

function closingCase(create: () => Store | Promise<Store>): ContractCase {
  return {
    name: 'after close every method fails',
    async run() {
      const store = await create();
      await store.close();
      await ensureFails(() => store.get('a'), 'get of a closed store');
      await ensureFails(() => store.keys(''), 'keys of a closed store');
      await ensureFails(() => store.batch([put('a', 1)]), 'batch of a closed store');
    },
  };
}

function put(key: string, ...bytes: number[]): StoreOperation {
  return { key, value: Uint8Array.from(bytes) };
}
