// What children do against drifting apart, and what slow children cost: papers' tables, small, on the digits, at virtual time.
import type { ModeOption } from 'mainstem';
import { ScaffoldModel } from 'mainstem';
import type { Shards, Way } from './contenders/federation.ts';
import { digitShards, medianOf, simulate } from './contenders/federation.ts';
import type { Effort, Table } from './harness.ts';
import { format, median } from './harness.ts';

export async function measure({ scale }: Effort): Promise<Table[]> {
  const seeds = scale === 1 ? [1, 2, 3] : [1];
  return [rulesTable(seeds, scale), slowTable(seeds, scale)];
}

/** Li et al. 2020, Karimireddy et al. 2020 and Wang et al. 2020: what children do against drifting apart. */
function rulesTable(seeds: readonly number[], scale: number): Table {
  const options = { mode: { mode: 'synchronous', children: 5, ask: 5, deadline: 'none' } } as const;
  const shards = (seed: number): Shards => digitShards(20, 'two shards', seed);
  const rates = scale === 1 ? [0.03, 0.1, 0.2] : [0.1];
  const ways: [string, Pick<Way, 'rule'> & { readonly proximal?: number }][] = [
    ['FedAvg', {}],
    ['FedProx, μ = 0.01', { proximal: 0.01 }],
    ['FedProx, μ = 0.1', { proximal: 0.1 }],
    ['SCAFFOLD', { rule: (model) => new ScaffoldModel(model, { participation: 0.25 }) }],
  ];
  const rows = ways.map(([name, { rule, proximal = 0 }]) => {
    const rounds = rates.map((learningRate) => {
      const training = { epochs: 10, batchSize: 10, learningRate, proximal };
      return medianOf(seeds, {
        shards,
        run: { training, options, ...(rule && { rule }) },
        goal: 0.9,
        of: 'version',
        versionsMax: Math.round(400 * scale),
      });
    });
    return [name, ...rounds.map(format), format(Math.min(...rounds))];
  });
  return {
    title: 'Rounds to 90 %: rules of local training',
    note: `20 children of the digits, two shards each, 5 a round, ten epochs in batches of 10; medians of ${seeds.length} seeds. Bar: SCAFFOLD takes fewer than FedAvg.`,
    columns: ['', ...rates.map((rate) => `rounds, rate ${rate}`), 'the best'],
    rows,
  };
}

/** Nguyen et al. 2022, section 5: how much staleness costs. */
function slowTable(seeds: readonly number[], scale: number): Table {
  const training = { learningRate: 0.2, epochs: 5, batchSize: 10 };
  const versions = Math.max(5, Math.round(200 * scale));
  const ways: [string, ModeOption][] = [
    ['buffered, 10 (FedBuff)', { mode: 'buffered', updates: 10, stalenessMax: 64 }],
    [
      'without weights for staleness',
      { mode: 'buffered', updates: 10, stalenessMax: 64, stalenessWeight: 'none' },
    ],
    ['asynchronous (FedAsync)', { mode: 'asynchronous', mixing: 0.2, stalenessMax: 64 }],
  ];
  const rows = ways.map(([name, mode]) => {
    const [all, slow] = [0, 0.3].map((share) => {
      const ends = seeds.map((seed) => {
        const shards = digitShards(80, 'two shards', seed);
        // Which rows a child has is drawn, so that its number says nothing of them.
        const duration: Way['duration'] = (random, child) =>
          (0.5 + random.next()) * (child < share * shards.children.length ? 10 : 1);
        const count = mode === ways[2]![1] ? 10 * versions : versions;
        return simulate(
          { shards, training, duration, atOnce: 20, options: { mode }, seed },
          () => false,
          count,
        );
      });
      return {
        accuracy: 100 * median(ends.map((end) => end.accuracy)),
        time: median(ends.map((end) => end.time)),
      };
    });
    const lost = slow!.accuracy - all!.accuracy;
    const bar = name.includes('FedBuff') ? ' (bar −1)' : '';
    return [
      name,
      format(all!.accuracy),
      format(slow!.accuracy),
      `${format(lost)}${bar}`,
      `${format(slow!.time / all!.time)}×`,
    ];
  });
  return {
    title: 'Accuracy with slow children: staleness',
    note: `80 children of the digits, two shards each, 20 of them at work at once; 30 % take 10 times as long as the others. After ${10 * versions} updates; medians of ${seeds.length} seeds.`,
    columns: ['', 'no slow ones, %', '30 % slow, %', 'points', 'time'],
    rows,
  };
}
