import type { Random } from 'mainstem';

/** Puts the entries in random order, in place (Fisher and Yates). */
export function shuffle<T>(entries: T[], random: Random): T[] {
  for (let last = entries.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    const held = entries[last] as T;
    entries[last] = entries[other] as T;
    entries[other] = held;
  }
  return entries;
}
