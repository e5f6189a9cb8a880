import { afterEach, describe, expect, test } from 'vitest';
import type { InboxSlot } from '../../src/kernels/InboxPool.ts';
import { InboxPool } from '../../src/kernels/InboxPool.ts';
import { mergeKernels } from '../../src/kernels/MergeKernels.ts';
import { referenceMerging } from '../../src/kernels/referenceMerging.ts';
import { kernels } from '../../src/kernels/selection.ts';
import type { DataType, Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';

const length = 140_003;
const builds = kernels.available.filter((name) => name !== 'reference');
const start = kernels.name;
afterEach(() => kernels.select(start));

/** Numbers around 1 that differ from child to child; made fast, for there are many of them. */
function childrenOf(count: number, dtypeOf: (child: number) => DataType): Values[] {
  return Array.from({ length: count }, (_, child) => {
    const values = createValues(dtypeOf(child), length);
    for (let i = 0; i < length; i++) values[i] = 1 + ((i * 7_919 + child * 104_729) % 10_007) / 10_007;
    return values;
  });
}

function putAll(pool: InboxPool, children: readonly Values[]): InboxSlot[] {
  return children.map((values) => pool.put(values) as InboxSlot);
}

function largestDifference(a: Values, b: Values): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++)
    largest = Math.max(largest, Math.abs((a[i] as number) - (b[i] as number)));
  return largest;
}

function areSame(a: Values, b: Values): boolean {
  return a.every((value, i) => Object.is(value, b[i]));
}

describe.each(builds)('an inbox pool with kernels %s', (build) => {
  test.each<[string, (child: number) => DataType]>([
    ['float32', () => 'float32'],
    ['float64', () => 'float64'],
    ['both', (child: number) => (child % 3 === 1 ? 'float32' : 'float64')],
  ])('means over slots of %s are those over arrays', (_, dtypeOf) => {
    kernels.select(build);
    for (const count of [1, 2, 14, 27]) {
      const children = childrenOf(count, dtypeOf);
      const weights = children.map((_child, index) => index % 4);
      weights[0] = 2;
      const pool = InboxPool.create(length) as InboxPool;
      const slots = putAll(pool, children);
      for (const dtype of ['float32', 'float64'] as const) {
        const [merged, wanted, arrays] = [0, 1, 2].map(() => createValues(dtype, length)) as [
          Values,
          Values,
          Values,
        ];
        expect(pool.mean(slots, weights, merged, 0, length)).toBe(true);
        referenceMerging.mean(children, weights, wanted, 0, length);
        expect(largestDifference(merged, wanted)).toBeLessThan(dtype === 'float32' ? 1e-6 : 1e-14);
        // The same operations in the same order as over arrays, and in any slices.
        mergeKernels().mean(children, weights, arrays, 0, length);
        expect(areSame(merged, arrays)).toBe(true);
        const sliced = createValues(dtype, length);
        for (let from = 0; from < length; from += 35_008) {
          pool.mean(slots, weights, sliced, from, Math.min(length, from + 35_008));
        }
        expect(areSame(sliced, merged)).toBe(true);
        const into = pool.put(createValues(dtype, length)) as InboxSlot;
        pool.mean(slots, weights, into, 0, length);
        const copied = createValues(dtype, length);
        into.copyTo(copied, 0, length);
        expect(areSame(copied, merged)).toBe(true);
        into.release();
      }
      expect(pool.size).toBe(count);
    }
  });

  test('a slot is a copy, is given back, and is no one’s afterwards', () => {
    kernels.select(build);
    const pool = InboxPool.create(length) as InboxPool;
    const values = childrenOf(1, () => 'float32')[0] as Values;
    const expected = values.slice();
    const slot = pool.put(values) as InboxSlot;
    values.fill(7);
    const copy = createValues('float32', length);
    slot.copyTo(copy, 0, length);
    expect(areSame(copy, expected)).toBe(true);
    expect(pool.has(slot)).toBe(true);
    slot.release();
    slot.release();
    expect(pool.has(slot)).toBe(false);
    expect(pool.size).toBe(0);
    expect(() => slot.copyTo(copy, 0, length)).toThrow(/given back/);
    expect(() => pool.mean([slot], [1], copy, 0, length)).toThrow(/given back/);
    const other = InboxPool.create(length) as InboxPool;
    const foreign = other.put(values) as InboxSlot;
    expect(() => pool.mean([foreign], [1], copy, 0, length)).toThrow(/of another pool/);
  });

  test('what is not finite in a slot makes the mean say so', () => {
    kernels.select(build);
    for (const dtype of ['float32', 'float64'] as const) {
      const pool = InboxPool.create(length) as InboxPool;
      const children = childrenOf(3, () => dtype);
      (children[2] as Values)[length - 1] = Number.NaN;
      const slots = putAll(pool, children);
      const target = createValues(dtype, length);
      expect(pool.mean(slots, [1, 1, 0], target, 0, length)).toBe(false);
      expect(pool.mean(slots.slice(0, 2), [1, 1], target, 0, length)).toBe(true);
      expect(pool.mean(slots.slice(2), [1], target, 0, length)).toBe(false);
    }
  });

  test('there is no slot for parameters of another length, none beyond the limit, and no pool for small ones', () => {
    kernels.select(build);
    const pool = InboxPool.create(length) as InboxPool;
    expect(pool.put(new Float32Array(length - 1))).toBeUndefined();
    expect(InboxPool.create(1_000)).toBeUndefined();
    const tight = InboxPool.create(length, 4 * 1_048_576) as InboxPool;
    const slots: InboxSlot[] = [];
    for (let slot = tight.put(new Float32Array(length)); slot !== undefined; ) {
      slots.push(slot);
      slot = tight.put(new Float32Array(length));
    }
    expect(slots.length).toBe(3);
    slots[1]?.release();
    expect(tight.put(new Float32Array(length))).toBeDefined();
    expect(tight.put(new Float32Array(length))).toBeUndefined();
  });
});

test('with the reference kernels there is no pool, and one of before is not selected', () => {
  const pool = InboxPool.create(length);
  kernels.select('reference');
  expect(InboxPool.create(length)).toBeUndefined();
  expect(pool?.isSelected ?? false).toBe(false);
});
