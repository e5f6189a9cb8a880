import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogisticRegression, MemoryStore, seededRandom, systemClock } from 'mainstem';
import { readSafetensors } from 'mainstem/files';
import type { CoordinatorDescription } from 'mainstem/replay';
import { createCoordinator, exportLog, UpdateRecorder } from 'mainstem/replay';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { until } from '../transport/webSocketSupport.ts';
import { Sink } from './streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'mainstem-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

const random = seededRandom(1);
const rows = Array.from({ length: 80 }, () => [random.next(), random.next()] as const);
const sideOf = ([x, y]: readonly [number, number]): string => (x > y ? 'below' : 'above');
const data = join(folder, 'rows.csv');
writeFileSync(data, `x,y,side\n${rows.map((row) => `${row.join(',')},${sideOf(row)}`).join('\n')}\n`);

/** The log of two children, one of which means the opposite from its third update on. */
async function writeLog(name: string): Promise<string> {
  const description: CoordinatorDescription = { kind: 'parameters', mode: 'asynchronous' };
  const store = new MemoryStore();
  const coordinator = createCoordinator(description);
  const recorder = new UpdateRecorder({ store, coordinator: description });
  coordinator.use(recorder);
  if (!('addModelParameters' in coordinator)) throw new Error('expected parameters');
  const features = rows.map((row) => [...row]);
  for (let round = 1; round <= 6; round++)
    for (const childId of ['good', 'turned']) {
      const model = new LogisticRegression({ classes: ['above', 'below'], learningRate: 1 });
      if (coordinator.version > 0) model.setModelParameters(coordinator.getModelParameters());
      const isWrong = childId === 'turned' && round >= 3;
      const labels = rows.map((row) => ((sideOf(row) === 'below') !== isWrong ? 'below' : 'above'));
      model.train(features, labels, { maximumNumberOfIterations: 100 });
      coordinator.addModelParameters(model.getModelParameters(), { childId });
    }
  await recorder.flush();
  const path = join(folder, name);
  const pieces: Uint8Array[] = [];
  for await (const piece of exportLog(store)) pieces.push(piece);
  writeFileSync(path, Buffer.concat(pieces));
  return path;
}

async function mainstem(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const signal = new AbortController().signal;
  const status = await run(words, { stdout, stderr, clock: systemClock, signal });
  return { status, out: stdout.text, err: stderr.text };
}

describe('mainstem replay', () => {
  test('shows each main with its cost, and names the update that made it worse by most', async () => {
    const log = await writeLog('shown.log');
    const { status, out, err } = await mainstem('replay', log, '--data', data, '--label', 'side');
    expect([status, err]).toEqual([0, '']);
    expect(out).toContain('12 updates, 12 mains');
    expect(out).toMatch(
      /Main became worse by most with update \d+, of turned: its cost went from 0\.\d+ to \d/,
    );
  });

  test('as JSON; until an update, without a child, written to a file', async () => {
    const log = await writeLog('json.log');
    const saved = join(folder, 'main.safetensors');
    const shared = ['replay', log, '--data', data, '--label', 'side', '--json'];
    const report = async (...more: string[]) => {
      const { status, out } = await mainstem(...shared, ...more);
      expect(status).toBe(0);
      return JSON.parse(out) as { updates: number; steps: { cost: number }[] };
    };
    const [all, until, without] = [
      await report(),
      await report('--until', '5'),
      await report('--without', 'turned', '--save', saved),
    ];
    expect([all.updates, until.updates, without.updates]).toEqual([12, 5, 6]);
    expect(until.steps).toEqual(all.steps.slice(0, 5));
    expect(without.steps.at(-1)?.cost).toBeLessThan((all.steps.at(-1)?.cost ?? 0) / 2);
    expect(await readSafetensors(readFileSync(saved))).toBeDefined();
  });

  test('without rows it shows how far main has moved', async () => {
    const { out } = await mainstem('replay', await writeLog('moved.log'));
    expect(out).not.toContain('cost');
    expect(out).toMatch(/Main moved furthest with update \d+, of (good|turned): by \d/);
  });

  test('says what is wrong with its files', async () => {
    const log = await writeLog('cut.log');
    writeFileSync(log, readFileSync(log).subarray(0, -5));
    for (const [words, message] of [
      [[join(folder, 'none.log')], 'there is no such file'],
      [[data], 'this is no log of mainstem'],
      [[log], 'the file of a log ends within a record'],
      [[await writeLog('fine.log'), '--data', data, '--label', 'colour'], 'there is no column "colour"'],
    ] as const) {
      const { status, err } = await mainstem('replay', ...words);
      expect([status, err]).toEqual([1, expect.stringContaining(message)]);
    }
  });

  test('mainstem serve --log writes what it replays', async () => {
    const log = join(folder, 'served.log');
    const interruption = new AbortController();
    const stdout = new Sink();
    const around = { stdout, stderr: new Sink(), clock: systemClock, signal: interruption.signal };
    const server = run(['serve', '--port', '0', '--log', log], around);
    await until(() => stdout.text.includes('listening on'));
    const url = /ws:\S+\//.exec(stdout.text)?.[0] as string;
    const words = ['--data', data, '--label', 'side', '--id', 'one', '--rounds', '3'];
    expect((await mainstem('join', url, ...words)).status).toBe(0);
    interruption.abort();
    expect(await server).toBe(0);
    const { out } = await mainstem('replay', log, '--json');
    expect(JSON.parse(out)).toMatchObject({ updates: 3, steps: [{ children: ['one'] }, {}, {}] });
  }, 60_000);
});
