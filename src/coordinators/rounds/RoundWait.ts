/** What a coordinator waits for, since when, and what would end it. */
export interface RoundWait {
  /** Version of main that the round starts from; 0 before there is one. */
  readonly version: number;
  /** Updates that the round has. */
  readonly updates: number;
  /** Updates that end it; Infinity where that is one of each child that is there. */
  readonly needed: number;
  /** Fewest updates that it ends with when its deadline has passed or the last child that could add to it has left. */
  readonly quorum: number;
  /** Children that are there and have not given what it waits for: the first 100 of `missingCount`. */
  readonly missing: readonly string[];
  readonly missingCount: number;
  /** How long it has waited, in units of the `roundClock`. */
  readonly elapsed: number;
  /** How long until its deadline: 0 where it has passed, undefined where there is none. */
  readonly remaining: number | undefined;
  /** All of it in words. */
  readonly reason: string;
}

/** `RoundWait` without its words. */
export type RoundFacts = Omit<RoundWait, 'reason'>;

/** How many of the missing are named. */
export const namedMax = 100;

const namedInWords = 5;

/** Says what a round waits for. */
export function describeWait(facts: RoundFacts): string {
  const { updates, needed, quorum, missing, missingCount, elapsed, remaining } = facts;
  const of = needed === Infinity ? '' : ` of ${needed}`;
  const plural = needed === Infinity ? plural1(updates) : plural1(needed);
  const parts = [`the round has ${updates}${of} update${plural} after ${round(elapsed)}`];
  if (missingCount > 0) {
    const named = missing.slice(0, namedInWords).join(', ');
    const more = missingCount > namedInWords ? ` and ${missingCount - namedInWords} more` : '';
    parts.push(`it waits for ${named}${more}`);
  } else parts.push('no child that is there can add to it: it waits for others to come');
  if (updates < quorum) parts.push(`it ends with no fewer than ${quorum}`);
  if (remaining === 0) parts.push('its deadline has passed');
  else if (remaining !== undefined) parts.push(`its deadline is in ${round(remaining)}`);
  return parts.join('; ');
}

function plural1(count: number): string {
  return count === 1 ? '' : 's';
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
