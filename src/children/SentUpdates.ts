import type { MainstemError } from '../errors.ts';
import { unsettledUpdatesMax } from '../limits.ts';
import type { NamedTensors } from '../parameters/NamedTensors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { UpdateMessage, UpdateStatus } from '../protocol/messages.ts';
import { valuesToBytes } from '../protocol/tensorBytes.ts';

/** What became of an update that was sent, as the coordinator says. */
export interface ChildReceipt {
  readonly status: UpdateStatus;
  readonly reason?: MainstemError;
  /** Version of main when the coordinator answered. */
  readonly version: number;
  /** Resolves when main with the update in it survives a crash; rejects where that will not be. */
  readonly committed: Promise<void>;
}

/** An update as it will be sent, once or again. */
export interface SentUpdate {
  readonly layout: ParameterLayout;
  readonly message: Omit<UpdateMessage, 'layout'>;
  /** It has gone out over a connection. */
  wasSent: boolean;
}

/** An update whose receipt, and then its commit, are still to come. */
interface Unsettled extends SentUpdate {
  /** It has gone out again: that the coordinator has had it already is no fault then. */
  isRepeated: boolean;
  answer(receipt: ChildReceipt): void;
  fail(error: MainstemError): void;
  readonly committed: Promise<void>;
  commit(): void;
  reject(error: MainstemError): void;
}

/** The updates of a child that the coordinator has not settled yet, by sequence number, to be sent again after a cut. */
export class SentUpdates {
  readonly #unsettled = new Map<number, Unsettled>();
  readonly #waitingForRoom: (() => void)[] = [];
  #sequence = 0;

  /** Whether one more may be added now: somebody else may be quicker than whoever waits for room. */
  get hasRoom(): boolean {
    return this.#unsettled.size < unsettledUpdatesMax;
  }

  /** Resolves when there is room again, or nothing to wait for any more. */
  room(): Promise<void> {
    return new Promise<void>((resolve) => this.#waitingForRoom.push(resolve));
  }

  /** Takes an update in under the next sequence number, from 1. What is kept of it is a copy. */
  add(
    content: NamedTensors,
    baseVersion: number | undefined,
  ): { update: SentUpdate; receipt: Promise<ChildReceipt> } {
    const sequence = ++this.#sequence;
    let commit: () => void = () => {};
    let reject: (error: Error) => void = () => {};
    const committed = new Promise<void>((onResolve, onReject) => {
      commit = onResolve;
      reject = onReject;
    });
    // Nobody has to wait for the commit; its failure must not end the process then.
    committed.catch(() => {});
    const message = {
      type: 'update' as const,
      dtype: content.dtype,
      sequence,
      sampleCount: content.sampleCount ?? null,
      baseVersion: baseVersion ?? null,
      payload: valuesToBytes(content.values.slice()),
    };
    let update: Unsettled | undefined;
    const receipt = new Promise<ChildReceipt>((answer, fail) => {
      const { layout } = content;
      update = {
        layout,
        message,
        wasSent: false,
        isRepeated: false,
        answer,
        fail,
        committed,
        commit,
        reject,
      };
    });
    this.#unsettled.set(sequence, update as Unsettled);
    return { update: update as Unsettled, receipt };
  }

  /** Forgets an update that could not be sent at all. */
  withdraw({ message }: SentUpdate): void {
    this.#delete(message.sequence);
  }

  /** All that are to be sent after a cut, in order. */
  *again(): Generator<SentUpdate> {
    for (const update of this.#unsettled.values()) {
      update.isRepeated = update.wasSent;
      yield update;
    }
  }

  /** The session is lost: nobody knows whether what was sent is part of main. What was not sent yet goes out later. */
  giveUpSent(error: MainstemError): void {
    for (const [sequence, update] of [...this.#unsettled]) {
      if (!update.wasSent) continue;
      update.fail(error);
      this.reject(sequence, error);
    }
  }

  answer(
    first: number,
    last: number,
    answer: { status: UpdateStatus; version: number; reason: MainstemError | undefined },
  ): void {
    const { version, reason } = answer;
    for (const [sequence, update] of this.#range(first, last)) {
      const { committed, isRepeated } = update;
      const isKnown = answer.status === 'duplicate' && isRepeated;
      const status = isKnown ? 'applied' : answer.status;
      if (reason === undefined || isKnown) update.answer({ status, version, committed });
      else {
        update.answer({ status, version, committed, reason });
        this.reject(sequence, reason);
      }
    }
  }

  commit(first: number, last: number): void {
    for (const [sequence, update] of this.#range(first, last)) {
      update.commit();
      this.#delete(sequence);
    }
  }

  reject(sequence: number, error: MainstemError): void {
    this.#unsettled.get(sequence)?.reject(error);
    this.#delete(sequence);
  }

  /** It is over: nothing more will come for any of them. */
  close(error: MainstemError): void {
    for (const update of this.#unsettled.values()) {
      update.fail(error);
      update.reject(error);
    }
    this.#unsettled.clear();
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }

  /** A coordinator may name any numbers: only those that are known count. */
  #range(first: number, last: number): [number, Unsettled][] {
    const known: [number, Unsettled][] = [];
    for (const entry of this.#unsettled) {
      // They are in the order of their numbers.
      if (entry[0] > last) break;
      if (entry[0] >= first) known.push(entry);
    }
    return known;
  }

  #delete(sequence: number): void {
    if (this.#unsettled.delete(sequence)) this.#waitingForRoom.shift()?.();
  }
}
