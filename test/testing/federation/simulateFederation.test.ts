import { readFileSync } from 'node:fs';
import { kernels, LogisticRegression, MemoryStore, NeuralNetwork } from 'mainstem';
import { replayLog } from 'mainstem/replay';
import type { BehaviourContext, ChildProfile, FederationSimulationOptions } from 'mainstem/testing';
import { simulateFederation, skewedShards } from 'mainstem/testing';
import { describe, expect, it } from 'vitest';
import type { Values } from '../../../src/parameters/values.ts';
import { bits } from '../../models/support.ts';

const [, ...lines] = readFileSync(new URL('../../../data/digits.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const cells = lines.map((line) => line.split(',').map(Number));
const features = cells.map((row) => row.slice(0, 64).map((pixel) => pixel / 16));
const labels = cells.map((row) => row[64]!);
const classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

function base(more: Partial<FederationSimulationOptions> = {}): FederationSimulationOptions {
  return {
    children: 200,
    atOnce: 10,
    versions: 12,
    createModel: () =>
      new LogisticRegression({ classes, learningRate: 0.5, batchSize: 10, maximumNumberOfIterations: 2 }),
    rows: skewedShards({ features, labels }, { alpha: 1 }),
    profile: (_, random): ChildProfile => ({ trainingMs: 500 + 1_000 * random.next(), latencyMs: [10, 50] }),
    ...more,
  };
}

const accuracyOf = (main: Parameters<LogisticRegression['setModelParameters']>[0]): number => {
  const judge = new LogisticRegression({ classes });
  judge.setModelParameters(main);
  return judge.score(features, labels);
};

describe('simulateFederation', () => {
  it('main learns; the same seed gives the same main, bit for bit, another one another', async () => {
    const [one, two, other] = [
      await simulateFederation(base()),
      await simulateFederation(base()),
      await simulateFederation(base({ seed: 1 })),
    ];
    expect(accuracyOf(one.main)).toBeGreaterThan(0.85);
    expect(bits(two.main.values)).toEqual(bits(one.main.values));
    expect({ ...two, main: 0 }).toEqual({ ...one, main: 0 });
    expect(bits(other.main.values)).not.toEqual(bits(one.main.values));
    expect(one).toMatchObject({ versions: 12, counts: { begun: 120, taken: 120, refused: {}, left: 0 } });
    const bytes = 120 * one.main.values.byteLength;
    expect(one.counts).toMatchObject({ bytesUp: bytes, bytesDown: bytes });
  });

  it.each<[string, FederationSimulationOptions['coordinator']]>([
    ['buffered', { kind: 'parameters', mode: { mode: 'buffered', updates: 5 } }],
    ['asynchronous', { kind: 'parameters', mode: { mode: 'asynchronous', mixing: 0.3 } }],
    ['synchronous with over-selection', { kind: 'parameters', mode: { mode: 'synchronous', children: 7 } }],
    ['every four', { kind: 'parameters', childUpdatesPerMerge: 4 }],
    ['the latest of all', { kind: 'parameters' }],
    ['gradients', { kind: 'gradients', mode: { mode: 'synchronous', children: 10 }, learningRate: 1 }],
    ['gradients at once', { kind: 'gradients', learningRate: 0.2 }],
  ])('%s: main moves, and the log replays to it, bit for bit', async (_, coordinator) => {
    const log = new MemoryStore();
    const simulation = await simulateFederation(base({ coordinator: coordinator!, log, versions: 20 }));
    expect(accuracyOf(simulation.main)).toBeGreaterThan(0.3);
    const replay = await replayLog(log);
    expect(bits(replay.getModelParameters().values)).toEqual(bits(simulation.main.values));
    expect(replay.updates).toBe(simulation.counts.taken);
  });

  it('children that leave: rounds end with the others', async () => {
    const { counts, versions } = await simulateFederation(
      base({ profile: () => ({ trainingMs: [500, 1_500], leaves: 0.3 }) }),
    );
    expect(versions).toBe(12);
    expect(counts.left).toBeGreaterThan(15);
    expect(
      counts.taken + counts.left + Object.values(counts.refused).reduce((a, b) => a + b, 0),
    ).toBeGreaterThan(100);
  });

  it('a training that diverges has nothing to send', async () => {
    const createModel = () =>
      new NeuralNetwork({
        layers: [64, 8, { units: 10, activation: 'softmax' }],
        classes,
        learningRate: 1e30,
        optimizer: 'gradientDescent',
        maximumNumberOfIterations: 3,
      });
    const coordinator = { kind: 'parameters', mode: 'asynchronous' } as const;
    await expect(simulateFederation(base({ createModel, coordinator, timeLimitMs: 5_000 }))).rejects.toThrow(
      'main was not moved 12 times within 5000 ms',
    );
  });

  it('slow links take their time', async () => {
    const slow = (bytesPerSecond: number) =>
      simulateFederation(base({ versions: 3, profile: () => ({ trainingMs: 100, bytesPerSecond }) }));
    const { main, tookMs } = await slow(10_000);
    // Main down, the update up.
    expect(tookMs).toBeCloseTo(3 * (100 + (2 * 1_000 * main.values.byteLength) / 10_000), 6);
    expect((await slow(Infinity)).tookMs).toBeCloseTo(300, 6);
  });

  it('behaviours: what is not finite is refused; bad updates spoil main, and leaving them out of the log mends it', async () => {
    const bad =
      (behaviour: ChildProfile['behaviour']) =>
      (child: number): ChildProfile =>
        child % 4 === 0 ? { behaviour: behaviour! } : {};
    const nonFinite = await simulateFederation(base({ profile: bad('nonFinite') }));
    expect(nonFinite.counts.refused.NON_FINITE).toBeGreaterThan(15);
    expect(accuracyOf(nonFinite.main)).toBeGreaterThan(0.8);
    const backwards = (values: Values, { base: start }: BehaviourContext): void => {
      for (let i = 0; i < values.length; i++) values[i] = 20 * start[i]! - 19 * values[i]!;
    };
    // In the last round alone: what others make of a spoilt main is spoilt too.
    const log = new MemoryStore();
    let version = 0;
    const spoilt = await simulateFederation(
      base({
        log,
        onMain: (main) => {
          version = main.version;
        },
        profile: (child) => (version === 12 ? bad(backwards)(child) : {}),
      }),
    );
    const without = Array.from({ length: 50 }, (_, i) => `child-${4 * i}`);
    const last: number[] = [];
    await replayLog(log, { without, onMain: ({ main }) => void last.push(accuracyOf(main)) });
    expect(accuracyOf(spoilt.main)).toBeLessThan(0.8);
    expect(last.at(-1)).toBeGreaterThan(accuracyOf(spoilt.main) + 0.1);
    const noise = await simulateFederation(base({ profile: bad('noise') }));
    expect(bits(noise.main.values)).not.toEqual(bits(nonFinite.main.values));
    const flipped = await simulateFederation(base({ profile: bad('signFlip') }));
    expect(accuracyOf(flipped.main)).toBeLessThan(accuracyOf(nonFinite.main));
  });

  it('what a child sends does not depend on who else there is', async () => {
    const network = () =>
      new NeuralNetwork({
        layers: [64, 4, { units: 10, activation: 'softmax' }],
        classes,
        maximumNumberOfIterations: 1,
      });
    const sent = async (children: number): Promise<Map<string, string>> => {
      const log = new MemoryStore();
      const found = new Map<string, string>();
      await simulateFederation(base({ children, atOnce: children, versions: 1, createModel: network, log }));
      await replayLog(log, {
        onMain: ({ children: names, main }) => {
          if (names.length === 1) found.set(names[0]!, bits(main.values).join());
        },
      });
      return found;
    };
    const [alone, together] = [await sent(1), new MemoryStore()];
    await simulateFederation(
      base({ children: 3, atOnce: 3, versions: 1, createModel: network, log: together }),
    );
    const only: string[] = [];
    await replayLog(together, {
      without: ['child-1', 'child-2'],
      onMain: ({ children, main }) => void (children.length > 0 && only.push(bits(main.values).join())),
    });
    expect(only).toEqual([...alone.values()]);
  });

  it('says why nothing happens any more, and with which seed', async () => {
    const coordinator = {
      kind: 'parameters',
      mode: { mode: 'synchronous', children: 10, deadline: 'none' },
    } as const;
    const options = base({ coordinator, seed: 3, profile: () => ({ leaves: 1 }) });
    await expect(simulateFederation(options)).rejects.toMatchObject({
      code: 'SIMULATION_FAILED',
      seed: 3,
      message: expect.stringMatching(/^seed 3, after \d+(\.\d+)? ms: nobody is at work any more/),
    });
    await expect(simulateFederation(base({ timeLimitMs: 700 }))).rejects.toThrow('within 700 ms');
  });

  it('ends where onMain says so', async () => {
    const versions: number[] = [];
    const { versions: made } = await simulateFederation(
      base({
        onMain: ({ version }) => {
          versions.push(version);
          return version < 4;
        },
      }),
    );
    expect([made, versions]).toEqual([3, [1, 2, 3, 4]]);
  });

  it.each<[string, object]>([
    ['children', { children: 0 }],
    ['createModel', { createModel: undefined }],
    ['speed', { profile: () => ({ speed: 1 }) }],
    ['leaves', { profile: () => ({ leaves: 2 }) }],
    ['behaviour', { profile: () => ({ behaviour: 'evil' }) }],
    ['learningrate', { coordinator: { kind: 'gradients', learningrate: 1 } }],
  ])('refuses: %s', async (name, bad) => {
    await expect(simulateFederation({ ...base(), ...bad } as never)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(name),
    });
  });

  it('has the same main with the reference kernel in every run', async () => {
    const start = kernels.name;
    kernels.select('reference');
    try {
      const values = await Promise.all(
        [0, 1].map(async () => bits((await simulateFederation(base({ versions: 3 }))).main.values)),
      );
      expect(values[0]).toEqual(values[1]);
    } finally {
      kernels.select(start);
    }
  });
});

describe('skewedShards', () => {
  const shareOfMost = (alpha: number): number => {
    const rows = skewedShards({ features, labels }, { alpha, rowsPerChild: 200 });
    const shares = Array.from({ length: 60 }, (_, child) => {
      const counts = classes.map((digit) => rows(child).labels.filter((label) => label === digit).length);
      return Math.max(...counts) / 200;
    });
    return shares.reduce((sum, share) => sum + share, 0) / 60;
  };

  it('is skewed as the parameter says: from one label a child to all alike', () => {
    expect(shareOfMost(0.01)).toBeGreaterThan(0.9);
    expect(shareOfMost(1)).toBeGreaterThan(0.2);
    expect(shareOfMost(1)).toBeLessThan(0.5);
    expect(shareOfMost(1_000)).toBeLessThan(0.17);
  });

  it('gives a child the same rows each time, with their own labels', () => {
    const rows = skewedShards({ features, labels }, { rowsPerChild: 20, seed: 5 });
    expect(rows(77)).toEqual(rows(77));
    expect(rows(77)).not.toEqual(rows(78));
    for (const [i, row] of rows(3).features.entries())
      expect(rows(3).labels[i]).toBe(labels[features.indexOf(row)]);
  });

  it('refuses what it cannot use', () => {
    expect(() => skewedShards({ features, labels: [] })).toThrow('1797 rows and 0 labels');
    expect(() => skewedShards({ features, labels }, { alpha: 0 })).toThrow('alpha is 0');
  });
});
