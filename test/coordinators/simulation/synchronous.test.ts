import type { NetworkFaults } from 'mainstem/testing';
import { simulate } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import type { Disturbance, SynchronousOptions, SynchronousOutcome } from './synchronous.ts';
import { SynchronousRun } from './synchronous.ts';

/** To replay one seed that failed, put it alone into this list. */
const seeds = Array.from({ length: 40 }, (_, i) => i + 1);
const children = 3;
const rounds = 12;

const all: NetworkFaults = {
  drop: 0.03,
  duplicate: 0.1,
  reorder: 0.05,
  cut: 0.02,
  delayMs: [0, 30],
  halfOpenMs: [0, 500],
};

const cut: Disturbance = async ({ world, children: hosts }) => {
  const host = hosts[Math.floor(hosts.length * world.random.next())] as string;
  world.network.cut(host, { halfOpenMs: 400 * world.random.next() });
};

const partition: Disturbance = async ({ world, children: hosts }) => {
  world.network.partition(hosts.filter(() => world.random.next() < 0.5).concat('nobody'));
  await world.sleep(300 * world.random.next());
  world.network.heal();
};

const play = (seed: number, options: Partial<SynchronousOptions>): Promise<SynchronousOutcome> =>
  simulate({
    seed,
    faults: options.faults ?? {},
    run: (world) => new SynchronousRun(world, { children, rounds, ...options }).play(),
  }).then(({ result }) => result);

const situations: readonly [string, Partial<SynchronousOptions>][] = [
  ['drop', { faults: { drop: 0.05, delayMs: [0, 10] } }],
  ['duplicate', { faults: { duplicate: 0.5, delayMs: [0, 30] } }],
  ['reorder', { faults: { reorder: 0.3, delayMs: [0, 30] } }],
  ['delay', { faults: { delayMs: [0, 200] } }],
  ['cut', { faults: { cut: 0.05 } }],
  ['half-open connections', { faults: { cut: 0.05, delayMs: [0, 10], halfOpenMs: [0, 1_000] } }],
  ['partitions', { disturbances: [partition], faults: { delayMs: [0, 20] } }],
  ['all at once', { faults: all, disturbances: [cut, partition], isDiskFlaky: true }],
  [
    'all at once, in ticks',
    { faults: all, disturbances: [cut, partition], isDiskFlaky: true, drive: 'tick' },
  ],
  ['crashes', { disturbances: [(run) => run.crash()], isDiskFlaky: true, faults: { delayMs: [0, 20] } }],
  [
    'crashes, and all at once',
    { disturbances: [(run) => run.crash(), cut, partition], isDiskFlaky: true, faults: all },
  ],
  [
    'crashes, and all at once, in ticks',
    { disturbances: [(run) => run.crash(), cut, partition], isDiskFlaky: true, faults: all, drive: 'tick' },
  ],
  ['one connection for all', { isShared: true, faults: all, disturbances: [cut, partition] }],
  [
    'one connection for all, and crashes',
    { isShared: true, faults: all, disturbances: [cut, (run) => run.crash()], isDiskFlaky: true },
  ],
  ['successors', { disturbances: [(run) => run.handOver()], faults: { delayMs: [0, 20] } }],
  [
    'successors, and all at once',
    { disturbances: [(run) => run.handOver(), cut, partition], isDiskFlaky: true, faults: all },
  ],
];

describe('main is made of the updates of all children, and is the clean main bit for bit', {
  timeout: 120_000,
}, () => {
  test.each(situations)('%s', async (_name, options) => {
    const clean = await play(0, {});
    expect(clean.version).toBe(rounds + 1);
    expect(clean.counts).toEqual({ accepted: rounds * (children - 1), applied: rounds });
    let disturbed = 0;
    for (const seed of seeds) {
      const { version, main, counts } = await play(seed, options);
      expect({ seed, version, main }).toEqual({ seed, version: clean.version, main: clean.main });
      // Each send has its end, and each update counts.
      expect((counts.accepted ?? 0) + (counts.applied ?? 0)).toBe(rounds * children);
      disturbed += counts.disconnected ?? 0;
    }
    if (_name !== 'delay' && _name !== 'duplicate') expect(disturbed).toBeGreaterThan(seeds.length / 2);
  });
});

describe('updates that wait for nothing are all in main, each once', { timeout: 120_000 }, () => {
  const pipelined = { isPipelined: true, rounds: 40 };
  const crash: Disturbance = (run) => run.crash();
  const handOver: Disturbance = (run) => run.handOver();

  test.each<[string, Partial<SynchronousOptions>]>([
    ['all at once', { faults: all, disturbances: [cut, partition], isDiskFlaky: true }],
    ['in ticks', { faults: all, disturbances: [cut, partition], isDiskFlaky: true, drive: 'tick' }],
    ['one connection for all', { faults: all, isShared: true, disturbances: [cut, partition] }],
    ['crashes', { faults: all, disturbances: [crash, cut], isDiskFlaky: true }],
    ['crashes, in ticks', { faults: all, disturbances: [crash, cut], isDiskFlaky: true, drive: 'tick' }],
    ['successors', { faults: all, disturbances: [handOver, cut], isDiskFlaky: true }],
    ['successors, in ticks', { faults: all, disturbances: [handOver], isDiskFlaky: true, drive: 'tick' }],
  ])('%s', async (_name, options) => {
    const clean = await play(0, pipelined);
    for (const seed of seeds.slice(0, 8)) {
      const { version, main, counts } = await play(seed, { ...pipelined, ...options });
      expect({ seed, version, main }).toEqual({ seed, version: clean.version, main: clean.main });
      expect((counts.accepted ?? 0) + (counts.applied ?? 0)).toBe(40 * children);
    }
  });
});
