import { InvalidWeightError } from '../errors.ts';
import { inSlices } from '../steps.ts';
import type { MergeChild, MergeContext, Merger, MergerNeeds } from './Merger.ts';

/** Sums of one weighted mean. */
export interface WeightedMeanState {
  /** The first child's values: everything is added up as a difference from them. */
  readonly reference: Float64Array<ArrayBuffer>;
  /** Σ w (θ − reference). */
  readonly sum: Float64Array<ArrayBuffer>;
  totalWeight: number;
  children: number;
}

/**
 * reference + Σ w (θ − reference) / Σ w in float64, with the first child as reference: identical parameters come
 * back exactly, and a single child merges to itself. Memory: two arrays, whatever the number of children.
 */
export class WeightedMean implements Merger<WeightedMeanState> {
  readonly needs: MergerNeeds = { minimumChildren: 1, sampleCounts: false };
  readonly #weightOf: (child: MergeChild) => number;

  /** Weights are finite, 0 or more, and not all 0. */
  constructor(weightOf: (child: MergeChild) => number) {
    this.#weightOf = weightOf;
  }

  begin({ layout }: MergeContext): WeightedMeanState {
    const { length } = layout;
    return {
      reference: new Float64Array(length),
      sum: new Float64Array(length),
      totalWeight: 0,
      children: 0,
    };
  }

  add(state: WeightedMeanState, child: MergeChild): Generator<undefined, void> {
    const weight = this.#weightOf(child);
    if (!(Number.isFinite(weight) && weight >= 0)) {
      throw new InvalidWeightError(`weight of ${child.id} is ${weight}, expected a finite number, 0 or more`);
    }
    const { values } = child.parameters;
    const isFirst = state.children === 0;
    state.children++;
    state.totalWeight += weight;
    return inSlices(values.length, (start, end) => {
      if (isFirst) state.reference.set(values.subarray(start, end), start);
      else addDifference(state.sum, weight, values, state.reference, start, end);
    });
  }

  *finish(state: WeightedMeanState): Generator<undefined, Float64Array<ArrayBuffer>> {
    const { reference, sum, totalWeight, children } = state;
    if (!(totalWeight > 0 && Number.isFinite(totalWeight))) {
      throw new InvalidWeightError(
        `the weights of ${children} children add up to ${totalWeight}, expected a finite number above 0`,
      );
    }
    // A single child is returned as it is: even −0 stays −0.
    if (children === 1) return reference;
    yield* inSlices(sum.length, (start, end) => {
      for (let i = start; i < end; i++) sum[i] = (reference[i] as number) + (sum[i] as number) / totalWeight;
    });
    return sum;
  }
}

function addDifference(
  sum: Float64Array,
  weight: number,
  values: ArrayLike<number>,
  reference: Float64Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    sum[i] = (sum[i] as number) + weight * ((values[i] as number) - (reference[i] as number));
  }
}
