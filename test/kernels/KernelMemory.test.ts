import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelMemory } from '../../src/kernels/wasm/KernelMemory.ts';
import { builds } from './wasmSupport.ts';

const pageBytes = 65_536;

interface Held {
  readonly address: number;
  readonly bytes: number;
  readonly mark: number;
}

/** Writes a mark into every byte of a block. */
function fill(memory: KernelMemory, address: number, bytes: number, mark: number): void {
  bytesOf(memory, address, bytes).fill(mark);
}

function bytesOf(memory: KernelMemory, address: number, bytes: number): Uint8Array {
  return new Uint8Array(memory.integers.buffer, address, bytes);
}

const steps = fc.array(
  fc.record({
    /** Where below 0.6 a block is asked for, else the one at this share of the list is given back. */
    choice: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 40_000 })),
    zeroed: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { maxLength: 80 },
);

describe.each(builds)('a memory of %s', (build) => {
  it('hands out what overlaps nothing, at cache lines, zeroed as far as asked, and keeps it through growth', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const memory = new KernelMemory(build, 0, 8 * pageBytes);
        const first = memory.code.heapBase();
        let held: Held[] = [];
        const check = ({ address, bytes, mark }: Held): void => {
          expect(bytesOf(memory, address, bytes).every((byte) => byte === mark)).toBe(true);
        };
        list.forEach(({ choice, bytes, zeroed }, step) => {
          if (choice >= 0.6 && held.length > 0) {
            const gone = held[Math.floor(((choice - 0.6) / 0.4001) * held.length)]!;
            check(gone);
            memory.free(gone.address);
            held = held.filter((block) => block !== gone);
            return;
          }
          const zeroedBytes = Math.floor(zeroed * bytes);
          const address = memory.allocate(bytes, zeroedBytes);
          if (address === undefined) return;
          expect(address % 64).toBe(0);
          expect(address).toBeGreaterThanOrEqual(first);
          expect(address + bytes).toBeLessThanOrEqual(memory.integers.byteLength);
          for (const other of held) {
            expect(address + bytes <= other.address || other.address + other.bytes <= address).toBe(true);
          }
          expect(bytesOf(memory, address, zeroedBytes).every((byte) => byte === 0)).toBe(true);
          const mark = 1 + (step % 250);
          fill(memory, address, bytes, mark);
          held.push({ address, bytes, mark });
        });
        held.forEach(check);
        const used = held.reduce((sum, { bytes }) => sum + Math.max(64, Math.ceil(bytes / 64) * 64), 0);
        expect(memory.usedBytes).toBe(used);
        for (const { address } of held) memory.free(address);
        expect(memory.usedBytes).toBe(0);
        // All of it is one piece again.
        expect(memory.allocate(memory.bytesMax - 4_096, 0)).toBeDefined();
      }),
      { numRuns: 200 },
    );
  });

  it('has room for what it was made for, beside the constants of the code', () => {
    for (const bytes of [1, 64, pageBytes - 4_096, pageBytes, 3 * pageBytes + 1]) {
      const memory = new KernelMemory(build, bytes + 64, bytes + 64);
      expect(memory.code.heapBase()).toBeLessThanOrEqual(4_096 - 64);
      expect(memory.allocate(bytes)).toBeDefined();
    }
  });

  it('says where there is no room, and is as good as before', () => {
    const memory = new KernelMemory(build, 0, 2 * pageBytes);
    expect(memory.allocate(2 * pageBytes)).toBeUndefined();
    const address = memory.allocate(pageBytes)!;
    expect(memory.allocate(pageBytes)).toBeUndefined();
    expect(memory.usedBytes).toBe(pageBytes);
    memory.free(address);
    expect(memory.allocate(pageBytes + 1_000)).toBe(address);
  });

  it('is left alone by a free of what is none', () => {
    const memory = new KernelMemory(build, 0, pageBytes);
    const address = memory.allocate(100)!;
    memory.free(address + 64);
    memory.free(0);
    expect(memory.usedBytes).toBe(128);
    memory.free(address);
    memory.free(address);
    expect(memory.usedBytes).toBe(0);
    const again = memory.allocate(100)!;
    expect(memory.allocate(100)).toBe(again + 128);
  });
});
