import type { Beliefs } from './beliefs.ts';
import { changeOfBeliefs } from './beliefs.ts';

/** What became of one round: of one message of every machine. */
export interface RoundReport {
  /** Counted from 1. */
  readonly round: number;
  /** The largest change of a mean, in standard deviations, or of the logarithm of a variance. */
  readonly residual: number;
  /** Messages, counted by variable, that would have made the posterior improper: they were taken in part, or not. */
  readonly improper: number;
  readonly messages: number;
  /** Of the natural parameters of all messages of the round. */
  readonly bytes: number;
  /** What part of a new message is taken in the next round: 1, or less where the rounds do not settle. */
  readonly damping: number;
  readonly isConverged: boolean;
}

/** What happened in a round. */
export interface RoundFacts {
  readonly before: Beliefs;
  readonly after: Beliefs;
  readonly clipped: number;
  readonly skipped: number;
  readonly messages: number;
  readonly bytes: number;
}

const dampingMin = 0.1;
/** So many rounds in a row that get nearer earn a step of twice the size again. */
const goodRoundsMin = 3;

/** Whether rounds settle, and how large steps may be that they do. */
export class Convergence {
  readonly #tolerance: number;
  #damping = 1;
  #round = 0;
  #residual = Infinity;
  /** Since the last restart, and in a row. */
  #rounds = 0;
  #goodRounds = 0;

  constructor(tolerance: number) {
    this.#tolerance = tolerance;
  }

  /** What part of a new message is taken. */
  get damping(): number {
    return this.#damping;
  }

  /** Something has been changed from outside: what was learned of the steps does not count any more. */
  restart(): void {
    this.#damping = 1;
    this.#residual = Infinity;
    this.#rounds = 0;
    this.#goodRounds = 0;
  }

  ended({ before, after, clipped, skipped, messages, bytes }: RoundFacts): RoundReport {
    const residual = changeOfBeliefs(before, after);
    this.#round++;
    this.#rounds++;
    // Turns in circles, or away: smaller steps have the same fixed points. A small step says little of how far there is to go,
    // and a message that is left out nothing at all.
    const isConverged = residual < this.#tolerance * this.#damping && skipped === 0;
    const isWorse = residual > this.#residual && this.#rounds > 2;
    this.#adapt(clipped + skipped > 0 || isWorse);
    this.#residual = residual;
    return {
      round: this.#round,
      residual,
      improper: clipped + skipped,
      messages,
      bytes,
      damping: this.#damping,
      isConverged,
    };
  }

  #adapt(isBad: boolean): void {
    this.#goodRounds = isBad ? 0 : this.#goodRounds + 1;
    if (isBad) this.#damping = Math.max(dampingMin, this.#damping / 2);
    else if (this.#goodRounds % goodRoundsMin === 0) this.#damping = Math.min(1, 2 * this.#damping);
  }
}
