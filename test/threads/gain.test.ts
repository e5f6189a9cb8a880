import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TrainingWork } from '../../src/threads/gain.ts';
import { estimateGain } from '../../src/threads/gain.ts';

function work(
  widths: readonly number[],
  batchSize: number,
  others: Partial<TrainingWork> = {},
): TrainingWork {
  let parameters = 0;
  for (let layer = 1; layer < widths.length; layer++) parameters += (widths[layer - 1]! + 1) * widths[layer]!;
  return {
    widths,
    parameters,
    rows: 8 * batchSize,
    batchSize,
    dtype: 'float32',
    slotCount: 2,
    meetings: 2,
    ...others,
  };
}

test('large networks run on two threads, small ones on one', () => {
  expect(estimateGain(work([784, 512, 512, 10], 128), 2, 1.2)).toMatchObject({
    threads: 2,
    message: expect.stringMatching(/^784-512-512-10 at batch 128 runs on 2 threads/),
  });
  expect(estimateGain(work([64, 64, 10], 32), 2, 1.2)).toMatchObject({
    threads: 1,
    message: expect.stringMatching(
      /^64-64-10 at batch 32 is too small to gain: a step takes about \d+ µs, 2 mee/,
    ),
  });
});

test('as many threads as pay, and no more', () => {
  expect(estimateGain(work([784, 512, 512, 10], 1024), 8, 1.2).threads).toBe(8);
  const { threads } = estimateGain(work([128, 128, 10], 64), 64, 1.2);
  expect(threads).toBeGreaterThan(1);
  expect(threads).toBeLessThan(16);
});

test('a gain is never above the number of threads, and grows with the batch', () => {
  const width = fc.integer({ min: 1, max: 600 });
  const widths = fc.array(width, { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(
      widths,
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 2, max: 16 }),
      (layers, fours, count) => {
        const small = estimateGain(work(layers, 4 * count * fours), count, 0);
        expect(small.speedup).toBeGreaterThan(0);
        expect(small.speedup).toBeLessThanOrEqual(count);
        const large = estimateGain(work(layers, 8 * count * fours), count, 0);
        expect(large.speedup).toBeGreaterThanOrEqual(small.speedup * 0.999);
      },
    ),
  );
});

test('the threshold decides, and 0 always takes threads', () => {
  const medium = work([784, 128, 10], 128);
  const { speedup } = estimateGain(medium, 2, 0);
  expect(estimateGain(medium, 2, speedup * 0.99).threads).toBe(2);
  expect(estimateGain(medium, 2, speedup * 1.01).threads).toBe(1);
  expect(estimateGain(work([2, 1], 1), 2, 0).threads).toBe(2);
});
