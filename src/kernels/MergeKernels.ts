import type { Values } from '../parameters/values.ts';
import { referenceMerging } from './referenceMerging.ts';
import { selectedBuild } from './selection.ts';
import { wasmMerging } from './wasm/wasmMerging.ts';

/**
 * What mergers need of many children's parameters, all of one length, float32 and float64 mixed as they come. Each
 * call works on the values from `start` to before `end`, so that work can be sliced; how it is sliced changes no bit.
 */
export interface MergeKernels {
  /**
   * target = reference + Σ w (θ − reference) / Σ w in float64, with the first child as reference. Identical parameters
   * come back exactly; a single child does, −0 included. `weights` are finite, 0 or more, with a finite sum above 0.
   * False where a result, before it is rounded to the type of `target`, is not finite, as it never is where a value
   * of a child is not.
   */
  mean(
    children: readonly Values[],
    weights: readonly number[],
    target: Values,
    start: number,
    end: number,
  ): boolean;
  /**
   * target = the mean, coordinate by coordinate, of what is left without the `dropped` lowest and highest values, of
   * which 2 · dropped must be fewer than there are children. Values must be finite. Coordinate-wise trimmed mean and
   * median (Yin, Chen, Ramchandran and Bartlett 2018); see `droppedForMedian`.
   */
  trimmedMean(children: readonly Values[], dropped: number, target: Values, start: number, end: number): void;
  /**
   * distances[i · n + j] += ‖θᵢ − θⱼ‖² for each pair i < j of n children, in float64 on deltas from `base`: what Krum
   * (Blanchard and others 2017) asks for.
   */
  addSquaredDistances(
    children: readonly Values[],
    base: Values,
    distances: Float64Array,
    start: number,
    end: number,
  ): void;
  /** Sums of a mean of which one child comes after the other. */
  createMeanSums(length: number): MeanSums;
}

/** A weighted mean that takes one child at a time, and remembers two numbers for each value. */
export interface MeanSums {
  /** Takes the first child, the reference, in. */
  setReference(values: Values, start: number, end: number): void;
  /** Takes another child in: adds w (θ − reference). */
  add(values: Values, weight: number, start: number, end: number): void;
  /** target = reference + sums / total. */
  finish(total: number, target: Float64Array<ArrayBuffer>, start: number, end: number): void;
  /** Gives memory back. Nothing may be called after it. */
  release(): void;
}

/** How many of n values a trimmed mean drops at either end to be the median: the mean of the two middle ones for even n. */
export function droppedForMedian(n: number): number {
  return Math.floor((n - 1) / 2);
}

/** The kernels that are selected. */
export function mergeKernels(): MergeKernels {
  const build = selectedBuild();
  return build === undefined ? referenceMerging : wasmMerging(build);
}
