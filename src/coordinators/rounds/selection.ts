import { InvalidOptionError } from '../../errors.ts';
import type { Random } from '../../random.ts';
import { show } from '../../show.ts';

/** A child that may be asked for an update. */
export interface Candidate {
  readonly childId: string;
  /** Its place among the children, in the order in which they first came. */
  readonly index: number;
  /** Version of main that holds its last update; 0 where it has given none. */
  readonly lastVersion: number;
  /** Rows of its last update, where it named them. */
  readonly sampleCount: number | undefined;
}

/**
 * Who is asked for an update in a round:
 * - `random`: every child alike.
 * - `roundRobin`: in turn, in the order in which they first came.
 * - `staleness`: those whose last update is longest ago.
 * - `weight`: at random, the more rows the likelier.
 * - a function: the ids of at most `count` of the candidates.
 */
export type ChildSelection =
  | 'random'
  | 'roundRobin'
  | 'staleness'
  | 'weight'
  | ((candidates: readonly Candidate[], count: number) => readonly string[]);

/** Picks at most `count` of the candidates. */
export interface Selector {
  select(candidates: readonly Candidate[], count: number): readonly string[];
}

/** The selector that an option means. Throws InvalidOptionError for an unknown one. */
export function createSelector(option: ChildSelection, random: Random): Selector {
  if (typeof option === 'function') return { select: option };
  switch (option) {
    case 'random':
      return { select: (candidates, count) => smallest(candidates, count, () => random.next()) };
    case 'staleness':
      return {
        select: (candidates, count) => smallest(candidates, count, ({ lastVersion }) => lastVersion, random),
      };
    case 'weight':
      return { select: (candidates, count) => byWeight(candidates, count, random) };
    case 'roundRobin':
      return new RoundRobin();
    default:
      throw new InvalidOptionError(
        `selection is ${show(option)}, expected random, roundRobin, staleness, weight or a function`,
      );
  }
}

/** Goes on after the child that was asked last. */
class RoundRobin implements Selector {
  #last = -1;

  select(candidates: readonly Candidate[], count: number): readonly string[] {
    const sorted = [...candidates].sort((a, b) => a.index - b.index);
    const next = sorted.findIndex(({ index }) => index > this.#last);
    const from = Math.max(0, next);
    const chosen = [...sorted.slice(from), ...sorted.slice(0, from)].slice(0, count);
    this.#last = chosen.at(-1)?.index ?? this.#last;
    return chosen.map(({ childId }) => childId);
  }
}

/** Those with the smallest keys; of equals, any. */
function smallest(
  candidates: readonly Candidate[],
  count: number,
  keyOf: (candidate: Candidate) => number,
  random?: Random,
): readonly string[] {
  const keyed = candidates.map((candidate) => {
    return { id: candidate.childId, key: keyOf(candidate), tie: random?.next() ?? 0 };
  });
  keyed.sort((a, b) => a.key - b.key || a.tie - b.tie);
  return keyed.slice(0, count).map(({ id }) => id);
}

/**
 * Without replacement, each draw in proportion to the rows (Efraimidis and Spirakis 2006: the smallest of −ln u / w). A child
 * that has named none yet counts as the mean of the others.
 */
function byWeight(candidates: readonly Candidate[], count: number, random: Random): readonly string[] {
  const known = candidates.flatMap(({ sampleCount }) => (sampleCount === undefined ? [] : [sampleCount]));
  const mean = known.length === 0 ? 1 : known.reduce((sum, rows) => sum + rows, 0) / known.length;
  return smallest(
    candidates,
    count,
    ({ sampleCount = mean }) => -Math.log(1 - random.next()) / sampleCount,
    random,
  );
}
