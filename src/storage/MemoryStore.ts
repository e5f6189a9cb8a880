import { StoreError } from '../errors.ts';
import { show } from '../show.ts';
import type { Store, StoreOperation } from './Store.ts';

/** A store that lives as long as its object: the default of coordinators, and the double for tests. */
export class MemoryStore implements Store {
  readonly #entries = new Map<string, Uint8Array>();
  #isClosed = false;

  get(key: string): Uint8Array | undefined {
    this.#assertOpen();
    return this.#entries.get(key)?.slice();
  }

  keys(prefix: string): string[] {
    this.#assertOpen();
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  batch(operations: readonly StoreOperation[]): void {
    this.#assertOpen();
    // Checked before anything changes, so that a batch is applied whole or not at all.
    for (const { key, value } of operations) {
      if (typeof key !== 'string' || key.length === 0)
        throw new StoreError(`key is ${show(key)}, expected some text`);
      if (value !== undefined && !(value instanceof Uint8Array))
        throw new StoreError(`value of ${key} is no Uint8Array`);
    }
    for (const { key, value } of operations) {
      const kept = this.#entries.get(key);
      if (value === undefined) this.#entries.delete(key);
      // Nobody else has the kept bytes: a main that is written again and again needs no new memory.
      else if (kept?.length === value.length) kept.set(value);
      else this.#entries.set(key, new Uint8Array(value));
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StoreError('the store is closed');
  }
}
