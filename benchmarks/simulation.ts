// Thousands of simulated children in one thread: how long, and how much memory. Each case has a process of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LogisticRegression, MemoryStore, NeuralNetwork } from 'mainstem';
import { simulateFederation, skewedShards } from 'mainstem/testing';
import { digitLayers, digitShards, digits } from './contenders/federation.ts';
import type { Effort, Table } from './harness.ts';
import { format } from './harness.ts';

interface Case {
  readonly children: number;
  readonly atOnce: number;
  readonly rounds: number;
  readonly isLogged: boolean;
}

interface Outcome {
  readonly seconds: number;
  readonly megabytes: number;
  readonly accuracy: number;
  readonly virtualSeconds: number;
}

const own = process.argv.find((word) => word.startsWith('--simulation='))?.slice('--simulation='.length);
if (own !== undefined) console.log(JSON.stringify(await run(JSON.parse(own) as Case)));

export async function measure({ scale }: Effort): Promise<Table[]> {
  const rounds = Math.max(4, Math.round(100 * scale));
  const cases: Case[] = [
    { children: 10_000, atOnce: 100, rounds, isLogged: false },
    { children: 1_000, atOnce: 100, rounds, isLogged: false },
    { children: 1_000_000, atOnce: 100, rounds, isLogged: false },
    { children: 10_000, atOnce: 1_000, rounds: Math.round(rounds / 2), isLogged: false },
    { children: 10_000, atOnce: 100, rounds, isLogged: true },
  ];
  const rows = cases.map((one) => {
    const { seconds, megabytes, accuracy, virtualSeconds } = inProcess(one);
    return [
      `${one.children.toLocaleString('en-US')} children, ${one.atOnce} a round, ${one.rounds} rounds${one.isLogged ? ', logged' : ''}`,
      format(seconds),
      format((one.atOnce * one.rounds) / seconds),
      format(virtualSeconds),
      format(megabytes),
      format(100 * accuracy),
    ];
  });
  return [
    {
      title: 'Simulated federations',
      note: 'Digits, a 64-32-10 network, 50 skewed rows of each child (Dirichlet, 1), five epochs of descent in batches of 10; computers from 0.5 to 2 s, links of 0.1 to 2 MB/s, 5 % of the children leave before their update arrives. Memory is what the heap and its buffers have grown by, at most, after a collection at each tenth main.',
      columns: ['', 'seconds', 'trainings a second', 'virtual seconds', 'memory, MB', 'accuracy, %'],
      rows,
    },
  ];
}

function inProcess(one: Case): Outcome {
  const args = [
    '--expose-gc',
    '--import',
    'tsx',
    fileURLToPath(import.meta.url),
    `--simulation=${JSON.stringify(one)}`,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Outcome;
}

async function run({ children, atOnce, rounds, isLogged }: Case): Promise<Outcome> {
  const { children: all, test } = digitShards(1, 'iid', 1);
  const rows = skewedShards(all[0]!, { rowsPerChild: 50, alpha: 1 });
  const used = (): number => {
    (globalThis as { gc?: () => void }).gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 1e6;
  };
  const createModel = (): NeuralNetwork =>
    new NeuralNetwork({
      layers: digitLayers,
      classes: [...digits],
      learningRate: 0.1,
      batchSize: 10,
      optimizer: 'gradientDescent',
      maximumNumberOfIterations: 5,
    });
  // What is loaded and compiled at first is not what a federation takes.
  await simulateFederation({
    children: 10,
    versions: 2,
    createModel: () => new LogisticRegression({ classes: [...digits] }),
    rows,
  });
  const before = used();
  let most = 0;
  const startMs = performance.now();
  const { main, tookMs } = await simulateFederation({
    children,
    atOnce,
    versions: rounds,
    createModel,
    rows,
    profile: (_, random) => ({
      trainingMs: 500 + 1_500 * random.next(),
      bytesPerSecond: 1e5 + 1.9e6 * random.next(),
      latencyMs: [5, 100],
      leaves: 0.05,
    }),
    ...(isLogged && { log: new MemoryStore() }),
    onMain: ({ version }) => {
      if (version % 10 === 0) most = Math.max(most, used() - before);
    },
  });
  const seconds = (performance.now() - startMs) / 1_000;
  const judge = createModel();
  judge.setModelParameters(main);
  const accuracy = judge.score(test.features, test.labels);
  return { seconds, megabytes: most, accuracy, virtualSeconds: tookMs / 1_000 };
}
