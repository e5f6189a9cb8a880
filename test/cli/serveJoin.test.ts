import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, systemClock } from 'mainstem';
import { readSafetensors } from 'mainstem/files';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { readTable } from '../../src/cli/table.ts';
import { until } from '../transport/webSocketSupport.ts';
import { Sink } from './streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'mainstem-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Points left and right of a line, and on which side they are. */
function writeRows(name: string, seed: number): string {
  const random = seededRandom(seed);
  const rows = Array.from({ length: 60 }, () => {
    const [x, y] = [100 * random.next(), random.next()];
    return `${x},${x / 100 > y ? 'below' : 'above'},${y}`;
  });
  const path = join(folder, name);
  writeFileSync(path, `x,side,y\n${rows.join('\n')}\n`);
  return path;
}

function start(words: readonly string[]) {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const interruption = new AbortController();
  const status = run(words, { stdout, stderr, clock: systemClock, signal: interruption.signal });
  return { stdout, stderr, status, interrupt: () => interruption.abort() };
}

describe('mainstem serve and join', () => {
  test('two children with rows of their own make one main, which is written at the end', async () => {
    const file = join(folder, 'main.safetensors');
    const server = start(['serve', '--port', '0', '--token', 'secret', '--save', file]);
    await until(() => server.stdout.text.includes('listening on'));
    const url = /ws:\S+\//.exec(server.stdout.text)?.[0] as string;
    const children = [1, 2].map((seed) => {
      const data = writeRows(`${seed}.csv`, seed);
      const words = ['--data', data, '--label', 'side', '--id', `child-${seed}`, '--rounds', '4'];
      return start(['join', url, ...words, '--epochs', '20', '--token', 'secret', '--units', '8']);
    });
    const stranger = start(['join', url, '--data', join(folder, '1.csv'), '--label', 'side']);
    for (const { status, stderr, stdout } of children) {
      expect([await status, stderr.text]).toEqual([0, '']);
      expect(stdout.text).toMatch(/48 rows of 2 columns to train on, 12 held out, 2 classes/);
      expect(stdout.text).toMatch(/round 4: cost 0\.\d+, accuracy \d+\.\d % on held-out rows, main \d+/);
    }
    expect(await stranger.status).toBe(1);
    expect(stranger.stderr.text).toMatch(/does not accept the token/);
    server.interrupt();
    expect(await server.status).toBe(0);
    expect(server.stdout.text).toMatch(/\+ child-1 has joined/);
    expect(server.stdout.text).toMatch(/main 8 from 8 updates/);
    const written = await readSafetensors(readFileSync(file));
    expect(written).toBeDefined();
  }, 60_000);

  test('an interrupted child leaves, and nobody at the other end is said plainly', async () => {
    const server = start(['serve', '--port', '0']);
    await until(() => server.stdout.text.includes('listening on'));
    const url = /ws:\S+\//.exec(server.stdout.text)?.[0] as string;
    const data = writeRows('3.csv', 3);
    const child = start(['join', url, '--data', data, '--label', 'side', '--rounds', '100000', '--id', 'x']);
    await until(() => child.stdout.text.includes('round 3'));
    child.interrupt();
    expect(await child.status).toBe(0);
    await until(() => server.stdout.text.includes('- x has left'));
    server.interrupt();
    await server.status;
    const late = start(['join', url, '--data', data, '--label', 'side']);
    expect(await late.status).toBe(1);
    expect(late.stderr.text).toMatch(/^mainstem: nobody listens at ws:/);
  }, 60_000);
});

describe('tables', () => {
  const random = seededRandom(1);
  const read = (csv: string) => readTable(csv, { label: 'y', classes: undefined, random });

  test('labels are texts, whole numbers or a quantity', () => {
    expect(read('a,y\n1,b\n2,a\n').classes).toEqual(['a', 'b']);
    expect(read('a,y\n1,10\n2,9\n').classes).toEqual([9, 10]);
    expect(read('a,y\n1,0.5\n2,9\n').classes).toBeUndefined();
  });

  test('each row keeps its label', () => {
    const rows = Array.from({ length: 50 }, (_, i) => `${i + 1},${2 * (i + 1)},${-i - 1}`);
    const { training, heldOut } = read(`a,y,b\n${rows.join('\n')}\n`);
    expect([training.labels.length, heldOut.labels.length]).toEqual([40, 10]);
    for (const { features, labels } of [training, heldOut])
      labels.forEach((label, row) => {
        expect(Array.from(features.data.subarray(2 * row, 2 * row + 2))).toEqual([
          Number(label) / 2,
          -Number(label) / 2,
        ]);
      });
  });

  test('what is wrong is said with its line', () => {
    expect(() => read('a,b\n1,2\n3,4\n')).toThrow(/no column "y"; columns are a, b/);
    expect(() => read('a,y\n1,2\n')).toThrow(/1 rows below the header/);
    expect(() => read('a,y\n1,2\nx,4\n')).toThrow(/line 3: a is "x", expected a number/);
  });
});
