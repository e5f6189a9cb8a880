import type { MainstemError } from '../errors.ts';
import { unsettledUpdatesMax } from '../limits.ts';
import type { NamedTensors } from '../parameters/NamedTensors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { UpdateMessage, UpdateStatus } from '../protocol/messages.ts';
import { Settlement } from '../Settlement.ts';
import { Slab } from '../transport/Slab.ts';
import type { PackedUpdate } from './UpdatePacker.ts';

const payloads = new Slab();

/** What became of an update that was sent, as the coordinator says. */
export interface ChildReceipt {
  readonly status: UpdateStatus;
  readonly reason?: MainstemError;
  /** Version of main when the coordinator answered. */
  readonly version: number;
  /** Resolves when main with the update in it survives a crash; rejects where that will not be. Nobody has to listen. */
  readonly committed: Promise<void>;
}

/** A receipt whose promise is made when it is asked for. */
class SettledLater implements ChildReceipt {
  readonly status: UpdateStatus;
  declare readonly reason?: MainstemError;
  readonly version: number;
  readonly #settlement: Settlement;

  constructor({ status, version, reason }: Answer, settlement: Settlement) {
    this.status = status;
    this.version = version;
    if (reason !== undefined) this.reason = reason;
    this.#settlement = settlement;
  }

  get committed(): Promise<void> {
    return this.#settlement.promise;
  }
}

/** What the coordinator says of an update at first. */
interface Answer {
  readonly status: UpdateStatus;
  readonly version: number;
  readonly reason: MainstemError | undefined;
}

/** An update as it will be sent, once or again. */
export interface SentUpdate {
  readonly layout: ParameterLayout;
  message: Omit<UpdateMessage, 'layout'>;
  /** It has gone out over a connection. */
  wasSent: boolean;
  /** When it last went out, while it has no answer. */
  sentMs: number | undefined;
}

/** An update whose receipt, and then its commit, are still to come. */
interface Unsettled extends SentUpdate {
  /** It has gone out again: that the coordinator has had it already is no fault then. */
  isRepeated: boolean;
  answer(receipt: ChildReceipt): void;
  fail(error: MainstemError): void;
  readonly settlement: Settlement;
  readonly whole: PackedUpdate['whole'];
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
    packed: PackedUpdate,
    baseVersion: number | undefined,
  ): { update: SentUpdate; receipt: Promise<ChildReceipt> } {
    const sequence = ++this.#sequence;
    const message = {
      type: 'update' as const,
      dtype: packed.dtype,
      isPacked: packed.isPacked,
      sequence,
      sampleCount: content.sampleCount ?? null,
      baseVersion: baseVersion ?? null,
      payload: payloads.copy(packed.payload),
    };
    const { layout } = content;
    const { whole } = packed;
    const settlement = new Settlement();
    let update: Unsettled | undefined;
    const receipt = new Promise<ChildReceipt>((answer, fail) => {
      update = {
        ...{ layout, message, wasSent: false, sentMs: undefined, isRepeated: false },
        ...{ answer, fail, settlement, whole },
      };
    });
    this.#unsettled.set(sequence, update as Unsettled);
    return { update: update as Unsettled, receipt };
  }

  /** Forgets an update that could not be sent at all. */
  withdraw({ message }: SentUpdate): void {
    this.#delete(message.sequence);
  }

  /**
   * All that are to be sent after a cut, in order. To another life of the coordinator nothing goes as a difference: it
   * may not have the main.
   */
  *again(isOtherInstance: boolean): Generator<SentUpdate> {
    for (const update of this.#unsettled.values()) {
      update.isRepeated = update.wasSent;
      const whole = isOtherInstance ? update.whole?.() : undefined;
      if (whole !== undefined) update.message = { ...update.message, ...whole, isPacked: false };
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

  /** When the first of those that wait for an answer went out. */
  get waitingSinceMs(): number | undefined {
    for (const { sentMs } of this.#unsettled.values()) if (sentMs !== undefined) return sentMs;
    return undefined;
  }

  answer(first: number, last: number, answer: Answer): void {
    const { version, reason } = answer;
    for (const sequence of this.#known(first, last)) {
      const update = this.#unsettled.get(sequence) as Unsettled;
      const { settlement, isRepeated } = update;
      update.sentMs = undefined;
      const isKnown = answer.status === 'duplicate' && isRepeated;
      if (isKnown)
        update.answer(new SettledLater({ status: 'applied', version, reason: undefined }, settlement));
      else update.answer(new SettledLater(answer, settlement));
      if (reason !== undefined && !isKnown) this.reject(sequence, reason);
    }
  }

  commit(first: number, last: number): void {
    for (const sequence of this.#known(first, last)) {
      this.#unsettled.get(sequence)?.settlement.resolve();
      this.#delete(sequence);
    }
  }

  reject(sequence: number, error: MainstemError): void {
    this.#unsettled.get(sequence)?.settlement.reject(error);
    this.#delete(sequence);
  }

  /** It is over: nothing more will come for any of them. */
  close(error: MainstemError): void {
    for (const update of this.#unsettled.values()) {
      update.fail(error);
      update.settlement.reject(error);
    }
    this.#unsettled.clear();
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }

  /** Those of a range that are known: a coordinator may name any numbers, and no more than there are here cost time. */
  *#known(first: number, last: number): Generator<number> {
    if (last - first < this.#unsettled.size) {
      for (let sequence = first; sequence <= last; sequence++) {
        if (this.#unsettled.has(sequence)) yield sequence;
      }
    } else
      for (const sequence of [...this.#unsettled.keys()])
        if (first <= sequence && sequence <= last) yield sequence;
  }

  #delete(sequence: number): void {
    const update = this.#unsettled.get(sequence);
    if (update === undefined) return;
    this.#unsettled.delete(sequence);
    // What went out again may still wait to be sent.
    if (update.wasSent && !update.isRepeated) payloads.give(update.message.payload);
    this.#waitingForRoom.shift()?.();
  }
}
