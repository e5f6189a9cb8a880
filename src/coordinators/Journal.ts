import { StoreError, toError } from '../errors.ts';
import type { Store, StoreOperation } from '../storage/Store.ts';
import type { Settlement } from './receipts.ts';

/** What must be stored together. */
export interface Commit {
  /** By key, so that a later value of a key replaces an earlier one that still waits. */
  readonly operations: readonly StoreOperation[];
  readonly settlements: readonly Settlement[];
}

/**
 * Writes commits to the store, one batch at a time; what comes during a batch goes into the next. Acknowledges
 * what a batch holds when it is durable.
 */
export class Journal {
  readonly #store: Store;
  readonly #onCommitted: () => void;
  readonly #onError: (error: Error) => void;
  readonly #waiting = new Map<string, StoreOperation>();
  #settlements: Settlement[] = [];
  #isWriting = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(store: Store, onCommitted: () => void, onError: (error: Error) => void) {
    this.#store = store;
    this.#onCommitted = onCommitted;
    this.#onError = onError;
  }

  /** Hands a commit over. With a store that works at once it is durable on return. */
  add({ operations, settlements }: Commit): void {
    for (const operation of operations) this.#waiting.set(operation.key, operation);
    this.#settlements.push(...settlements);
    if (!this.#isWriting) this.#write();
  }

  /** Resolves when nothing waits. */
  get idle(): Promise<void> {
    return this.#idle;
  }

  #write(): void {
    const operations = [...this.#waiting.values()];
    const settlements = this.#settlements;
    this.#waiting.clear();
    this.#settlements = [];
    this.#isWriting = true;
    try {
      const result = this.#store.batch(operations);
      if (result === undefined) {
        this.#succeed(settlements);
        return;
      }
      this.#idle = result.then(
        () => this.#succeed(settlements),
        (thrown: unknown) => this.#fail(operations, settlements, thrown),
      );
    } catch (thrown) {
      this.#fail(operations, settlements, thrown);
    }
  }

  #succeed(settlements: readonly Settlement[]): void {
    this.#isWriting = false;
    this.#onCommitted();
    for (const settlement of settlements) settlement.resolve();
    if (this.#waiting.size > 0 && !this.#isWriting) this.#write();
  }

  /** Main in memory is ahead of the store now: what failed goes along with the next commit. */
  #fail(operations: readonly StoreOperation[], settlements: readonly Settlement[], thrown: unknown): void {
    this.#isWriting = false;
    for (const operation of operations) {
      if (!this.#waiting.has(operation.key)) this.#waiting.set(operation.key, operation);
    }
    const error = new StoreError(`the store refused a commit: ${toError(thrown).message}`, thrown);
    for (const settlement of settlements) settlement.reject(error);
    this.#onError(error);
    if (this.#settlements.length > 0) this.#write();
  }
}
