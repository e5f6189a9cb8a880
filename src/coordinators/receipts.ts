import type { MainstemError } from '../errors.ts';
import type { UpdateStatus } from '../protocol/messages.ts';

export type { UpdateStatus } from '../protocol/messages.ts';

/** What became of an update. */
export interface Receipt {
  /**
   * `applied`: it is part of main. `accepted`: taken in, and waiting for its turn or for the rest of its round.
   * `duplicate`, `stale`, `refused`: it changed nothing, `reason` says why.
   */
  readonly status: UpdateStatus;
  readonly reason?: MainstemError;
  /** Version of main after the call. */
  readonly version: number;
  /**
   * Resolves when a version of main that holds the update is committed to the store. Rejects with the reason where
   * it never will be. Nobody has to listen.
   */
  readonly committed: Promise<void>;
}

/** A promise to be settled from outside, whose rejection nobody has to handle. */
export interface Settlement {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

export function createSettlement(): Settlement {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // A receipt may be ignored; a refusal must not then end the process.
  promise.catch(() => {});
  return { promise, resolve: () => resolve(), reject: (error) => reject(error) };
}
