import type { MainstemError } from '../errors.ts';
import type { UpdateStatus } from '../protocol/messages.ts';
import type { Settlement } from '../Settlement.ts';

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

/** A receipt whose promise is made when it is asked for. */
export class RoadReceipt implements Receipt {
  readonly status: UpdateStatus;
  declare readonly reason?: MainstemError;
  readonly version: number;
  readonly #settlement: Settlement;

  constructor(
    { status, reason }: { status: UpdateStatus; reason: MainstemError | undefined },
    version: number,
    settlement: Settlement,
  ) {
    this.status = status;
    if (reason !== undefined) this.reason = reason;
    this.version = version;
    this.#settlement = settlement;
  }

  get committed(): Promise<void> {
    return this.#settlement.promise;
  }

  /** As `committed`, without a promise. */
  onSettled(committed: () => void, rejected: (error: Error) => void): void {
    this.#settlement.onSettled(committed, rejected);
  }
}
