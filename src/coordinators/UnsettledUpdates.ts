import type { Receipt } from './receipts.ts';

/**
 * Updates of remote children that were taken in and are not committed yet. They outlive a connection: a child that comes
 * back and sends one again hears what becomes of the first.
 */
export class UnsettledUpdates {
  readonly #receipts = new Map<string, Map<number, Receipt>>();

  /** Remembers a receipt until it is settled. */
  add(childId: string, sequence: number, receipt: Receipt): void {
    let receipts = this.#receipts.get(childId);
    if (receipts === undefined) {
      receipts = new Map();
      this.#receipts.set(childId, receipts);
    }
    receipts.set(sequence, receipt);
  }

  find(childId: string, sequence: number): Receipt | undefined {
    return this.#receipts.get(childId)?.get(sequence);
  }

  settle(childId: string, sequence: number): void {
    const receipts = this.#receipts.get(childId);
    receipts?.delete(sequence);
    if (receipts?.size === 0) this.#receipts.delete(childId);
  }

  forget(childId: string): void {
    this.#receipts.delete(childId);
  }
}
