import { InvalidDataError, InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import type { Distribution } from './families/Distribution.ts';

/** What became of a message. */
export type MessageStatus = 'applied' | 'duplicate' | 'stale';

/** What would come of messages. */
export interface Proposal<D> {
  /** All that would be kept, by machine. */
  readonly messages: ReadonlyMap<string, D>;
  readonly posterior: D;
  /** Messages that would have made the posterior improper, and of which only what pulls at the mean is taken. */
  readonly clipped: number;
  /** Those that are not taken at all: what their machines had said before stays. */
  readonly skipped: number;
}

/**
 * A variable that machines share: its prior, and what each machine has said of it. A message replaces the one before of its
 * machine, so that one that comes twice, late or again changes nothing; what a machine is told never has its own message in
 * it. Everything is added up anew, in the order of the machines' names: which message came first makes no difference, not by
 * one bit, and without a machine the rest is as if it had never been there. The posterior is proper, always.
 */
export class SharedVariable<D extends Distribution<D>> {
  readonly name: string;
  readonly prior: D;
  #messages: ReadonlyMap<string, D> = new Map();
  readonly #rounds = new Map<string, number>();
  #posterior: D;

  constructor(name: string, prior: D) {
    this.name = name;
    this.prior = prior;
    this.#posterior = prior;
  }

  /** Machines that have said something, sorted. */
  get machines(): string[] {
    return sorted(this.#messages);
  }

  /** Prior · all messages: what all data together say, once nothing changes any more. */
  get posterior(): D {
    return this.#posterior;
  }

  /** What this machine has said; uniform before it has. */
  messageOf(machine: string): D {
    return this.#messages.get(machine) ?? this.prior.power(0);
  }

  /** What all have said, by machine. Does not change any more. */
  get messages(): ReadonlyMap<string, D> {
    return this.#messages;
  }

  /** What all others have said: what this machine is to take into account besides the prior and its own data. */
  inboxOf(machine: string): D {
    return productOf(this.prior, this.#messages, machine);
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
    const proposal = this.propose(new Map([[machine, message]]), damping);
    const known = this.#rounds.get(machine) ?? 0;
    if (round === known) return 'duplicate';
    if (round < known) return 'stale';
    this.#rounds.set(machine, round);
    this.adopt(proposal);
    return 'applied';
  }

  /** What would come of these messages, by machine, in place of those before; changes nothing. Throws as `receive`. */
  propose(said: ReadonlyMap<string, D>, damping = 1): Proposal<D> {
    if (!(damping > 0 && damping <= 1))
      throw new InvalidOptionError(`damping is ${show(damping)}, expected 0 < damping ≤ 1`);
    const next = new Map<string, D>();
    for (const machine of sorted(said)) {
      const before = this.messageOf(machine);
      const message = said.get(machine) as D;
      // Up + δ (new − up); with a product, so that another family is refused.
      next.set(
        machine,
        damping === 1 ? before.power(0).multiply(message) : before.addScaled(message.divide(before), damping),
      );
    }
    const messages = new Map([...this.#messages, ...next]);
    const posterior = this.#posteriorOf(messages);
    return posterior.isProper ? { messages, posterior, clipped: 0, skipped: 0 } : this.#proposeOneByOne(next);
  }

  /** Puts in force what `propose` has made. */
  adopt({ messages, posterior }: Proposal<D>): void {
    this.#messages = messages;
    this.#posterior = posterior;
  }

  /** Unlearns a machine; false where it has said nothing. Throws InvalidDataError where the rest would be improper without it. */
  forget(machine: string): boolean {
    const proposal = this.proposeWithout(machine);
    if (proposal === undefined) return false;
    this.adopt(proposal);
    this.#rounds.delete(machine);
    return true;
  }

  /** What would be without a machine; undefined where it has said nothing. Throws as `forget`. */
  proposeWithout(machine: string): Proposal<D> | undefined {
    const messages = new Map(this.#messages);
    if (!messages.delete(machine)) return undefined;
    const posterior = this.#posteriorOf(messages);
    if (posterior.isProper) return { messages, posterior, clipped: 0, skipped: 0 };
    throw new InvalidDataError(
      `without ${machine} what the others say of ${this.name} is improper; they have to speak again first`,
    );
  }

  #posteriorOf(messages: ReadonlyMap<string, D>): D {
    return productOf(this.prior, messages).multiply(this.prior);
  }

  /** Together they are too much: each is taken whole, or clipped, or not. */
  #proposeOneByOne(next: ReadonlyMap<string, D>): Proposal<D> {
    let [messages, posterior, clipped, skipped] = [this.#messages, this.#posterior, 0, 0];
    for (const [machine, whole] of next) {
      const fits = (message: D | undefined): boolean => {
        if (message === undefined) return false;
        const all = new Map([...messages, [machine, message]]);
        const total = this.#posteriorOf(all);
        if (total.isProper) [messages, posterior] = [all, total];
        return total.isProper;
      };
      if (fits(whole)) continue;
      if (fits(whole.clipped())) clipped++;
      else skipped++;
    }
    return { messages, posterior, clipped, skipped };
  }
}

/** The product of all messages, but for one machine's. */
function productOf<D extends Distribution<D>>(
  prior: D,
  messages: ReadonlyMap<string, D>,
  without?: string,
): D {
  // One array for all of them: a coordinator does this for each message that comes.
  const sums = new Float64Array(prior.natural.length);
  for (const machine of sorted(messages)) {
    if (machine === without) continue;
    const { natural } = messages.get(machine) as D;
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (natural[i] as number);
  }
  return prior.withNatural(sums);
}

function sorted(map: ReadonlyMap<string, unknown>): string[] {
  return [...map.keys()].sort();
}
