import type { Simulation } from 'mainstem/testing';
import { simulate } from 'mainstem/testing';
import { expect, test } from 'vitest';
import type { Played } from './play.ts';
import { play } from './play.ts';

const seeds = 1_000;

const run = (seed: number): Promise<Simulation<Played>> =>
  simulate({
    seed,
    run: (world) =>
      play(world, {
        kind: seed % 2 === 0 ? 'gradients' : 'parameters',
        updatesPerMain: [1, 2, undefined, 3][seed % 4],
        drive: seed % 8 < 4 ? 'immediate' : 'tick',
        isFlaky: seed % 3 === 0,
        children: 2,
        durationMs: 25,
      }),
  });

test(`${seeds} seeds replay bit for bit`, { timeout: 60_000 }, async () => {
  const hashes = new Set<string>();
  let updates = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const first = await run(seed);
    // The whole trace, every counter, and each bit of main.
    expect(await run(seed)).toEqual(first);
    hashes.add(first.traceHash);
    updates += first.result.version;
  }
  expect(hashes.size).toBe(seeds);
  expect(updates).toBeGreaterThan(3 * seeds);
});
