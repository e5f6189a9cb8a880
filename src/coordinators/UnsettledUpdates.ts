import type { RoadReceipt } from './receipts.ts';

/**
 * Updates of remote children that were taken in and are not committed yet. They outlive a connection, and the child's
 * being counted out: a child that comes back and sends one again hears what becomes of the first. Each goes when it is
 * settled, so there are never more than the coordinator itself has under way.
 */
export class UnsettledUpdates {
  /** By child and epoch, with which numbers begin anew, and then by number. */
  readonly #receipts = new Map<string, Map<number, RoadReceipt>>();

  /** Remembers a receipt until it is settled. */
  add(childId: string, epoch: number, sequence: number, receipt: RoadReceipt): void {
    const key = `${epoch}/${childId}`;
    let receipts = this.#receipts.get(key);
    if (receipts === undefined) {
      receipts = new Map();
      this.#receipts.set(key, receipts);
    }
    receipts.set(sequence, receipt);
    const forget = (): void => this.#forget(key, sequence);
    receipt.onSettled(forget, forget);
  }

  find(childId: string, epoch: number, sequence: number): RoadReceipt | undefined {
    return this.#receipts.get(`${epoch}/${childId}`)?.get(sequence);
  }

  #forget(key: string, sequence: number): void {
    const receipts = this.#receipts.get(key);
    receipts?.delete(sequence);
    if (receipts?.size === 0) this.#receipts.delete(key);
  }
}
