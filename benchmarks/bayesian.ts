// Sweeps of expectation propagation over the rows of a probit classifier: with independent weights, and with a full covariance
// beside the same loop in NumPy.
import { seededRandom } from 'mainstem';
import { BayesPointMachine, uniformBeliefs } from 'mainstem/bayesian';
import { startPython } from './contenders/python.ts';
import type { Work } from './contenders/table.ts';
import { measureWork, tableOfPeers } from './contenders/table.ts';
import type { Contender, Effort, Table } from './harness.ts';
import { compare, format } from './harness.ts';

interface ProbitRows {
  readonly data: Float64Array<ArrayBuffer>;
  readonly rows: number;
  readonly columns: number;
  readonly labels: number[];
}

function probitRows(rows: number, columns: number): ProbitRows {
  const random = seededRandom(1);
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < data.length; i++) data[i] = 2 * random.next() - 1;
  const labels = Array.from({ length: rows }, (_, row) =>
    data[row * columns]! + data[row * columns + 1]! + 0.5 * (2 * random.next() - 1) > 0 ? 1 : 0,
  );
  return { data, rows, columns, labels };
}

export async function measure(effort: Effort): Promise<Table[]> {
  return [await factorisedTable(effort), await fullTable(effort)];
}

async function factorisedTable(effort: Effort): Promise<Table> {
  const cases = [
    { rows: Math.round(200_000 * effort.scale), columns: 10, bar: 2_000_000 },
    { rows: Math.round(20_000 * effort.scale), columns: 100, bar: 450_000 },
  ];
  const rows: string[][] = [];
  for (const { rows: count, columns, bar } of cases) {
    const { labels, ...features } = probitRows(count, columns);
    const machine = new BayesPointMachine({ covariance: 'diagonal' });
    machine.observe(features, labels);
    const nothing = uniformBeliefs(machine.prior);
    const [one] = await compare([{ name: 'sweep', run: () => machine.computeMessage(nothing) }], effort);
    rows.push([
      `${columns} features, ${count.toLocaleString('en-US')} rows`,
      `${Math.round(count / (one!.ms / 1_000)).toLocaleString('en-US')} (bar ${bar.toLocaleString('en-US')})`,
      format(one!.ms),
    ]);
  }
  return {
    title: 'Expectation propagation, independent weights',
    note: 'A whole message: a sweep over all rows, and their sites added up. One thread.',
    columns: ['', 'rows a second', 'ms'],
    rows,
  };
}

async function fullTable(effort: Effort): Promise<Table> {
  const { labels, ...features } = probitRows(1_000, 100);
  const sweeps = 2;
  const ours = (): ArrayLike<number> => {
    const machine = new BayesPointMachine();
    machine.observe(features, labels);
    const nothing = uniformBeliefs(machine.prior);
    for (let sweep = 1; sweep < sweeps; sweep++) machine.computeMessage(nothing);
    return machine.computeMessage(nothing).weights!.natural.subarray(0, features.columns);
  };
  const units = sweeps * features.rows;
  const python = await startPython(['numpy']);
  const peers: Contender[] = [];
  if (python !== undefined) {
    const numpy = await python.prepare(
      'NumPy',
      'bayesian.ProbitSweeps',
      {
        features: python.write('features', features.data),
        labels: python.write(
          'signs',
          Float64Array.from(labels, (label) => (label ? 1 : -1)),
        ),
        ...{ rows: features.rows, columns: features.columns, sweeps },
      },
      units,
    );
    const [mine, theirs] = [ours(), await numpy.result()];
    for (const [i, value] of theirs.entries())
      if (!(Math.abs(mine[i]! - value) < 1e-6 * (1 + Math.abs(value))))
        throw new Error(`h[${i}]: ${mine[i]}, NumPy ${value}`);
    peers.push(numpy);
  }
  const work: Work = {
    name: `${features.columns} features, a row`,
    ours: { name: 'mainstem', units, run: ours },
    peers,
    bars: [{ atLeast: 0.5, of: 'NumPy', peers: ['NumPy'] }],
  };
  const row = await measureWork(work, effort);
  python?.close();
  return tableOfPeers(
    'Expectation propagation, full covariance',
    'CPU time of a row in a sweep, 1,000 rows, two sweeps, the message of all rows with it. The bar: at most twice the time of the same loop in NumPy.',
    [row],
  );
}
