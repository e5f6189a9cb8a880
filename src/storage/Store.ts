/** One change of a store. Without a value the key is removed. */
export interface StoreOperation {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/**
 * What survives a crash: bytes by key, changed in atomic batches. A method that returns nothing has finished
 * when it returns; one that returns a promise has finished when that resolves. `storeContract` of
 * mainstem/testing says whether a class of your own keeps this contract.
 */
export interface Store {
  /** A copy of the bytes, or undefined. */
  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The keys that start with `prefix`, sorted by code unit. */
  keys(prefix: string): string[] | Promise<string[]>;
  /** Applies all operations in their order, or none. Finished means durable. */
  batch(operations: readonly StoreOperation[]): void | Promise<void>;
  /** Lets go of files and the like. Afterwards every method fails. */
  close(): void | Promise<void>;
}
