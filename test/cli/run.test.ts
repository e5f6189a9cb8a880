import type { Clock } from 'mainstem';
import { systemClock } from 'mainstem';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DemoReport } from '../../src/cli/demo.ts';
import type { Plan } from '../../src/cli/plan.ts';
import { exitStatus, run } from '../../src/cli/run.ts';
import { packageVersion } from '../../src/cli/usage.ts';
import { Sink } from './streams.ts';

const quick: Plan = {
  gradients: { rounds: 3, learningRate: 0.02 },
  parameters: { rounds: 2, epochs: 1, learningRate: 0.005, batchSize: 16 },
  scaling: { rounds: 4, epochs: 2, learningRate: 0.1, batchSize: 16 },
};

/** A clock that is 250 ms further at each look. */
function tickingClock(): Clock {
  let milliseconds = 0;
  return { ...systemClock, now: () => (milliseconds += 250) };
}

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** In this thread: the other places are those of demoPlaces.test.ts. */
async function runQuickly(words: readonly string[], signal = new AbortController().signal): Promise<Outcome> {
  const stdout = new Sink();
  const stderr = new Sink();
  const status = await run(words, { stdout, stderr, clock: tickingClock(), signal, plan: quick });
  return { status, out: stdout.text, err: stderr.text };
}

describe('run', () => {
  it.each([
    [[], 'Usage: mainstem <command>'],
    [['--help'], 'Usage: mainstem <command>'],
    [['demo', '--help'], 'Usage: mainstem demo'],
    [['inspect', '--help'], 'Usage: mainstem inspect'],
    [['serve', '--help'], 'Usage: mainstem serve'],
    [['join', '--help'], 'Usage: mainstem join'],
    [['replay', '--help'], 'Usage: mainstem replay'],
    [['--version'], `${packageVersion()}\n`],
  ])('%j prints what was asked for', async (words, beginning) => {
    const { status, out, err } = await runQuickly(words);
    expect(status).toBe(0);
    expect(out.startsWith(beginning)).toBe(true);
    expect(err).toBe('');
  });

  it.each([
    [
      ['train'],
      'mainstem: there is no command "train"; commands are: demo, inspect, serve, join, replay\nTry: mainstem --help\n',
    ],
    [
      ['join', 'http://x'],
      'mainstem join: expected one url that begins with ws:// or wss://, got http://x\nTry',
    ],
    [['join', 'ws://x'], 'mainstem join: expected --data <file> and --label <column>\nTry'],
    [
      ['serve', '--port', '70000'],
      'mainstem serve: --port is "70000", expected a whole number, 0 to 65535\nTry',
    ],
    [['replay'], 'mainstem replay: expected one file, got none\nTry'],
    [
      ['replay', 'a.log', '--data', 'rows.csv'],
      'mainstem replay: expected --data <file> and --label <column>, or neither\nTry',
    ],
    [['replay', 'a.log', '--until', '-1'], "mainstem replay: Option '--until' argument is ambiguous"],
    [['demo', '--nope'], "mainstem demo: Unknown option '--nope'\nTry: mainstem demo --help\n"],
    [['demo', '--seed', 'x'], 'mainstem demo: --seed is "x", expected a whole number, 0 to 4294967295\nTry'],
  ])('%j is refused without a stack trace', async (words, message) => {
    const { status, out, err } = await runQuickly(words);
    expect(status).toBe(exitStatus.usage);
    expect(out).toBe('');
    expect(err.startsWith(message)).toBe(true);
    expect(err).not.toContain('    at ');
  });

  it('ends when it is interrupted', async () => {
    const interruption = new AbortController();
    interruption.abort();
    const { status, out, err } = await runQuickly(['demo'], interruption.signal);
    expect(status).toBe(exitStatus.interrupted);
    expect([out, err]).toEqual(['', 'interrupted\n']);
  });

  it('says in one line what failed', async () => {
    const broken: Plan = { ...quick, parameters: { ...quick.parameters, learningRate: -1 } };
    const stderr = new Sink();
    const { signal } = new AbortController();
    const stdout = new Sink();
    const words = ['demo', '--in-process'];
    const status = await run(words, { stdout, stderr, clock: tickingClock(), signal, plan: broken });
    expect(status).toBe(exitStatus.failed);
    expect(stderr.text).toBe('mainstem: learningRate is -1, expected a finite number, 0 or more\n');
  });
});

describe('a training that diverges', () => {
  it('ends its federation with the main of the round before, and no other', async () => {
    const plan: Plan = { ...quick, scaling: { ...quick.scaling, learningRate: 1e200 } };
    const [stdout, stderr] = [new Sink(), new Sink()];
    const { signal } = new AbortController();
    const words = ['demo', '--in-process', '--json'];
    expect(await run(words, { stdout, stderr, clock: tickingClock(), signal, plan })).toBe(exitStatus.done);
    const { splits, scaling } = JSON.parse(stdout.text) as DemoReport;
    expect(scaling.map(({ accuracy }) => accuracy)).toEqual([0, 0]);
    expect(splits.every(({ results }) => results.every(({ accuracy }) => accuracy > 0))).toBe(true);
  });
});

describe('mainstem demo --json', () => {
  let first: Outcome;
  let report: DemoReport;
  beforeAll(async () => {
    first = await runQuickly(['demo', '--in-process', '--json', '--seed', '4']);
    report = JSON.parse(first.out) as DemoReport;
  });

  it('prints one JSON document on stdout, and one line for each part on stderr', () => {
    expect(first.status).toBe(0);
    expect(first.err.trimEnd().split('\n').length).toBe(9);
    expect(report).toMatchObject({ seed: 4, children: 8, trainingRows: 1438, heldOutRows: 359 });
    expect(report.childrenRanIn).toBe("the coordinator's own thread");
    expect(report.splits.map(({ name }) => name)).toEqual(['even', 'skewed']);
    for (const { results } of report.splits) {
      expect(results.map(({ name }) => name)).toEqual(['alone', 'gradients', 'parameters', 'central']);
    }
  });

  it('has a share, rounds, bytes and seconds of each way to train', () => {
    for (const { accuracy, rounds, bytes, seconds, epochs, name } of report.splits.flatMap(
      (s) => s.results,
    )) {
      expect(accuracy).toBeGreaterThan(0);
      expect(accuracy).toBeLessThanOrEqual(1);
      expect(seconds).toBeGreaterThan(0);
      const isFederated = name === 'gradients' || name === 'parameters';
      expect(rounds).toBe(
        { alone: 0, gradients: 3, parameters: 2, central: 0, unscaled: 4, scaled: 4 }[name],
      );
      expect(epochs).toBe(name === 'gradients' ? 3 : 2);
      // At least 2,410 float32 numbers up and down, for each of 8 children in each round; little more.
      const least = rounds * 8 * 2 * 2410 * 4;
      if (isFederated) expect(bytes / least).toBeGreaterThan(1);
      expect(bytes).toBeLessThan(isFederated ? least * 1.6 : 1);
    }
  });

  it('shows what a scaler changes on raw pixels', () => {
    const [unscaled, scaled] = report.scaling;
    expect([unscaled?.name, scaled?.name]).toEqual(['unscaled', 'scaled']);
    expect(unscaled?.accuracy).toBeLessThan(0.6);
    expect(scaled?.accuracy).toBeGreaterThan(0.85);
    // The reports of the columns travel too.
    expect(scaled?.bytes).toBeGreaterThan(unscaled?.bytes ?? Infinity);
  });

  it('counts the rows and the classes of the children', () => {
    for (const { name, rowsPerChild, classesPerChild } of report.splits) {
      expect(rowsPerChild.reduce((sum, rows) => sum + rows, 0)).toBe(1438);
      expect(classesPerChild.length).toBe(8);
      if (name === 'even') expect(new Set(classesPerChild)).toEqual(new Set([10]));
      else expect(Math.max(...classesPerChild)).toBeLessThanOrEqual(3);
    }
  });

  it('gives the range of the children alone around their mean', () => {
    const alone = report.splits[0]?.results[0];
    expect(alone?.accuracyMin).toBeLessThanOrEqual(alone?.accuracy ?? 0);
    expect(alone?.accuracyMax).toBeGreaterThanOrEqual(alone?.accuracy ?? 1);
  });

  it('moves main by the same gradient however the rows are dealt out', () => {
    const [even, skewed] = report.splits.map(({ results }) => results[1]?.accuracy ?? 0);
    expect(Math.abs((even ?? 0) - (skewed ?? 1))).toBeLessThan(0.01);
  });

  it('prints the same for the same seed, and something else for another', async () => {
    const accuracies = ({ out }: Outcome): number[] =>
      (JSON.parse(out) as DemoReport).splits.flatMap(({ results }) =>
        results.map(({ accuracy }) => accuracy),
      );
    expect((await runQuickly(['demo', '--in-process', '--json', '--seed', '4'])).out).toBe(first.out);
    const other = await runQuickly(['demo', '--in-process', '--json', '--seed', '5']);
    expect(accuracies(other)).not.toEqual(accuracies(first));
  });
});
