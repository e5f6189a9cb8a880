import type { UpdateIdentity } from './Membership.ts';

/** Numbers of a child's updates that are on their way. Numbers begin anew with each epoch. */
export class InFlight {
  /** Sequence numbers by epoch; undefined while there are none, as for most children most of the time. */
  #epochs: Map<number, Set<number>> | undefined;

  has(epoch: number, sequence: number): boolean {
    return this.#epochs?.get(epoch)?.has(sequence) === true;
  }

  /** Takes an update in; one without a number is not told from others. */
  add({ sequence, epoch = 0 }: UpdateIdentity): void {
    if (sequence === undefined) return;
    this.#epochs ??= new Map();
    const sequences = this.#epochs.get(epoch);
    if (sequences === undefined) this.#epochs.set(epoch, new Set([sequence]));
    else sequences.add(sequence);
  }

  delete({ sequence, epoch = 0 }: UpdateIdentity): void {
    const sequences = this.#epochs?.get(epoch);
    if (sequence === undefined || sequences?.delete(sequence) !== true || sequences.size > 0) return;
    this.#epochs?.delete(epoch);
    if (this.#epochs?.size === 0) this.#epochs = undefined;
  }
}
