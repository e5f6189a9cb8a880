// Sweeps of expectation propagation over the rows of a probit classifier: with independent weights, and with a full covariance
// beside the same loop in NumPy.
import { DistributedModelParametersCoordinator, LogisticRegression, seededRandom } from 'mainstem';
import { BayesPointMachine, MatchboxRecommender, SharedVariables, uniformBeliefs } from 'mainstem/bayesian';
import type { Rows } from './contenders/federation.ts';
import { digitShards, digits } from './contenders/federation.ts';
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
  return [
    await factorisedTable(effort),
    await fullTable(effort),
    digitsTable(effort),
    await matchboxTable(effort),
  ];
}

/** How long an iteration of a recommender takes. */
async function matchboxTable(effort: Effort): Promise<Table> {
  const random = seededRandom(1);
  const [users, items] = [2_000, 500].map((count) => Array.from({ length: count }, (_, i) => `${i}`));
  const count = Math.round(100_000 * effort.scale);
  const ratings = Array.from({ length: count }, () => ({
    user: users![Math.floor(random.next() * users!.length)]!,
    item: items![Math.floor(random.next() * items!.length)]!,
    rating: 1 + Math.floor(5 * random.next()),
  }));
  const machine = new MatchboxRecommender({ users: users!, items: items! });
  machine.observe(ratings);
  const nothing = uniformBeliefs(machine.prior);
  const [one] = await compare([{ name: 'iteration', run: () => machine.computeMessage(nothing) }], effort);
  return {
    title: 'Matchbox',
    note: `A whole message: an iteration over ${count.toLocaleString('en-US')} ratings of 2,000 users and 500 items, four traits. One thread.`,
    columns: ['', 'ratings a second', 'ms'],
    rows: [['an iteration', Math.round(count / (one!.ms / 1_000)).toLocaleString('en-US'), format(one!.ms)]],
  };
}

/** Rows of ten machines, and rows that none of them has seen. */
interface Machines {
  readonly shards: readonly Rows[];
  readonly test: Rows;
}

/** Ten machines of the digits: alike, with two pieces each of the rows sorted by digit, or with one digit each. */
function tenMachines(split: 'alike' | 'two shards' | 'one digit'): Machines {
  if (split !== 'one digit') {
    const { children, test } = digitShards(10, split === 'alike' ? 'iid' : split, 1);
    return { shards: children, test };
  }
  const { children, test } = digitShards(1, 'iid', 1);
  const [{ features, labels }] = children as [Rows];
  const shards = digits.map((digit) => {
    const own = labels.flatMap((label, row) => (label === digit ? [row] : []));
    return { features: own.map((row) => features[row]!), labels: own.map((row) => labels[row]!) };
  });
  return { shards, test };
}

/** Accuracy, and mean log loss, of probabilities of the digits. */
function judge(probabilities: readonly number[][], labels: readonly number[]): [string, string] {
  let [right, loss] = [0, 0];
  for (const [row, shares] of probabilities.entries()) {
    const label = labels[row]!;
    if (shares.indexOf(Math.max(...shares)) === label) right++;
    loss -= Math.log(Math.max(1e-15, shares[label]!));
  }
  return [`${((100 * right) / labels.length).toFixed(1)} %`, (loss / labels.length).toFixed(3)];
}

/** The multi-class machine beside logistic regression that is merged by averaging, each with the best of its settings. */
function digitsTable({ scale }: Effort): Table {
  const rounds = Math.max(2, Math.round(15 * scale));
  const merges = Math.max(2, Math.round(100 * scale));
  const rows = (['alike', 'two shards', 'one digit'] as const).map((split) => {
    const machines = tenMachines(split);
    const merged = [0.1, 0.3, 1].map((learningRate) => averaged(machines, learningRate, merges));
    const best = merged.reduce((a, b) => (Number(b[1]) < Number(a[1]) ? b : a));
    return [split, ...exchanged(machines, rounds), ...best];
  });
  return {
    title: 'The digits over ten machines: beliefs beside parameters',
    note: `${rounds} rounds of messages of a Bayes point machine of ten classes with full covariance (prior variance 4, an intercept), in parallel; logistic regression, ${merges} merges after five steps of descent each, the best of three rates. A fifth of the digits to test with.`,
    columns: ['rows of a machine', 'beliefs', 'log loss', 'averaging', 'log loss'],
    rows,
  };
}

function exchanged({ shards, test }: Machines, rounds: number): [string, string] {
  const options = { classes: digits, fitIntercept: true, priorVariance: 4 };
  const models = shards.map(({ features, labels }) => {
    const model = new BayesPointMachine(options);
    model.observe(features, labels);
    return model;
  });
  const variables = new SharedVariables(models[0]!.prior);
  for (let round = 0; round < rounds; round++) {
    const said = models.map((model, i) => [`${i}`, model.computeMessage(variables.inboxOf(`${i}`))] as const);
    variables.adopt(variables.propose(new Map(said)));
  }
  return judge(models[0]!.predictProbabilities(test.features, variables.posterior), test.labels);
}

function averaged({ shards, test }: Machines, learningRate: number, merges: number): [string, string] {
  const options = { classes: digits, learningRate, maximumNumberOfIterations: 5 };
  const coordinator = new DistributedModelParametersCoordinator({ mode: 'synchronous' });
  const children = shards.map(() => new LogisticRegression(options));
  for (const child of shards.keys()) coordinator.addChild(`${child}`);
  for (let merge = 0; merge < merges; merge++)
    for (const [i, model] of children.entries()) {
      if (coordinator.version > 0 && i === 0)
        for (const child of children) child.setModelParameters(coordinator.getMainModelParameters());
      const { features, labels } = shards[i]!;
      model.train(features, labels);
      coordinator.addModelParameters(model.getModelParameters(), { childId: `${i}` });
    }
  const main = new LogisticRegression(options);
  main.setModelParameters(coordinator.getMainModelParameters());
  return judge(main.predictProbabilities(test.features), test.labels);
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
