import { StaleUpdateError } from '../../errors.ts';
import type { UpdateIdentity } from '../Membership.ts';

/** An older message must not replace a newer one, however late it comes. */
export class MessageOrder {
  readonly #latest = new Map<string, { readonly epoch: number; readonly sequence: number }>();

  /** Throws StaleUpdateError unless it is the latest of its child. One without a number always is. */
  advance(childId: string, { sequence, epoch = 0 }: UpdateIdentity): void {
    if (sequence === undefined) return;
    const latest = this.#latest.get(childId);
    const isLater =
      latest === undefined || epoch > latest.epoch || (epoch === latest.epoch && sequence > latest.sequence);
    if (!isLater)
      throw new StaleUpdateError(
        `message ${sequence} of ${childId} comes after message ${latest.sequence}, which has replaced it`,
      );
    this.#latest.set(childId, { epoch, sequence });
  }

  forget(childId: string): void {
    this.#latest.delete(childId);
  }
}
