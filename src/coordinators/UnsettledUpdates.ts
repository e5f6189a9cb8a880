import type { Receipt } from './receipts.ts';

/**
 * Updates of remote children that were taken in and are not committed yet. They outlive a connection, and the child's
 * being counted out: a child that comes back and sends one again hears what becomes of the first. Each goes when it is
 * settled, so there are never more than the coordinator itself has under way.
 */
export class UnsettledUpdates {
  readonly #receipts = new Map<string, Map<string, Receipt>>();

  /** Remembers a receipt until it is settled. Numbers begin anew with each epoch. */
  add(childId: string, epoch: number, sequence: number, receipt: Receipt): void {
    let receipts = this.#receipts.get(childId);
    if (receipts === undefined) {
      receipts = new Map();
      this.#receipts.set(childId, receipts);
    }
    receipts.set(`${epoch}/${sequence}`, receipt);
  }

  find(childId: string, epoch: number, sequence: number): Receipt | undefined {
    return this.#receipts.get(childId)?.get(`${epoch}/${sequence}`);
  }

  settle(childId: string, epoch: number, sequence: number): void {
    const receipts = this.#receipts.get(childId);
    receipts?.delete(`${epoch}/${sequence}`);
    if (receipts?.size === 0) this.#receipts.delete(childId);
  }
}
