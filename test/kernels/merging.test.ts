import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { droppedForMedian, mergeKernels } from '../../src/kernels/MergeKernels.ts';
import { referenceMerging } from '../../src/kernels/referenceMerging.ts';
import { kernels } from '../../src/kernels/selection.ts';
import type { DataType, Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';
import { exactSum } from './exactSum.ts';

const sizes = [0, 1, 2, 3, 5, 7, 8, 63, 64, 65, 257, 1_000];
const builds = kernels.available;
const start = kernels.name;
afterEach(() => kernels.select(start));

type Mix = DataType | 'mixed';
const mixes: readonly Mix[] = ['float32', 'float64', 'mixed'];

/** Children around 3, so that their differences are smaller than they are; at an odd place of their buffer. */
function childrenOf(count: number, length: number, mix: Mix, seed = 1): Values[] {
  const random = seededRandom(seed + 31 * count + length);
  return Array.from({ length: count }, (_, child) => {
    const dtype = mix === 'mixed' ? (child % 2 === 0 ? 'float32' : 'float64') : mix;
    const values = createValues(dtype, length + 3).subarray(3) as Values;
    for (let i = 0; i < length; i++) values[i] = 3 + standardNormal(random);
    return values;
  });
}

const weightsOf = (count: number): number[] => Array.from({ length: count }, (_, child) => (child * 7) % 5);

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs((got[i] as number) - (wanted[i] as number));
    if (!(difference <= tolerance * (1 + Math.abs(wanted[i] as number)))) {
      expect(`${i}: ${got[i]}`).toBe(`${i}: ${wanted[i]}`);
    }
  }
}

const areSame = (a: Values, b: Values): boolean => a.every((value, i) => Object.is(value, b[i]));

const toleranceOf = (target: Values): number => (target instanceof Float32Array ? 1.2e-7 : 1e-14);

describe.each(builds)('kernels %s', (build) => {
  describe.each(mixes)('with %s children', (mix) => {
    test.each(sizes)('the mean of %i values is that of the reference', (length) => {
      kernels.select(build);
      for (const count of [1, 2, 3, 7, 8, 9, 17]) {
        const children = childrenOf(count, length, mix);
        const weights = weightsOf(count).map((weight) => weight + 1);
        for (const dtype of ['float32', 'float64'] as const) {
          const target = createValues(dtype, length);
          const wanted = createValues(dtype, length);
          expect(mergeKernels().mean(children, weights, target, 0, length)).toBe(true);
          referenceMerging.mean(children, weights, wanted, 0, length);
          expectClose(target, wanted, toleranceOf(target));
        }
      }
    });

    test.each(sizes)('median and trimmed mean of %i values are those of the reference', (length) => {
      kernels.select(build);
      for (const count of [1, 2, 3, 4, 9, 16, 31]) {
        const children = childrenOf(count, length, mix);
        for (const dropped of new Set([0, Math.floor((count - 1) / 3), droppedForMedian(count)])) {
          const target = createValues('float64', length);
          const wanted = createValues('float64', length);
          mergeKernels().trimmedMean(children, dropped, target, 0, length);
          referenceMerging.trimmedMean(children, dropped, wanted, 0, length);
          expectClose(target, wanted, 1e-14);
        }
      }
    });

    test.each(sizes)('squared distances over %i values are those of the reference', (length) => {
      kernels.select(build);
      for (const count of [0, 1, 2, 5, 12]) {
        const children = childrenOf(count, length, mix);
        const base = childrenOf(1, length, mix, 5)[0] as Values;
        const distances = new Float64Array(count * count).fill(1);
        const wanted = distances.slice();
        mergeKernels().addSquaredDistances(children, base, distances, 0, length);
        referenceMerging.addSquaredDistances(children, base, wanted, 0, length);
        expectClose(distances, wanted, 1e-12);
      }
    });

    test.each(
      sizes.filter((size) => size > 0),
    )('sums of a mean of %i values are those of the reference', (length) => {
      kernels.select(build);
      for (const count of [1, 2, 5]) {
        const children = childrenOf(count, length, mix);
        const weights = weightsOf(count);
        const [target, wanted] = [new Float64Array(length), new Float64Array(length)];
        for (const [merging, result] of [
          [mergeKernels(), target],
          [referenceMerging, wanted],
        ] as const) {
          const sums = merging.createMeanSums(length);
          children.forEach((values, child) => {
            if (child === 0) sums.setReference(values, 0, length);
            else sums.add(values, weights[child] as number, 0, length);
          });
          sums.finish(7, result, 0, length);
          sums.release();
        }
        expectClose(target, wanted, 1e-14);
      }
    });
  });

  test('means do not depend on how the work is sliced, by one bit', () => {
    kernels.select(build);
    const length = 20_003;
    for (const mix of mixes) {
      const children = childrenOf(11, length, mix);
      const weights = weightsOf(11);
      for (const dtype of ['float32', 'float64'] as const) {
        const [whole, sliced] = [createValues(dtype, length), createValues(dtype, length)];
        mergeKernels().mean(children, weights, whole, 0, length);
        const sums = mergeKernels().createMeanSums(length);
        const streamed = new Float64Array(length);
        sums.setReference(children[0] as Values, 0, length);
        for (const [from, to] of [
          [0, 5],
          [5, 16],
          [16, 9_001],
          [9_001, 20_000],
          [20_000, 20_001],
          [20_001, length],
        ] as const) {
          mergeKernels().mean(children, weights, sliced, from, to);
          for (let child = 1; child < 11; child++)
            sums.add(children[child] as Values, weights[child] as number, from, to);
        }
        sums.finish(
          weights.reduce((sum, weight) => sum + weight),
          streamed,
          0,
          7,
        );
        sums.finish(
          weights.reduce((sum, weight) => sum + weight),
          streamed,
          7,
          length,
        );
        sums.release();
        expect(areSame(sliced, whole)).toBe(true);
        // One by one or all at once: the same operations in the same order, but for floats, which have a shorter way.
        if (dtype === 'float64') expect(areSame(streamed, whole)).toBe(true);
      }
    }
  });

  test('identical parameters come back to the last bit, whatever the weights; a single child does', () => {
    kernels.select(build);
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 64, maxLength: 80 }),
        fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (numbers, weights) => {
          fc.pre(weights.some((weight) => weight > 0));
          for (const dtype of ['float32', 'float64'] as const) {
            const child = createValues(dtype, numbers.length);
            child.set(numbers);
            for (let i = 0; i < child.length; i++) if (!Number.isFinite(child[i])) child[i] = 1e-45;
            const target = createValues(dtype, child.length);
            mergeKernels().mean(
              weights.map(() => child),
              weights,
              target,
              0,
              child.length,
            );
            if (weights.length === 1) expect(areSame(target, child)).toBe(true);
            expect(target.every((value, i) => value === child[i])).toBe(true);
          }
        },
      ),
    );
  });

  test('whatever is not finite in a child makes the mean say so', () => {
    kernels.select(build);
    for (const length of [5, 100]) {
      for (const mix of mixes) {
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          for (let child = 0; child < 3; child++) {
            for (const place of [0, length - 1]) {
              for (const dtype of ['float32', 'float64'] as const) {
                const children = childrenOf(3, length, mix);
                (children[child] as Values)[place] = bad;
                const target = createValues(dtype, length);
                expect(mergeKernels().mean(children, [1, 0, 2], target, 0, length)).toBe(false);
                const single = [children[child] as Values];
                expect(mergeKernels().mean(single, [1], target, 0, length)).toBe(false);
              }
            }
          }
        }
      }
    }
  });

  test('a median does not change with the order of the children, and lies between the middle ones', () => {
    kernels.select(build);
    const value = fc.float({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }).chain((count) =>
          fc.array(fc.array(value, { minLength: 64, maxLength: 64 }), {
            minLength: count,
            maxLength: count,
          }),
        ),
        fc.nat(),
        (rows, turn) => {
          const children = rows.map((row) => Float32Array.from(row));
          const turned = children.map((_, i) => children[(i + turn) % children.length] as Values);
          const dropped = droppedForMedian(children.length);
          const [median, other] = [new Float64Array(64), new Float64Array(64)];
          mergeKernels().trimmedMean(children, dropped, median, 0, 64);
          mergeKernels().trimmedMean(turned.reverse(), dropped, other, 0, 64);
          for (let i = 0; i < 64; i++) {
            const column = children.map((values) => values[i] as number).sort((a, b) => a - b);
            const middle =
              ((column[dropped] as number) + (column[column.length - 1 - dropped] as number)) / 2;
            expect(median[i]).toBeCloseTo(middle, 12);
            expect(other[i] === median[i]).toBe(true);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each([100, 255, 256, 257, 513])('the median of %i children', (count) => {
    kernels.select(build);
    const children = childrenOf(count, 130, 'float32');
    const [target, wanted] = [new Float32Array(130), new Float32Array(130)];
    mergeKernels().trimmedMean(children, droppedForMedian(count), target, 0, 130);
    referenceMerging.trimmedMean(children, droppedForMedian(count), wanted, 0, 130);
    expect(target).toEqual(wanted);
  });

  test('means of far and small numbers are within 1e-15 of the exact ones', () => {
    kernels.select(build);
    const count = 100;
    const children = childrenOf(count, 300, 'float32');
    for (const values of children)
      for (let i = 0; i < 300; i++) values[i] = (values[i] as number) * 10 ** ((i % 9) - 4);
    const weights = children.map((_, child) => 100 + child);
    const total = weights.reduce((sum, weight) => sum + weight);
    const target = new Float64Array(300);
    mergeKernels().mean(children, weights, target, 0, 300);
    const floats = new Float32Array(300);
    mergeKernels().mean(children, weights, floats, 0, 300);
    let worst = 0;
    for (let i = 0; i < 300; i++) {
      const exact =
        exactSum(children.map((values, child) => (values[i] as number) * (weights[child] as number))) / total;
      worst = Math.max(worst, Math.abs((target[i] as number) - exact) / Math.abs(exact));
      expect(floats[i]).toBe(Math.fround(exact));
    }
    expect(worst).toBeLessThan(1e-15);
  });
});
