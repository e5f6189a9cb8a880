import fc from 'fast-check';
import { MalformedDataError } from 'mainstem';
import { expect, test } from 'vitest';
import { SequenceWindow } from '../../src/coordinators/SequenceWindow.ts';
import { sequenceWindow } from '../../src/limits.ts';

test('behaves like a set of all numbers, but that what lies behind the window counts as taken', () => {
  // Most numbers come in order.
  const next = { weight: 3, arbitrary: fc.constant('next' as const) };
  const steps = fc.array(fc.oneof(next, fc.nat(3000), fc.nat(50)), { maxLength: 200 });
  const bases = fc.constantFrom(0, 1, 2 ** 31 - 100, 2 ** 40);
  fc.assert(
    fc.property(steps, bases, fc.boolean(), (operations, base, isRestored) => {
      let window = new SequenceWindow();
      const taken = new Set<number>();
      let highest = -1;
      for (const step of operations) {
        const sequence = step === 'next' ? Math.max(highest + 1, base) : base + step;
        const isBehind = sequence <= highest - sequenceWindow;
        expect(window.has(sequence)).toBe(isBehind || taken.has(sequence));
        window.add(sequence);
        if (!isBehind) taken.add(sequence);
        highest = Math.max(highest, sequence);
        expect(window.stringify()).toBe(JSON.stringify(window));
        if (isRestored) window = SequenceWindow.fromJSON(JSON.parse(JSON.stringify(window)));
      }
    }),
  );
});

test('numbers in order, more than the window has', () => {
  const window = new SequenceWindow();
  for (let sequence = 1; sequence <= 2 * sequenceWindow; sequence++) {
    expect(window.has(sequence)).toBe(false);
    window.add(sequence);
    expect(window.has(sequence)).toBe(true);
  }
  expect(window.has(1)).toBe(true);
  const restored = SequenceWindow.fromJSON(JSON.parse(window.stringify()));
  expect(restored.toJSON()).toEqual(window.toJSON());
  window.add(2 * sequenceWindow + 2);
  expect(window.has(2 * sequenceWindow + 1)).toBe(false);
  expect(window.has(sequenceWindow + 3)).toBe(true);
});

test('a damaged window is a typed error', () => {
  expect(() => SequenceWindow.fromJSON({ highest: 1.5, bits: [] })).toThrow(MalformedDataError);
});
