import type { Random } from 'mainstem';
import { rowsByClass } from './digits.ts';
import { shuffle } from './shuffle.ts';

/** How rows are dealt out: so that every child sees every class, or few. */
export type SplitName = 'even' | 'skewed';

/** Deals rows out to `children`: every row to exactly one; the numbers of rows differ by at most one. */
export function splitRows(
  name: SplitName,
  labels: readonly number[],
  children: number,
  random: Random,
): number[][] {
  return name === 'even' ? splitEvenly(labels, children, random) : splitSkewed(labels, children, random);
}

/** Class by class in turn, so that every child has about the same number of each. */
function splitEvenly(labels: readonly number[], children: number, random: Random): number[][] {
  const shards: number[][] = Array.from({ length: children }, () => []);
  sortByClass(labels, random).forEach((row, place) => {
    shards[place % children]?.push(row);
  });
  return shards;
}

/**
 * Sorted by class, in a random order of the classes, and cut into stretches: with fewer children than classes a
 * child sees two or three of ten.
 */
function splitSkewed(labels: readonly number[], children: number, random: Random): number[][] {
  const sorted = sortByClass(labels, random);
  const cut = (child: number): number => Math.round((child * sorted.length) / children);
  return Array.from({ length: children }, (_, child) => sorted.slice(cut(child), cut(child + 1)));
}

function sortByClass(labels: readonly number[], random: Random): number[] {
  const classes = shuffle([...rowsByClass(labels).values()], random);
  return classes.flatMap((rows) => shuffle(rows, random));
}

/** How many classes are among these rows. */
export function countClasses(labels: readonly number[], rows: readonly number[]): number {
  return new Set(rows.map((row) => labels[row])).size;
}
