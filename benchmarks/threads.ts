// Steps of networks on one thread and on two, by time on the wall: the one figure that threads are for.
import assert from 'node:assert/strict';
import { NeuralNetwork, seededRandom } from 'mainstem';
import { createThreads, type Threads } from 'mainstem/threads';
import type { Contender, Effort, Table } from './harness.ts';
import { compare, format } from './harness.ts';

const batchSize = 128;
const rows = 8 * batchSize;
const classes = 10;

export async function measure(effort: Effort): Promise<Table[]> {
  // gainMin: 0 measures them where they do not pay either. They are left open: idle threads let a process end.
  const threads = await createThreads({ count: 2, gainMin: 0 });
  const cells = [
    await row(threads, [784, 512, 512], effort),
    await row(threads, [784, 128], effort),
    await row(threads, [64, 64], effort),
  ];
  return [
    {
      title: 'Threads',
      note: 'Milliseconds a step of Adam, batch 128, float32, on the wall: `train` on one thread and two threads of mainstem/threads, passes of 8 steps. Expected is the gain by which a training is given threads or not (from 1.2 on). On a machine with other work on its cores two threads gain nothing.',
      columns: ['network', 'one thread', 'two threads', 'gain', 'expected'],
      rows: cells,
    },
  ];
}

async function row(threads: Threads, layers: readonly number[], effort: Effort): Promise<string[]> {
  const random = seededRandom(1);
  const columns = layers[0]!;
  const data = Float32Array.from({ length: rows * columns }, () => random.next() - 0.5);
  const features = { data, rows, columns };
  const labels = Array.from({ length: rows }, (_, index) => index % classes);
  const untrained = new NeuralNetwork({
    layers: [...layers, { units: classes, activation: 'softmax' }],
    batchSize,
  });
  untrained.getModelParameters();
  const options = { maximumNumberOfIterations: Math.max(1, Math.round(4 * effort.scale)) };
  const alone = (): number[] => untrained.clone().train(features, labels, options);
  const together = async (): Promise<readonly number[]> => {
    const { costs, threads: count } = await threads.train(untrained.clone(), features, labels, options);
    assert.equal(count, 2);
    return costs;
  };
  const [expected, got] = [alone(), await together()];
  got.forEach((cost, index) => {
    assert.ok(Math.abs(cost - expected[index]!) < 1e-4 * expected[index]!, `costs ${got} and ${expected}`);
  });
  const units = options.maximumNumberOfIterations * (rows / batchSize);
  const contenders: Contender[] = [
    { name: 'one thread', run: alone, units },
    { name: 'two threads', run: together, units },
  ];
  const [one, two] = await compare(contenders, effort);
  const { speedup } = threads.gain(untrained, rows, batchSize);
  const name = [...layers, classes].join('-');
  return [name, ...[one!.ms, two!.ms, two!.ratio, speedup].map(format)];
}
