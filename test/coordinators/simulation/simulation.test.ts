import { simulate } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import type { FederationOptions } from './Federation.ts';
import type { PlayOptions } from './play.ts';
import { play } from './play.ts';

/** To replay one seed that failed, put it alone into this list. */
const seeds = Array.from({ length: 4 }, (_, i) => i + 1);

const rules: readonly (Pick<FederationOptions, 'kind' | 'updatesPerMain'> & { name: string })[] = [
  { name: 'gradients, at once', kind: 'gradients', updatesPerMain: 1 },
  { name: 'gradients, rounds of three', kind: 'gradients', updatesPerMain: 3 },
  { name: 'parameters, the latest of every child', kind: 'parameters', updatesPerMain: undefined },
  { name: 'parameters, each three', kind: 'parameters', updatesPerMain: 3 },
];

describe.each(rules)('$name', { timeout: 60_000 }, ({ kind, updatesPerMain }) => {
  const options: Omit<PlayOptions, 'drive' | 'isFlaky'> = {
    kind,
    updatesPerMain,
    children: 4,
    durationMs: 1500,
  };
  const total = new Map<string, number>();

  const playAll = async (drive: 'immediate' | 'tick', isFlaky: boolean): Promise<void> => {
    for (const seed of seeds) {
      const { result } = await simulate({
        seed,
        run: (world) => play(world, { ...options, drive, isFlaky }),
      });
      for (const [name, count] of Object.entries({ ...result.counts, version: result.version }))
        total.set(name, (total.get(name) ?? 0) + count);
    }
  };

  test.each(['immediate', 'tick'] as const)('drive %s: all replicas are equal, bit for bit', (drive) =>
    playAll(drive, false));

  test.each([
    'immediate',
    'tick',
  ] as const)('drive %s: what was acknowledged survives a store that fails and processes that die', (drive) =>
    playAll(drive, true));

  test('there was something to survive', () => {
    const some = [
      'applied',
      'accepted',
      'duplicate',
      'refused',
      'NON_FINITE',
      'LAYOUT_MISMATCH',
      'LIMIT_EXCEEDED',
    ];
    const seen = [
      ...some,
      'STALE_SESSION',
      'no answer',
      'raw refusal',
      'raw rejected',
      'reported error',
      'restore',
    ];
    expect(seen.filter((what) => !total.has(what))).toEqual([]);
    expect(total.get('version')).toBeGreaterThan(100 * seeds.length);
    expect(total.get('restore')).toBe(total.get('crash'));
  });
});
