import type { Random } from 'mainstem';
import { seededRandom } from 'mainstem';
import type { LabelledRows } from './digits.ts';
import { holdOut, inRawPixels, pickRows, rowsByClass } from './digits.ts';
import { shuffle } from './shuffle.ts';

/** How rows are dealt out: so that every child sees every class, or few. */
export type SplitName = 'even' | 'skewed';

/** What the rows of a federation are: a split of them, or the even split in raw pixels. */
export type DealName = SplitName | 'raw';

const heldOutShare = 0.2;

/** Which rows the demo trains on, and which it holds out: the same for everybody with the same seed. */
export function holdOutForDemo(
  rows: LabelledRows,
  seed: number,
): { training: LabelledRows; heldOut: LabelledRows } {
  return holdOut(rows, heldOutShare, seededRandom(seed, 1));
}

/** Which training rows each child has; the same for everybody with the same seed. */
export function partsOf(
  name: DealName,
  { labels }: LabelledRows,
  { seed, children }: { readonly seed: number; readonly children: number },
): number[][] {
  return splitRows(name === 'raw' ? 'even' : name, labels, children, seededRandom(seed, 2));
}

/** These rows, for each child. */
export function dealOut(
  name: DealName,
  training: LabelledRows,
  task: { readonly seed: number; readonly children: number },
): LabelledRows[] {
  const shards = partsOf(name, training, task).map((part) => pickRows(training, part));
  return name === 'raw' ? shards.map(inRawPixels) : shards;
}

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
