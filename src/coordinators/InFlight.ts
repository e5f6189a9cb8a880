import type { UpdateIdentity } from './Membership.ts';

/** Numbers of a child's updates that are on their way. Numbers begin anew with each epoch. */
export class InFlight {
  /** Sequence numbers by epoch. The set of an epoch stays until another takes its place, empty or not. */
  readonly #epochs = new Map<number, Set<number>>();

  has(epoch: number, sequence: number): boolean {
    return this.#epochs.get(epoch)?.has(sequence) === true;
  }

  /** Takes an update in; one without a number is not told from others. */
  add({ sequence, epoch = 0 }: UpdateIdentity): void {
    if (sequence === undefined) return;
    let sequences = this.#epochs.get(epoch);
    if (sequences === undefined) {
      for (const [other, { size }] of this.#epochs) if (size === 0) this.#epochs.delete(other);
      sequences = new Set();
      this.#epochs.set(epoch, sequences);
    }
    sequences.add(sequence);
  }

  delete({ sequence, epoch = 0 }: UpdateIdentity): void {
    if (sequence !== undefined) this.#epochs.get(epoch)?.delete(sequence);
  }
}
