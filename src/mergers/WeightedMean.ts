import { InvalidWeightError } from '../errors.ts';
import type { MeanSums } from '../kernels/MergeKernels.ts';
import { mergeKernels } from '../kernels/MergeKernels.ts';
import type { Values } from '../parameters/values.ts';
import { inSlices, valuesPerSlice } from '../steps.ts';
import type { MergeChild, MergeContext, Merger, MergerNeeds } from './Merger.ts';
import { PooledChild } from './PooledChild.ts';

/** What is known of the weights of a mean so far. */
export interface WeightTally {
  totalWeight: number;
  children: number;
  /** Whether the children name their sample counts: all of them, or none. */
  namesCounts: boolean | undefined;
}

/** Sums of one weighted mean. */
export interface WeightedMeanState extends WeightTally {
  readonly length: number;
  /** The first child's values, and Σ w (θ − reference). */
  readonly sums: MeanSums;
}

/** Coordinates of a slice are a multiple of this: smaller blocks are not worth their calls. */
const coordinatesPerSliceMin = 4_096;

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
    return { ...emptyTally(), length, sums: mergeKernels().createMeanSums(length) };
  }

  add(state: WeightedMeanState, child: MergeChild): Generator<undefined, void> {
    const weight = this.weigh(state, child);
    const { values } = child.parameters;
    const isFirst = state.children === 1;
    return inSlices(values.length, (start, end) => {
      if (isFirst) state.sums.setReference(values, start, end);
      else state.sums.add(values, weight, start, end);
    });
  }

  *finish(state: WeightedMeanState): Generator<undefined, Float64Array<ArrayBuffer>> {
    const { sums, length } = state;
    const total = checkTotal(state);
    const target = new Float64Array(length);
    yield* inSlices(length, (start, end) => sums.finish(total, target, start, end));
    sums.release();
    return target;
  }

  *mergeAll(
    children: readonly MergeChild[],
    context: MergeContext,
    target: Values,
  ): Generator<undefined, void> {
    if (children.some((child) => PooledChild.isPooled(child)) && PooledChild.poolOf(children) === undefined) {
      // Some are in the pool and some are not: those that are would all be copied out at once.
      const state = this.begin(context);
      for (const child of children) yield* this.add(state, child);
      target.set(yield* this.finish(state));
      return;
    }
    // A slice reads four times as many values as one of `add`, each in a quarter of the time.
    const slice = Math.floor((4 * valuesPerSlice) / children.length / coordinatesPerSliceMin);
    const coordinates = Math.max(1, slice) * coordinatesPerSliceMin;
    const meanOf = this.prepareMean(children, target);
    for (let start = 0; start < target.length; start += coordinates) {
      meanOf(start, Math.min(target.length, start + coordinates));
      if (start + coordinates < target.length) yield;
    }
  }

  /**
   * Checks the weights; returns what writes a range of the mean into `target` and says whether it is finite, as it
   * never is where a child is not.
   */
  prepareMean(children: readonly MergeChild[], target: Values): (start: number, end: number) => boolean {
    const tally = emptyTally();
    const weights = children.map((child) => this.weigh(tally, child));
    checkTotal(tally);
    const pooled = PooledChild.poolOf(children);
    if (pooled !== undefined)
      return (start, end) => pooled.pool.mean(pooled.slots, weights, target, start, end);
    const values = children.map(({ parameters }) => parameters.values);
    const merging = mergeKernels();
    return (start, end) => merging.mean(values, weights, target, start, end);
  }

  /** The weight of the next child, counted in. Throws InvalidWeightError before anything has changed. */
  protected weigh(tally: WeightTally, child: MergeChild): number {
    const weight = this.#weightOf(child);
    if (!(Number.isFinite(weight) && weight >= 0)) {
      throw new InvalidWeightError(`weight of ${child.id} is ${weight}, expected a finite number, 0 or more`);
    }
    tally.children++;
    tally.totalWeight += weight;
    return weight;
  }
}

function emptyTally(): WeightTally {
  return { totalWeight: 0, children: 0, namesCounts: undefined };
}

function checkTotal({ totalWeight, children }: WeightTally): number {
  if (totalWeight > 0 && Number.isFinite(totalWeight)) return totalWeight;
  throw new InvalidWeightError(
    `the weights of ${children} children add up to ${totalWeight}, expected a finite number above 0`,
  );
}
