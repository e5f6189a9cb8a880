import type { Belief, Beliefs } from './beliefs.ts';
import { checkPrior, requireSameVariables } from './beliefs.ts';
import type { Proposal } from './SharedVariable.ts';
import { SharedVariable } from './SharedVariable.ts';

/** What would come of messages about several variables. */
export interface Proposals<B extends Beliefs> {
  readonly posterior: B;
  /** Messages, counted by variable, of which only a part is taken, and those that are not taken at all. */
  readonly clipped: number;
  readonly skipped: number;
  readonly byVariable: ReadonlyMap<string, Proposal<Belief>>;
}

/** The variables of a model that machines share: SharedVariable for each, and one message about all of them. */
export class SharedVariables<B extends Beliefs> {
  readonly prior: B;
  readonly #variables: ReadonlyMap<string, SharedVariable<Belief>>;

  /** Throws InvalidOptionError unless the prior has a proper distribution for each variable. */
  constructor(prior: B) {
    checkPrior(prior);
    this.prior = prior;
    this.#variables = new Map(
      Object.entries(prior).map(([name, belief]) => [name, new SharedVariable<Belief>(name, belief)]),
    );
  }

  /** Prior · all messages. */
  get posterior(): B {
    return this.#each((variable) => variable.posterior);
  }

  /** Machines that have said something, sorted. */
  get machines(): string[] {
    return this.#variables.values().next().value?.machines ?? [];
  }

  /** Whether this machine has said something. */
  hasHeard(machine: string): boolean {
    return this.#variables.values().next().value?.messages.has(machine) ?? false;
  }

  messageOf(machine: string): B {
    return this.#each((variable) => variable.messageOf(machine));
  }

  /** `messageOf` as it is now, whatever is said later. */
  snapshot(): (machine: string) => B {
    const said = new Map([...this.#variables].map(([name, { messages }]) => [name, messages]));
    return (machine) => this.#each(({ name, prior }) => said.get(name)?.get(machine) ?? prior.power(0));
  }

  inboxOf(machine: string): B {
    return this.#each((variable) => variable.inboxOf(machine));
  }

  /** What would come of these messages, by machine; changes nothing. Throws LayoutMismatchError. */
  propose(said: ReadonlyMap<string, B>, damping = 1): Proposals<B> {
    for (const message of said.values()) requireSameVariables(message, this.prior);
    const byVariable = new Map(
      [...this.#variables].map(([name, variable]) => {
        const own = new Map([...said].map(([machine, message]) => [machine, message[name] as Belief]));
        return [name, variable.propose(own, damping)] as const;
      }),
    );
    let [clipped, skipped] = [0, 0];
    for (const proposal of byVariable.values()) {
      clipped += proposal.clipped;
      skipped += proposal.skipped;
    }
    const posterior = this.#each(({ name }) => (byVariable.get(name) as Proposal<Belief>).posterior);
    return { posterior, clipped, skipped, byVariable };
  }

  /** Puts in force what `propose` has made. */
  adopt({ byVariable }: Proposals<B>): void {
    for (const [name, proposal] of byVariable) this.#variables.get(name)?.adopt(proposal);
  }

  /**
   * Unlearns a machine; false where it has said nothing. Throws InvalidDataError where a variable would be improper without it, and
   * then nothing has changed.
   */
  forget(machine: string): boolean {
    // Of all of them before any is changed.
    const without = [...this.#variables.values()].map(
      (variable) => [variable, variable.proposeWithout(machine)] as const,
    );
    for (const [variable, proposal] of without) if (proposal !== undefined) variable.adopt(proposal);
    return without.some(([, proposal]) => proposal !== undefined);
  }

  #each(of: (variable: SharedVariable<Belief>) => Belief): B {
    return Object.fromEntries([...this.#variables].map(([name, variable]) => [name, of(variable)])) as B;
  }
}
