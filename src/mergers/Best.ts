import { NonFiniteError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import type { MergeChild, Merger, MergerNeeds } from './Merger.ts';

/** The best child so far. */
export interface BestState {
  score: number;
  values: Values | undefined;
}

/** The parameters of the child with the highest score; the first of equals. */
export class Best implements Merger<BestState> {
  readonly needs: MergerNeeds = { minimumChildren: 1, sampleCounts: false };
  readonly #scoreOf: (child: MergeChild) => number;

  constructor(scoreOf: (child: MergeChild) => number) {
    this.#scoreOf = scoreOf;
  }

  begin(): BestState {
    return { score: Number.NEGATIVE_INFINITY, values: undefined };
  }

  add(state: BestState, child: MergeChild): void {
    const score = this.#scoreOf(child);
    if (Number.isNaN(score)) throw new NonFiniteError(`score of ${child.id} is NaN, expected a number`);
    if (state.values !== undefined && score <= state.score) return;
    state.score = score;
    state.values = child.parameters.values.slice();
  }

  finish(state: BestState): Values {
    return state.values ?? new Float64Array(0);
  }
}
