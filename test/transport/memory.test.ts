import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../src/transport/BufferPool.ts';
import { joinedBytes, Slab } from '../../src/transport/Slab.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Where the bytes lie, so that overlaps can be found. */
function overlap(a: Bytes, b: Bytes): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.length && b.byteOffset < a.byteOffset + a.length
  );
}

describe('a slab', () => {
  test('nothing that is in use lies over something else, whatever is taken and given back', () => {
    const takes = fc.array(
      fc.record({ length: fc.oneof(fc.nat(200), fc.nat(20_000)), gives: fc.option(fc.nat(50)) }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(takes, (steps) => {
        const slab = new Slab();
        const used: Bytes[] = [];
        for (const { length, gives } of steps) {
          const bytes = slab.take(length);
          expect(bytes.length).toBe(length);
          for (const other of used) expect(overlap(bytes, other)).toBe(false);
          used.push(bytes);
          if (gives === null) continue;
          const [given] = used.splice(gives % used.length, 1);
          slab.give(given!);
        }
      }),
    );
  });

  test('a copy is one', () => {
    const slab = new Slab();
    for (const length of [0, 3, 4_096, 4_097, 50_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i);
      const copy = slab.copy(bytes);
      bytes.fill(0);
      expect(copy).toEqual(Uint8Array.from({ length }, (_, i) => i));
    }
  });

  test('joined bytes are the parts one behind the other, without a copy where they lie so', () => {
    const slab = new Slab();
    const parts = [1, 2, 3].map((value) => slab.take(100).fill(value));
    const whole = joinedBytes(parts, 300, slab);
    expect([whole.buffer, whole.byteOffset]).toEqual([parts[0]!.buffer, parts[0]!.byteOffset]);
    expect([...whole]).toEqual(parts.flatMap((part) => [...part]));
    const turned = joinedBytes([parts[2]!, parts[0]!, parts[1]!], 300, slab);
    expect([...turned]).toEqual([parts[2]!, parts[0]!, parts[1]!].flatMap((part) => [...part]));
    expect([...joinedBytes([parts[0]!, parts[2]!], 200, slab)]).toEqual([...parts[0]!, ...parts[2]!]);
  });
});

describe('a pool of buffers', () => {
  test('gives the same memory again, to one at a time', () => {
    const pool = new BufferPool();
    const first = pool.take(40_000);
    pool.give(first);
    pool.give(first);
    const second = pool.take(39_000);
    expect(second.buffer).toBe(first.buffer);
    expect(pool.take(39_000).buffer).not.toBe(second.buffer);
  });

  test('takes nothing back that is not from it, and no more than 8 MiB', () => {
    const pool = new BufferPool();
    pool.give(new Uint8Array(40_960));
    const taken = Array.from({ length: 300 }, () => pool.take(40_960));
    expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(300);
    for (const bytes of taken) pool.give(bytes);
    const again = Array.from({ length: 300 }, () => pool.take(40_960).buffer);
    const known = again.filter((buffer) => taken.some((bytes) => bytes.buffer === buffer)).length;
    expect(known * 40_960).toBeLessThanOrEqual(2 ** 23);
    expect(known).toBeGreaterThan(0);
  });

  test('is at most a quarter larger than what was asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 64, max: 2 ** 24 }), (length) => {
        const { buffer } = new BufferPool().take(length);
        expect(buffer.byteLength).toBeGreaterThanOrEqual(length);
        expect(buffer.byteLength).toBeLessThanOrEqual(1.25 * length + 8);
        expect(buffer.byteLength % 8).toBe(0);
      }),
    );
  });
});
