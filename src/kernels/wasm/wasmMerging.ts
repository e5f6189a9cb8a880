import type { Values } from '../../parameters/values.ts';
import type { MergeKernels } from '../MergeKernels.ts';
import { referenceMerging, sumOf } from '../referenceMerging.ts';
import { comparatorsFor } from '../sortingNetwork.ts';
import type { WasmBuild } from './compile.ts';
import { blockLength, groupSize, rowStride, rowsBytes, Scratch } from './Scratch.ts';
import { createWasmMeanSums } from './WasmMeanSums.ts';

/** Parameters of fewer values are merged sooner than they are copied. */
const smallestLength = 64;
/** Sums of fewer values are added up in ordinary arrays sooner than they get a block. */
const smallestSums = 1_024;
/** Children of more make lists of comparators that are longer than what they sort. */
const sortedChildrenMax = 512;

const known = new Map<WasmBuild, MergeKernels>();

/** The kernels of merging in WebAssembly; ordinary arrays pass through it in blocks that stay in the cache. */
export function wasmMerging(build: WasmBuild): MergeKernels {
  const made = known.get(build);
  if (made !== undefined) return made;
  const scratch = Scratch.in(build);
  const kernels = scratch === undefined ? referenceMerging : createWasmMerging(build, scratch);
  if (scratch !== undefined) known.set(build, kernels);
  return kernels;
}

function createWasmMerging(build: WasmBuild, scratch: Scratch): MergeKernels {
  return {
    mean(children, weights, target, start, end) {
      // By the length of the whole, so that the bits do not depend on the slices.
      if (children.length < 2 || target.length < smallestLength) {
        return referenceMerging.mean(children, weights, target, start, end);
      }
      if (target instanceof Float32Array && areFloats(children)) {
        return meanOfFloats(scratch, children, weights, target, start, end);
      }
      return meanOfAny(scratch, children, weights, target, start, end);
    },

    trimmedMean(children, dropped, target, start, end) {
      if (children.length < 2 || children.length > sortedChildrenMax || target.length < smallestLength) {
        referenceMerging.trimmedMean(children, dropped, target, start, end);
      } else trimmedMean(scratch, children, dropped, target, start, end);
    },

    addSquaredDistances(children, base, distances, start, end) {
      if (children.length > sortedChildrenMax || base.length < smallestLength) {
        referenceMerging.addSquaredDistances(children, base, distances, start, end);
      } else addSquaredDistances(scratch, children, base, distances, start, end);
    },

    createMeanSums(length) {
      return (
        (length < smallestSums ? undefined : createWasmMeanSums(build, length)) ??
        referenceMerging.createMeanSums(length)
      );
    },
  };
}

function areFloats(children: readonly Values[]): children is readonly Float32Array<ArrayBuffer>[] {
  return children.every((values) => values instanceof Float32Array);
}

/**
 * Σ (w / Σ w) θ. Rounded to floats, that is what differences from the first child would give: identical parameters θ
 * add up to θ (1 + n · 2⁻⁵²) at most, which rounds to θ for any number of children that there can be. Without the
 * differences a third of the arithmetic is gone, which is more than reading takes.
 */
function meanOfFloats(
  scratch: Scratch,
  children: readonly Float32Array[],
  weights: readonly number[],
  target: Float32Array,
  start: number,
  end: number,
): boolean {
  const { memory, table, sums, result, rows } = scratch;
  const { code, integers, doubles, floats } = memory;
  const total = sumOf(weights);
  const weightsAt = table + 4 * groupSize;
  for (let row = 0; row < groupSize; row++) integers[(table >> 2) + row] = rows + row * rowStride;
  let odd = 0;
  for (let from = start; from < end; from += blockLength) {
    const to = Math.min(end, from + blockLength);
    for (let first = 0; first < children.length; first += groupSize) {
      const count = Math.min(groupSize, children.length - first);
      let length = 0;
      for (let row = 0; row < count; row++) {
        doubles[(weightsAt >> 3) + row] = (weights[first + row] as number) / total;
        length = scratch.putFloats(children[first + row] as Float32Array, from, to, rows + row * rowStride);
      }
      const isFirst = first === 0 ? 1 : 0;
      if (first + count < children.length) {
        code.addProducts32(table, weightsAt, count, sums, 0, length, isFirst);
      } else odd |= code.finishProducts32(table, weightsAt, count, sums, 0, length, isFirst, result);
    }
    target.set(floats.subarray(result >> 2, (result >> 2) + to - from), from);
  }
  return odd === 0;
}

/** reference + Σ w (θ − reference) / Σ w, where doubles are among the children or asked for. */
function meanOfAny(
  scratch: Scratch,
  children: readonly Values[],
  weights: readonly number[],
  target: Values,
  start: number,
  end: number,
): boolean {
  const { memory, table, sums, reference, result, rows } = scratch;
  const { code, doubles, integers } = memory;
  const total = sumOf(weights);
  const weightsAt = table + 4 * groupSize;
  let odd = 0;
  for (let from = start; from < end; from += blockLength) {
    const to = Math.min(end, from + blockLength);
    const length = scratch.putDoubles(children[0] as Values, from, to, reference);
    for (let first = 1; first < children.length; ) {
      const isFirst = first === 1 ? 1 : 0;
      const areFloats = children[first] instanceof Float32Array;
      const stride = areFloats ? rowStride : 2 * rowStride;
      let count = 0;
      // As many children of one type as there are rows for.
      for (; count * stride < rowsBytes; count++) {
        const values = children[first + count];
        if (values === undefined || values instanceof Float32Array !== areFloats) break;
        const row = rows + count * stride;
        if (areFloats) scratch.putFloats(values as Float32Array, from, to, row);
        else scratch.putDoubles(values, from, to, row);
        integers[(table >> 2) + count] = row;
        doubles[(weightsAt >> 3) + count] = weights[first + count] as number;
      }
      const add = areFloats ? code.addDifferences32 : code.addDifferences64;
      add(table, weightsAt, count, sums, reference, 0, length, isFirst);
      first += count;
    }
    odd |= code.finishDifferences(result, sums, reference, total, length);
    scratch.takeDoubles(result, target, from, to);
  }
  return odd === 0;
}

function trimmedMean(
  scratch: Scratch,
  children: readonly Values[],
  dropped: number,
  target: Values,
  start: number,
  end: number,
): void {
  const { memory, table, result, rows } = scratch;
  const { code, integers } = memory;
  const n = children.length;
  const bytes = areFloats(children) ? 4 : 8;
  // An odd number of cache lines: see rowStride.
  const lines = Math.floor((rowsBytes / n - 64) / 128) * 2 + 1;
  const stride = Math.min(lines * 64, bytes * blockLength);
  const rowLength = stride / bytes;
  const comparators = comparatorsFor(n, dropped);
  for (let i = 0; i < comparators.length; i++)
    integers[(table >> 2) + i] = (comparators[i] as number) * stride;
  const comparatorsEnd = table + 4 * comparators.length;
  const sort = bytes === 4 ? code.meanOfRanks32 : code.meanOfRanks64;
  for (let from = start; from < end; from += rowLength) {
    const to = Math.min(end, from + rowLength);
    let length = 0;
    for (let child = 0; child < n; child++) {
      const values = children[child] as Values;
      const row = rows + child * stride;
      length =
        bytes === 4
          ? scratch.putFloats(values as Float32Array, from, to, row, 16)
          : scratch.putDoubles(values, from, to, row);
    }
    sort(result, rows, stride, table, comparatorsEnd, dropped, n - 2 * dropped, length);
    scratch.takeDoubles(result, target, from, to);
  }
}

function addSquaredDistances(
  scratch: Scratch,
  children: readonly Values[],
  base: Values,
  distances: Float64Array,
  start: number,
  end: number,
): void {
  const { memory, table, sums, reference, rows } = scratch;
  const { code, doubles } = memory;
  const n = children.length;
  const rowLength = Math.min(blockLength, Math.floor(rowsBytes / n / 64) * 8);
  const stride = 8 * rowLength;
  for (let from = start; from < end; from += rowLength) {
    const to = Math.min(end, from + rowLength);
    const length = scratch.putDoubles(base, from, to, reference);
    for (let child = 0; child < n; child++) {
      const values = children[child] as Values;
      if (values instanceof Float32Array) {
        scratch.putFloats(values, from, to, sums);
        code.subtract32(rows + child * stride, sums, reference, length);
      } else {
        scratch.putDoubles(values, from, to, sums);
        code.subtract64(rows + child * stride, sums, reference, length);
      }
    }
    for (let i = 0; i + 1 < n; i++) {
      const row = rows + i * stride;
      code.squaredDistances(table, row, row + stride, stride, n - i - 1, length);
      for (let j = i + 1; j < n; j++) {
        const at = i * n + j;
        distances[at] = (distances[at] as number) + (doubles[(table >> 3) + j - i - 1] as number);
      }
    }
  }
}
