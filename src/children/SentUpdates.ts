import type { MainstemError } from '../errors.ts';
import type { UpdateStatus } from '../protocol/messages.ts';

/** What became of an update that was sent, as the coordinator says. */
export interface ChildReceipt {
  readonly status: UpdateStatus;
  readonly reason?: MainstemError;
  /** Version of main when the coordinator answered. */
  readonly version: number;
  /** Resolves when main with the update in it survives a crash; rejects where that will not be. */
  readonly committed: Promise<void>;
}

/** An update on its way: its receipt, and then its commit, are still to come. */
interface Sent {
  answer(receipt: ChildReceipt): void;
  fail(error: MainstemError): void;
  readonly committed: Promise<void>;
  commit(): void;
  reject(error: MainstemError): void;
}

/** The updates of a child that the coordinator has not settled yet, by sequence number. */
export class SentUpdates {
  readonly #sent = new Map<number, Sent>();
  #sequence = 0;

  /** Sends under the next sequence number, from 1; the receipt will come. Where `send` throws, nothing is kept. */
  open(send: (sequence: number) => void): Promise<ChildReceipt> {
    const sequence = ++this.#sequence;
    let commit: () => void = () => {};
    let reject: (error: Error) => void = () => {};
    const committed = new Promise<void>((onResolve, onReject) => {
      commit = onResolve;
      reject = onReject;
    });
    // Nobody has to wait for the commit; its failure must not end the process then.
    committed.catch(() => {});
    const receipt = new Promise<ChildReceipt>((answer, fail) => {
      this.#sent.set(sequence, { answer, fail, committed, commit, reject });
    });
    try {
      send(sequence);
    } catch (thrown) {
      this.#sent.delete(sequence);
      throw thrown;
    }
    return receipt;
  }

  answer(sequence: number, status: UpdateStatus, version: number, reason: MainstemError | undefined): void {
    const sent = this.#sent.get(sequence);
    if (sent === undefined) return;
    const { committed } = sent;
    sent.answer(
      reason === undefined ? { status, version, committed } : { status, version, committed, reason },
    );
    if (reason !== undefined) this.reject(sequence, reason);
  }

  commit(sequence: number): void {
    this.#sent.get(sequence)?.commit();
    this.#sent.delete(sequence);
  }

  reject(sequence: number, error: MainstemError): void {
    this.#sent.get(sequence)?.reject(error);
    this.#sent.delete(sequence);
  }

  /** The connection is gone: nothing more will come for any of them. */
  close(error: MainstemError): void {
    for (const sent of this.#sent.values()) {
      sent.fail(error);
      sent.reject(error);
    }
    this.#sent.clear();
  }
}
