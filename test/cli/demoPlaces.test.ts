import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { FederationOutcome } from './meetingProgram.ts';

const execute = promisify(execFile);
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function outcomesIn(place: string): Promise<FederationOutcome[]> {
  const words = ['--import', 'tsx', pathOf('meetingProgram.ts'), place];
  const { stdout } = await execute(process.execPath, words, { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as FederationOutcome[];
}

describe('where the children of the demo are', () => {
  test('does not change what they come to, in threads, in processes, or beside the coordinator', async () => {
    const expected = await outcomesIn('in-process');
    expect(expected.map(({ name, isComplete, version }) => [name, isComplete, version])).toEqual([
      ['even/gradients', true, 5],
      ['even/parameters', true, 4],
      ['skewed/gradients', true, 5],
      ['skewed/parameters', true, 4],
      ['raw/unscaled', true, 4],
      ['raw/scaled', true, 4],
    ]);
    for (const place of ['threads', 'processes']) {
      const got = await outcomesIn(place);
      for (const [i, { name, parameters, bytes, ...others }] of got.entries()) {
        const { parameters: reference = [], bytes: sameBytes = 0, ...same } = expected[i] ?? {};
        expect({ name, ...others }, place).toEqual(same);
        // Who waits for ten seconds sends a heartbeat.
        expect(bytes / sameBytes).toBeCloseTo(1, 2);
        expect(parameters.length).toBeGreaterThan(2_000);
        const furthest = Math.max(...parameters.map((value, at) => Math.abs(value - (reference[at] ?? NaN))));
        // Sums over the children are rounded in the order of their arrival.
        expect(furthest, `${name} in ${place}`).toBeLessThan(1e-9);
      }
    }
  }, 120_000);

  test('a process of children ends when whoever started it has gone', async () => {
    const orphan = fork(pathOf('../../src/cli/demoProcess.ts'), {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    orphan.disconnect();
    expect(await once(orphan, 'exit')).toEqual([0, null]);
  }, 60_000);
});
