import type { Clock, Random, Store, StoreOperation } from 'mainstem';
import { MemoryStore } from 'mainstem';

/** What outlives a coordinator: a store that fails and dawdles at random, as one process after another sees it. */
export class FlakyDisk {
  readonly contents: MemoryStore = new MemoryStore();
  isHealthy = true;
  readonly #clock: Clock;
  readonly #random: Random;
  #processes = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The store of a new process. Those before it are dead: nothing of theirs is written or answered any more. */
  open(): Store {
    const process = ++this.#processes;
    return {
      get: (key) => this.contents.get(key),
      keys: (prefix) => this.contents.keys(prefix),
      close() {},
      batch: (operations) => this.#batch(operations, () => this.#processes === process),
    };
  }

  /** Kills the process that has opened it last. */
  kill(): void {
    this.#processes++;
  }

  #batch(operations: readonly StoreOperation[], isAlive: () => boolean): void | Promise<void> {
    if (!isAlive()) return new Promise(() => {});
    const luck = this.isHealthy ? 1 : this.#random.next();
    if (luck < 0.15) throw new Error('the disk is full');
    if (luck >= 0.7) return this.contents.batch(operations);
    // A write may be done and its answer fail, or be late: only an answer says that it is durable.
    const isWrittenFirst = this.#random.next() < 0.5;
    const fails = luck < 0.35;
    if (isWrittenFirst) this.contents.batch(operations);
    return new Promise((resolve, reject) => {
      this.#clock.schedule(
        () => {
          if (!isAlive()) return;
          if (!isWrittenFirst && !fails) this.contents.batch(operations);
          if (fails) reject(new Error('the disk is slow, and full'));
          else resolve();
        },
        1 + 30 * this.#random.next(),
      );
    });
  }
}
