import { LimitExceededError } from '../../errors.ts';

/** Something with bytes that wait to be sent. */
export interface BudgetedSender {
  /** Who takes them. */
  readonly peer: string;
  /** Bytes that it has taken of the budget. */
  readonly outstandingBytes: number;
  /** Ends it at once, gives its bytes back, and calls nobody before this turn is over. */
  cut(error: LimitExceededError): void;
}

/**
 * Bytes that may wait to be sent on many connections together. Where they would be more, the connection on which most
 * waits is ended, again and again until they fit: whoever takes what it is sent has little to fear from those who do not.
 */
export class SendBudget {
  readonly #bytesMax: number;
  readonly #senders = new Set<BudgetedSender>();
  #taken = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that are taken. */
  get taken(): number {
    return this.#taken;
  }

  add(sender: BudgetedSender): void {
    this.#senders.add(sender);
  }

  remove(sender: BudgetedSender): void {
    this.#senders.delete(sender);
  }

  /** Takes bytes for a sender that counts them already. */
  take(bytes: number): void {
    this.#taken += bytes;
    while (this.#taken > this.#bytesMax) {
      const greediest = this.#greediest();
      if (greediest === undefined) return;
      const { peer, outstandingBytes } = greediest;
      greediest.cut(
        new LimitExceededError(
          `${this.#taken} bytes wait on all connections, ${outstandingBytes} of them for ${peer}; at most ${this.#bytesMax} are allowed`,
        ),
      );
    }
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }

  #greediest(): BudgetedSender | undefined {
    let greediest: BudgetedSender | undefined;
    let most = 0;
    for (const sender of this.#senders) {
      if (sender.outstandingBytes <= most) continue;
      greediest = sender;
      most = sender.outstandingBytes;
    }
    return greediest;
  }
}
