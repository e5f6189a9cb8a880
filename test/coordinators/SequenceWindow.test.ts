import fc from 'fast-check';
import { MalformedDataError } from 'mainstem';
import { expect, test } from 'vitest';
import { SequenceWindow } from '../../src/coordinators/SequenceWindow.ts';
import { sequenceWindow } from '../../src/limits.ts';

test('behaves like a set of all numbers, but that what lies behind the window counts as taken', () => {
  const steps = fc.array(fc.oneof(fc.nat(3000), fc.nat(50)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 2 ** 31 - 100, 2 ** 40), (operations, base) => {
      let window = new SequenceWindow();
      const taken = new Set<number>();
      let highest = -1;
      for (const offset of operations) {
        const sequence = base + offset;
        const isBehind = sequence <= highest - sequenceWindow;
        expect(window.has(sequence)).toBe(isBehind || taken.has(sequence));
        window.add(sequence);
        if (!isBehind) taken.add(sequence);
        highest = Math.max(highest, sequence);
        expect(window.stringify()).toBe(JSON.stringify(window));
        window = SequenceWindow.fromJSON(JSON.parse(JSON.stringify(window)));
      }
    }),
  );
});

test('a damaged window is a typed error', () => {
  expect(() => SequenceWindow.fromJSON({ highest: 1.5, bits: [] })).toThrow(MalformedDataError);
});
