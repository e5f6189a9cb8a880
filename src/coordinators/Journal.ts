import type { Clock } from '../clock.ts';
import { StoreError, toError } from '../errors.ts';
import { storeRetryMs } from '../limits.ts';
import type { Settlement } from '../Settlement.ts';
import type { Store, StoreOperation } from '../storage/Store.ts';

/** What must be stored together. */
export interface Commit {
  /** By key, so that a later value of a key replaces an earlier one that still waits. */
  readonly operations: readonly StoreOperation[];
  readonly settlements: readonly Settlement[];
}

/** What a journal tells. */
export interface JournalEvents {
  /** These operations are durable now. */
  committed(operations: readonly StoreOperation[]): void;
  failed(error: Error): void;
}

/**
 * Writes commits to the store, one batch at a time; what comes during a batch goes into the next. Acknowledges
 * what a batch holds when it is durable. A batch that fails is tried again, with whatever came since, each second
 * and with each commit, until the journal is closed: no update is acknowledged or given up before that.
 */
export class Journal {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #events: JournalEvents;
  readonly #waiting = new Map<string, StoreOperation>();
  #settlements: Settlement[] = [];
  #writing: Promise<void> | undefined;
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;

  constructor(store: Store, clock: Clock, events: JournalEvents) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
  }

  /** Updates that wait to be durable. */
  get waitingUpdates(): number {
    return this.#settlements.length;
  }

  /** Hands a commit over. With a store that works at once it is durable on return. */
  add({ operations, settlements }: Commit): void {
    for (const operation of operations) this.#waiting.set(operation.key, operation);
    this.#settlements.push(...settlements);
    if (this.#writing === undefined) this.#write();
  }

  /** Writes what waits; what the store refuses even now is given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    await this.#quiet();
    if (this.#waiting.size > 0) this.#write();
    await this.#quiet();
    const error = new StoreError('the coordinator was closed before the store took the update');
    for (const settlement of this.#settlements.splice(0)) settlement.reject(error);
  }

  /** Resolves when no batch is under way. */
  async #quiet(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #write(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    const operations = [...this.#waiting.values()];
    const settlements = this.#settlements;
    this.#waiting.clear();
    this.#settlements = [];
    try {
      const result = this.#store.batch(operations);
      if (result === undefined) {
        this.#succeed(operations, settlements);
        return;
      }
      this.#writing = result.then(
        () => {
          this.#writing = undefined;
          this.#succeed(operations, settlements);
        },
        (thrown: unknown) => {
          this.#writing = undefined;
          this.#fail(operations, settlements, thrown);
        },
      );
    } catch (thrown) {
      this.#fail(operations, settlements, thrown);
    }
  }

  #succeed(operations: readonly StoreOperation[], settlements: readonly Settlement[]): void {
    this.#events.committed(operations);
    for (const settlement of settlements) settlement.resolve();
    if (this.#waiting.size > 0 && this.#writing === undefined) this.#write();
  }

  #fail(operations: readonly StoreOperation[], settlements: readonly Settlement[], thrown: unknown): void {
    for (const operation of operations) {
      if (!this.#waiting.has(operation.key)) this.#waiting.set(operation.key, operation);
    }
    this.#settlements = [...settlements, ...this.#settlements];
    this.#events.failed(new StoreError(`the store refused a commit: ${toError(thrown).message}`, thrown));
    if (!this.#isClosed) this.#cancelRetry = this.#clock.schedule(() => this.#write(), storeRetryMs);
  }
}
