import fc from 'fast-check';
import { seededRandom } from 'mainstem';
import { describe, expect, it } from 'vitest';
import { holdOut, loadDigits } from '../../src/cli/digits.ts';
import { countClasses, splitRows } from '../../src/cli/shards.ts';

const names = ['even', 'skewed'] as const;
const digits = loadDigits().labels;

describe('splitRows', () => {
  it('gives every row to exactly one child, in shares that differ by at most one row', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 0, max: 1000 }),
        (name, labels, children, seed) => {
          const shards = splitRows(name, labels, children, seededRandom(seed));
          expect(shards.length).toBe(children);
          expect(shards.flat().sort((a, b) => a - b)).toEqual(labels.map((_, row) => row));
          const sizes = shards.map((shard) => shard.length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('even: each child sees all ten digits, about as often', () => {
    for (const shard of splitRows('even', digits, 8, seededRandom(1))) {
      for (let digit = 0; digit <= 9; digit++) {
        const count = shard.filter((row) => digits[row] === digit).length;
        expect(Math.abs(count - shard.length / 10)).toBeLessThan(2);
      }
    }
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])('skewed: each child sees two or three digits (seed %i)', (seed) => {
    const { labels } = holdOut(loadDigits(), 0.2, seededRandom(seed, 1)).training;
    const shards = splitRows('skewed', labels, 8, seededRandom(seed, 2));
    const classes = shards.map((shard) => countClasses(labels, shard));
    expect(Math.min(...classes)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...classes)).toBeLessThanOrEqual(3);
  });

  it.each(names)('%s: depends on the seed, and on nothing else', (name) => {
    const deal = (seed: number): number[][] => splitRows(name, digits, 8, seededRandom(seed));
    expect(deal(1)).toEqual(deal(1));
    expect(deal(1)).not.toEqual(deal(2));
  });
});
