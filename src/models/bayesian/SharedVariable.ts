import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import type { Distribution } from './families/Distribution.ts';

/** What became of a message. */
export type MessageStatus = 'applied' | 'duplicate' | 'stale';

interface Kept<D> {
  readonly message: D;
  readonly round: number;
}

/**
 * A variable that machines share: its prior, and what each machine has said of it. A message replaces the one before of its
 * machine, so that one that comes twice, late or again changes nothing; what a machine is told never has its own message in
 * it. Everything is added up anew, in the order of the machines' names: which message came first makes no difference, not by
 * one bit, and without a machine the rest is as if it had never been there.
 */
export class SharedVariable<D extends Distribution<D>> {
  readonly name: string;
  readonly prior: D;
  readonly #kept = new Map<string, Kept<D>>();
  #posterior: D | undefined;

  constructor(name: string, prior: D) {
    this.name = name;
    this.prior = prior;
  }

  /** Machines that have said something, sorted. */
  get machines(): string[] {
    return [...this.#kept.keys()].sort();
  }

  /** Prior · all messages: what all data together say, once nothing changes any more. */
  get posterior(): D {
    this.#posterior ??= this.#product(undefined).multiply(this.prior);
    return this.#posterior;
  }

  /** What this machine has said; uniform before it has. */
  messageOf(machine: string): D {
    return this.#kept.get(machine)?.message ?? this.prior.power(0);
  }

  /** What all others have said: what this machine is to take into account besides the prior and its own data. */
  inboxOf(machine: string): D {
    return this.#product(machine);
  }

  /**
   * Takes what a machine says in a round of its own, counted from 1. `damping` of 1 replaces its message, less takes it that
   * part of the way. Throws LayoutMismatchError for another family, InvalidOptionError for an illegal round or damping, and then
   * nothing has changed.
   */
  receive(
    machine: string,
    message: D,
    { round, damping = 1 }: { round: number; damping?: number },
  ): MessageStatus {
    if (!(Number.isSafeInteger(round) && round >= 1))
      throw new InvalidOptionError(`round is ${show(round)}, expected a whole number, 1 or more`);
    if (!(damping > 0 && damping <= 1))
      throw new InvalidOptionError(`damping is ${show(damping)}, expected 0 < damping ≤ 1`);
    const before = this.messageOf(machine);
    // Up + δ (new − up).
    const next =
      damping === 1 ? before.power(0).multiply(message) : before.addScaled(message.divide(before), damping);
    const known = this.#kept.get(machine)?.round ?? 0;
    if (round === known) return 'duplicate';
    if (round < known) return 'stale';
    this.#kept.set(machine, { message: next, round });
    this.#posterior = undefined;
    return 'applied';
  }

  /** Unlearns a machine; false where it has said nothing. */
  forget(machine: string): boolean {
    this.#posterior = undefined;
    return this.#kept.delete(machine);
  }

  #product(without: string | undefined): D {
    let product = this.prior.power(0);
    for (const machine of this.machines)
      if (machine !== without) product = product.multiply((this.#kept.get(machine) as Kept<D>).message);
    return product;
  }
}
