import type { Values } from '../parameters/values.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { MeanSums, MergeKernels } from './MergeKernels.ts';

/** Coordinates that are merged at once: their sums stay in the cache while the children come by. */
const blockLength = 1_024;

/** The kernels of merging in plain TypeScript: the same bits on every machine. */
export const referenceMerging: MergeKernels = {
  mean(children, weights, target, start, end) {
    const [reference] = children;
    if (reference === undefined) return true;
    if (children.length === 1) {
      target.set(reference.subarray(start, end), start);
      return findNonFinite(reference, start, end) < 0;
    }
    const total = sumOf(weights);
    const sums = new Float64Array(Math.min(blockLength, Math.max(0, end - start)));
    let areFinite = true;
    for (let from = start; from < end; from += blockLength) {
      const to = Math.min(end, from + blockLength);
      sums.fill(0);
      for (let child = 1; child < children.length; child++) {
        addDifferences(sums, -from, weights[child] as number, children[child] as Values, reference, from, to);
      }
      areFinite = finishMean(target, sums, -from, total, reference, from, to) && areFinite;
    }
    return areFinite;
  },

  trimmedMean(children, dropped, target, start, end) {
    const column = new Float64Array(children.length);
    const kept = column.subarray(dropped, children.length - dropped);
    for (let i = start; i < end; i++) {
      for (let child = 0; child < column.length; child++)
        column[child] = (children[child] as Values)[i] as number;
      column.sort();
      target[i] = meanOfSorted(kept);
    }
  },

  addSquaredDistances(children, base, distances, start, end) {
    const n = children.length;
    const deltas = children.map(() => new Float64Array(Math.min(blockLength, Math.max(0, end - start))));
    for (let from = start; from < end; from += blockLength) {
      const length = Math.min(end - from, blockLength);
      deltas.forEach((delta, child) => {
        const values = children[child] as Values;
        for (let i = 0; i < length; i++) delta[i] = (values[from + i] as number) - (base[from + i] as number);
      });
      for (let i = 0; i < n; i++) {
        for (let j = i + 1; j < n; j++) {
          const sum = squaredDistance(deltas[i] as Float64Array, deltas[j] as Float64Array, length);
          distances[i * n + j] = (distances[i * n + j] as number) + sum;
        }
      }
    }
  },

  createMeanSums(length) {
    return new PlainMeanSums(length);
  },
};

/** Sums in ordinary arrays. */
class PlainMeanSums implements MeanSums {
  readonly #reference: Float64Array<ArrayBuffer>;
  readonly #sums: Float64Array<ArrayBuffer>;
  #isSingle = true;

  constructor(length: number) {
    this.#reference = new Float64Array(length);
    this.#sums = new Float64Array(length);
  }

  setReference(values: Values, start: number, end: number): void {
    this.#reference.set(values.subarray(start, end), start);
  }

  add(values: Values, weight: number, start: number, end: number): void {
    this.#isSingle = false;
    addDifferences(this.#sums, 0, weight, values, this.#reference, start, end);
  }

  finish(total: number, target: Float64Array<ArrayBuffer>, start: number, end: number): void {
    // A single child is returned as it is: even −0 stays −0.
    if (this.#isSingle) target.set(this.#reference.subarray(start, end), start);
    else finishMean(target, this.#sums, 0, total, this.#reference, start, end);
  }

  release(): void {}
}

/** The sum in the order of the children. */
export function sumOf(weights: readonly number[]): number {
  let total = 0;
  for (const weight of weights) total += weight;
  return total;
}

/** sums[shift + i] += w (θ[i] − reference[i]). */
function addDifferences(
  sums: Float64Array,
  shift: number,
  weight: number,
  values: Values,
  reference: Values,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    const difference = (values[i] as number) - (reference[i] as number);
    sums[shift + i] = (sums[shift + i] as number) + weight * difference;
  }
}

/** target[i] = reference[i] + sums[shift + i] / total; false where one is not finite. */
function finishMean(
  target: Values,
  sums: Float64Array,
  shift: number,
  total: number,
  reference: Values,
  start: number,
  end: number,
): boolean {
  let areFinite = true;
  for (let i = start; i < end; i++) {
    const mean = (reference[i] as number) + (sums[shift + i] as number) / total;
    if (mean - mean !== 0) areFinite = false;
    target[i] = mean;
  }
  return areFinite;
}

/** lowest + Σ (x − lowest) / n: a mean of equal numbers is that number. */
function meanOfSorted(sorted: Float64Array): number {
  const lowest = sorted[0] as number;
  let sum = 0;
  for (let i = 1; i < sorted.length; i++) sum += (sorted[i] as number) - lowest;
  return lowest + sum / sorted.length;
}

function squaredDistance(a: Float64Array, b: Float64Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    sum += difference * difference;
  }
  return sum;
}
