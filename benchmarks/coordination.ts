// How many rounds, how much time and how much accuracy the ways to coordinate children take: papers' tables, small, on the
// digits, at virtual time. Nothing here is a time of this machine.
import type { ModeOption } from 'mainstem';
import type { Run, Shards, Split, Way } from './contenders/federation.ts';
import { digitShards, medianOf, simulate } from './contenders/federation.ts';
import { always, type Steps, seldom } from './contenders/localSteps.ts';
import type { Effort, Table } from './harness.ts';
import { format, median } from './harness.ts';

export async function measure({ scale }: Effort): Promise<Table[]> {
  const seeds = scale === 1 ? [1, 2, 3, 4, 5] : [1];
  return [averagingTable(seeds), modesTable(seeds), serverTable(seeds), localStepsTable(seeds, scale)];
}

/** McMahan et al. 2017, table 2. */
function averagingTable(seeds: readonly number[]): Table {
  const options = { mode: { mode: 'synchronous', children: 5, ask: 5, deadline: 'none' } } as const;
  // The best rates of 0.5, 0.7, 1, 1.5 for one step, and of 0.1, 0.2, 0.3, 0.5 for epochs: for each split.
  const ways = [
    { name: 'FedSGD: one step on all its rows', epochs: 1, batchSize: 10_000, rates: [1, 0.7] },
    { name: 'FedAvg, 5 epochs', epochs: 5, batchSize: 10, rates: [0.2, 0.2] },
    { name: 'FedAvg, 20 epochs', epochs: 20, batchSize: 10, rates: [0.3, 0.2] },
  ];
  const rows: string[][] = ways.map(({ name }) => [name]);
  for (const [column, split] of (['iid', 'two shards'] as const).entries()) {
    const shards = (seed: number): Shards => digitShards(20, split, seed);
    const rounds = ways.map(({ epochs, batchSize, rates }) => {
      const training = { epochs, batchSize, learningRate: rates[column]! };
      return medianOf(seeds, { shards, run: { training, options }, goal: 0.95, of: 'version' });
    });
    for (const [i, count] of rounds.entries()) {
      const bar = i === 2 ? ` (bar ${split === 'iid' ? 10 : 2})` : '';
      rows[i]!.push(format(count), `${format(rounds[0]! / count)}×${bar}`);
    }
  }
  return {
    title: 'Rounds to 95 %: FedAvg against FedSGD',
    note: `20 children of the digits, 5 a round, a 64-32-10 network, batches of 10, each way with its best learning rate; medians of ${seeds.length} seeds. Ratios are to FedSGD.`,
    columns: ['', 'rounds, iid', 'fewer', 'rounds, two shards each', 'fewer'],
    rows,
  };
}

/** Nguyen et al. 2022, figure 3. */
function modesTable(seeds: readonly number[]): Table {
  const training = { learningRate: 0.4, epochs: 5, batchSize: 10 };
  const shards = (seed: number): Shards => digitShards(80, 'two shards', seed);
  /** Half-normal, by Box and Muller. */
  const duration: Way['duration'] = (random) =>
    Math.abs(Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next()));
  const rounds = (children: number): Way => {
    const mode = { mode: 'synchronous', children, ask: 20, deadline: 'none' } as const;
    return { training, duration, options: { mode } };
  };
  const always = (mode: ModeOption): Way => ({ training, duration, atOnce: 20, options: { mode } });
  const ways: [string, Way][] = [
    ['synchronous, 20 a round', rounds(20)],
    ['the first 15 of 20', rounds(15)],
    ['buffered, 10 (FedBuff)', always({ mode: 'buffered', updates: 10 })],
    ['buffered, 5 (FedBuff)', always({ mode: 'buffered', updates: 5 })],
    ['asynchronous (FedAsync)', always({ mode: 'asynchronous', mixing: 0.2, stalenessMax: 64 })],
  ];
  const times = ways.map(([, run]) => medianOf(seeds, { shards, run, goal: 0.9, of: 'time' }));
  return {
    title: 'Simulated time to 90 %: modes',
    note: `80 children of the digits, two shards each, 20 of them at work at once, half-normal training times of scale 1, five epochs in batches of 10, each way with the best learning rate of 0.1, 0.2 and 0.4, which is the same; medians of ${seeds.length} seeds.`,
    columns: ['', 'time', 'synchronous takes', 'the first 15 of 20 take'],
    rows: ways.map(([name], i) => [
      name,
      format(times[i]!),
      `${format(times[0]! / times[i]!)}×${i === 2 ? ' (bar 3)' : ''}`,
      `${format(times[1]! / times[i]!)}×${i === 2 ? ' (bar 1.5)' : ''}`,
    ]),
  };
}

/** Reddi et al. 2021, figure 1. */
function serverTable(seeds: readonly number[]): Table {
  const training = { learningRate: 0.1, epochs: 5, batchSize: 10 };
  const mode = { mode: 'synchronous', children: 5, ask: 5, deadline: 'none' } as const;
  const adaptive = { beta2: 0.99, epsilon: 1e-3 } as const;
  const ways: [string, Run['options']][] = [
    ['FedAvg', { mode }],
    ['FedAvgM', { mode, serverOptimizer: { name: 'momentum', momentum: 0.9 } }],
    ['FedAdam', { mode, serverOptimizer: { name: 'adam', ...adaptive }, serverLearningRate: 0.05 }],
    ['FedYogi', { mode, serverOptimizer: { name: 'yogi', ...adaptive }, serverLearningRate: 0.05 }],
    ['FedAdagrad', { mode, serverOptimizer: { name: 'adaGrad', epsilon: 1e-3 }, serverLearningRate: 0.1 }],
  ];
  const split: Split = 'two shards';
  const at = (options: Run['options'], versions: number): number =>
    100 *
    median(
      seeds.map((seed) => {
        const run = { shards: digitShards(20, split, seed), training, options, seed };
        return simulate(run, () => false, versions).accuracy;
      }),
    );
  const base = at({ mode }, 5);
  return {
    title: 'Accuracy after few rounds: server optimizers',
    note: `20 children of the digits, two shards each, 5 a round, five epochs in batches of 10; medians of ${seeds.length} seeds.`,
    columns: ['', 'round 5, %', 'above FedAvg, points', 'round 20, %'],
    rows: ways.map(([name, options]) => {
      const early = at(options, 5);
      const bar = name === 'FedAvgM' || name === 'FedAdam' ? ' (bar +15 for one)' : '';
      return [name, format(early), `${format(early - base)}${bar}`, format(at(options, 20))];
    }),
  };
}

/** Douillard et al. 2023, section 3. */
function localStepsTable(seeds: readonly number[], scale: number): Table {
  const [epochs, rounds] = [8, Math.max(1, Math.round(13 * scale))];
  const outer = { serverOptimizer: { name: 'nesterov', momentum: 0.9 }, serverLearningRate: 0.7 } as const;
  const ways: [string, (steps: Steps) => number][] = [
    ['synchronous, at each step', always],
    ['every 48 steps, averaged', (steps) => seldom(steps, {})],
    ['every 48 steps, outer Nesterov (DiLoCo)', (steps) => seldom(steps, outer)],
  ];
  const rows: string[][] = ways.map(([name]) => [name]);
  const columns = [''];
  for (const split of ['iid', 'two shards'] as const)
    for (const learningRate of [0.001, 0.003]) {
      columns.push(`${split}, rate ${learningRate}`);
      for (const [i, [, run]] of ways.entries()) {
        const accuracies = seeds.map((seed) =>
          run({ shards: digitShards(8, split, seed), learningRate, seed, rounds, epochs }),
        );
        rows[i]!.push(format(median(accuracies)));
      }
    }
  return {
    title: 'Accuracy with few exchanges: DiLoCo',
    note: `8 children of the digits, ${48 * rounds} steps of AdamW in batches of 30, %; medians of ${seeds.length} seeds. Bars: with DiLoCo at most 1.2 points below synchronous, iid; 5 points above averaging, two shards.`,
    columns,
    rows,
  };
}
