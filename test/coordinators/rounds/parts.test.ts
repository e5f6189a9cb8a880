import { InvalidOptionError, seededRandom } from 'mainstem';
import { expect, test } from 'vitest';
import { Deadline } from '../../../src/coordinators/rounds/Deadline.ts';
import type { Candidate, ChildSelection } from '../../../src/coordinators/rounds/selection.ts';
import { createSelector } from '../../../src/coordinators/rounds/selection.ts';
import { createStalenessWeight } from '../../../src/coordinators/rounds/staleness.ts';

test('a deadline is the median of the arrivals and so many times their spread, within its bounds', () => {
  const deadline = new Deadline({ factor: 2, floor: 5, ceiling: 100 });
  for (const arrival of [10, 12, 11, 30]) deadline.saw(arrival);
  expect(deadline.length).toBe(100);
  deadline.saw(13);
  // Median 12; distances 2, 0, 1, 18, 1: median 1.
  expect(deadline.length).toBe(14);
  deadline.saw(16);
  // Median 12.5; distances 2.5, 0.5, 1.5, 17.5, 0.5, 3.5: median 2.
  expect(deadline.length).toBe(16.5);
  for (let i = 0; i < 256; i++) deadline.saw(1);
  expect(deadline.length).toBe(5);
  for (let i = 0; i < 256; i++) deadline.saw(i * 1000);
  expect(deadline.length).toBe(100);
});

test('a number is a deadline that stays', () => {
  const deadline = new Deadline(7);
  for (let i = 0; i < 20; i++) deadline.saw(i * 100);
  expect(deadline.length).toBe(7);
});

const candidates: Candidate[] = [0, 1, 2, 3].map((index) => ({
  childId: `c${index}`,
  index,
  lastVersion: [5, 0, 7, 0][index]!,
  sampleCount: [1, undefined, 8, 0][index],
}));

function countsOf(selection: ChildSelection, count: number, times: number): Record<string, number> {
  const selector = createSelector(selection, seededRandom(1));
  const counts: Record<string, number> = {};
  for (let i = 0; i < times; i++)
    for (const id of selector.select(candidates, count)) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

test('random: all alike, nobody twice', () => {
  const counts = countsOf('random', 2, 4_000);
  for (const id of ['c0', 'c1', 'c2', 'c3']) expect(Math.abs(counts[id]! - 2_000)).toBeLessThan(150);
  expect(new Set(createSelector('random', seededRandom(2)).select(candidates, 4)).size).toBe(4);
});

test('roundRobin: in turn', () => {
  const selector = createSelector('roundRobin', seededRandom(1));
  expect([1, 2, 3].flatMap(() => selector.select(candidates, 3))).toEqual(
    'c0 c1 c2 c3 c0 c1 c2 c3 c0'.split(' '),
  );
});

test('staleness: those that have waited longest; of equals, either', () => {
  expect(createSelector('staleness', seededRandom(1)).select(candidates, 3).at(-1)).toBe('c0');
  const counts = countsOf('staleness', 1, 1_000);
  expect(Object.keys(counts).sort()).toEqual(['c1', 'c3']);
  expect(Math.abs(counts.c1! - 500)).toBeLessThan(80);
});

test('weight: in proportion to the rows; who has named none counts as the mean, none is never before others', () => {
  // Rows 1, (mean of 1, 8, 0 =) 3, 8 and 0.
  const counts = countsOf('weight', 1, 12_000);
  for (const [id, share] of [
    ['c0', 1 / 12],
    ['c1', 3 / 12],
    ['c2', 8 / 12],
  ] as const)
    expect(Math.abs(counts[id]! / 12_000 - share)).toBeLessThan(0.02);
  expect(counts.c3).toBeUndefined();
});

test('a selection of the user’s own is asked as it is; others are refused', () => {
  const selector = createSelector(
    (all, count) => all.slice(-count).map(({ childId }) => childId),
    seededRandom(1),
  );
  expect(selector.select(candidates, 2)).toEqual(['c2', 'c3']);
  expect(() => createSelector('best' as never, seededRandom(1))).toThrow(InvalidOptionError);
});

test('weights of staleness', () => {
  expect([0, 3, 8].map(createStalenessWeight('inverseSquareRoot'))).toEqual([1, 0.5, 1 / 3]);
  expect([0, 3].map(createStalenessWeight('none'))).toEqual([1, 1]);
  expect(() => createStalenessWeight(() => Number.NaN)(1)).toThrow(InvalidOptionError);
  expect(() => createStalenessWeight(() => 2)(1)).toThrow(/from 0 to 1/);
});
