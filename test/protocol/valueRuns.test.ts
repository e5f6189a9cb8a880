import fc from 'fast-check';
import { MalformedDataError } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { changedRuns, withRuns } from '../../src/protocol/valueRuns.ts';

const bits = (values: Float32Array | Float64Array): number[] => [
  ...new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
];

describe('changed values', () => {
  test('make the new ones out of the old ones, to the bit', () => {
    const changes = fc.array(fc.tuple(fc.nat(999), fc.double({ noNaN: true })), { maxLength: 300 });
    fc.assert(
      fc.property(changes, fc.boolean(), (edits, isSingle) => {
        const before = isSingle ? new Float32Array(1_000).fill(1) : new Float64Array(1_000).fill(-0);
        const after = before.slice();
        for (const [at, value] of edits) after[at] = value;
        const found = changedRuns(before, after);
        if (found === undefined) return;
        expect(bits(withRuns(before, found))).toEqual(bits(after));
        expect(found.payload.length).toBeLessThanOrEqual((after.byteLength + after.BYTES_PER_ELEMENT) / 2);
      }),
    );
  });

  test('are as few as there are, in as few runs', () => {
    const before = Float64Array.from({ length: 10_000 }, (_, i) => i);
    const after = before.slice();
    for (const at of [3, 4, 7, 500, 9_999]) after[at] = -1;
    const { runs, payload } = changedRuns(before, after)!;
    // The two values between 4 and 7 cost less than another run.
    expect(runs).toEqual([3, 5, 492, 1, 9_498, 1]);
    expect([...new Float64Array(payload.slice().buffer)]).toEqual([-1, -1, 5, 6, -1, -1, -1]);
    expect(changedRuns(before, before.slice())).toEqual({ runs: [], payload: new Uint8Array(0) });
    expect(changedRuns(new Float64Array([0, 1, 2, 3]), new Float64Array([-0, 1, 2, 3]))?.runs).toEqual([
      0, 1,
    ]);
  });

  test('are no help where most values are others, or too many of them lie apart', () => {
    const before = new Float32Array(100_000);
    expect(
      changedRuns(
        before,
        before.map((_, i) => i + 1),
      ),
    ).toBeUndefined();
    expect(
      changedRuns(
        before,
        before.map((_, i) => (i % 3 === 1 ? 0 : 1)),
      ),
    ).toBeUndefined();
    expect(
      changedRuns(
        before,
        before.map((_, i) => (i % 10 === 1 ? 1 : 0)),
      ),
    ).toBeUndefined();
  });

  test('that do not fit are refused', () => {
    const before = new Float32Array(10);
    const payload = new Uint8Array(8);
    for (const runs of [[1], [0, 11], [9, 2], [0, 3], [0, 1]]) {
      expect(() => withRuns(before, { runs, payload })).toThrow(MalformedDataError);
    }
    expect(withRuns(before, { runs: [8, 2], payload })).toEqual(before);
  });
});
