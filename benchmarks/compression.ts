// What the codecs of mainstem/compression save on the wire, and what they cost in accuracy: the table of every paper about
// them, small, on the digits. Bytes are counted where they are sent; nothing here is a time of this machine, but for the
// last table.
import type { Child, NeuralNetworkOptions } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  NeuralNetwork,
  seededRandom,
} from 'mainstem';
import type { CodecOption, CompressionOptions } from 'mainstem/compression';
import { compression } from 'mainstem/compression';
import type { Traffic } from './contenders/countedFederation.ts';
import { BatchModel, CountingTransport, join } from './contenders/countedFederation.ts';
import type { Rows, Shards } from './contenders/federation.ts';
import { digitLayers, digitShards, digits } from './contenders/federation.ts';
import type { Effort, Table } from './harness.ts';
import { compare, format, median } from './harness.ts';

const workers = 4;
const batchSize = 32;

export async function measure(effort: Effort): Promise<Table[]> {
  const seeds = effort.scale === 1 ? [1, 2, 3] : [1];
  const steps = Math.max(8, Math.round(660 * effort.scale));
  return [
    await accuracyTable(seeds, steps),
    await bytesTable(),
    await localStepsTable(seeds, effort.scale),
    await speedTable(effort),
  ];
}

interface Way extends CompressionOptions {
  readonly name: string;
  readonly bar?: number;
}

const ways: readonly Way[] = [
  { name: 'as it is' },
  { name: 'float16', updates: 'float16' },
  { name: 'int8, stochastic', updates: 'int8' },
  { name: '4 bit, stochastic (QSGD)', updates: 'int4', bar: 7.5 },
  { name: 'ternary (TernGrad)', updates: 'ternary' },
  { name: '1 bit, error feedback', updates: 'oneBit', bar: 30 },
  { name: '1 bit without', updates: { codec: 'oneBit', errorFeedback: false } },
  { name: 'top 1 %, error feedback', updates: 'topK', bar: 60 },
  { name: 'top 1 % without', updates: { codec: 'topK', errorFeedback: false } },
  { name: 'PowerSGD, rank 2, error feedback', updates: 'powerSGD' },
  { name: 'top 1 %, and main in 8 bits', updates: 'topK', main: 'int8' },
  { name: '4 bit, and main in 4 bits', updates: 'int4', main: 'int4' },
  { name: '1 bit, and main in 1 bit', updates: 'oneBit', main: 'oneBit' },
];

function networkOf(layers: NonNullable<NeuralNetworkOptions['layers']>, seed: number): NeuralNetwork {
  return new NeuralNetwork({ layers, classes: [...digits], optimizer: 'gradientDescent', seed });
}

/** A federation that takes a step of descent with each update of all workers. */
async function descend(
  { updates, main }: Way,
  {
    shards,
    layers,
    seed,
    steps,
  }: { shards: Shards; layers: typeof digitLayers; seed: number; steps: number },
): Promise<{ accuracy: number; up: Traffic; down: Traffic }> {
  const transport = new CountingTransport();
  const coordinator = new DistributedGradientsCoordinator({
    ...{ childrenPerUpdate: workers, learningRate: 0.3, random: seededRandom(seed, 3) },
    ...(updates === undefined ? {} : { compression: compression({ updates, ...(main && { main }) }) }),
  });
  const judge = networkOf(layers, seed);
  coordinator.setModelParameters(judge.getModelParameters());
  await coordinator.listen(transport);
  const children: Child[] = [];
  for (const [i, rows] of shards.children.entries()) {
    const model = new BatchModel(networkOf(layers, seed), rows, batchSize, seededRandom(seed, 10 + i));
    const options = updates === undefined ? {} : { compression: compression() };
    children.push(
      await join(transport, String(i), model, { ...options, random: seededRandom(seed, 20 + i) }),
    );
  }
  const before = { up: { ...transport.up }, down: { ...transport.down } };
  for (let step = 0; step < steps; step++) {
    for (const child of children) await child.adopt();
    const receipts = await Promise.all(children.map((child) => child.send()));
    await Promise.all(receipts.map(({ committed }) => committed));
  }
  judge.setModelParameters(coordinator.getModelParameters());
  const { features, labels } = shards.test;
  const result = {
    accuracy: 100 * judge.score(features, labels),
    up: less(transport.up, before.up),
    down: less(transport.down, before.down),
  };
  await coordinator.close();
  return result;
}

function less(after: Traffic, before: Traffic): Traffic {
  return {
    frames: after.frames - before.frames,
    payloads: after.payloads - before.payloads,
    messages: after.messages - before.messages,
  };
}

async function accuracyTable(seeds: readonly number[], steps: number): Promise<Table> {
  const rows: string[][] = [];
  let dense = 0;
  for (const way of ways) {
    const runs = [];
    for (const seed of seeds)
      runs.push(
        await descend(way, { shards: digitShards(workers, 'iid', seed), layers: digitLayers, seed, steps }),
      );
    const accuracy = runs.reduce((sum, run) => sum + run.accuracy, 0) / runs.length;
    if (rows.length === 0) dense = accuracy;
    const { up, down } = runs[0]!;
    const difference = accuracy - dense;
    rows.push([
      way.name,
      String(Math.round(up.payloads / up.messages)),
      `${format((4 * 2_410) / (up.payloads / up.messages))}×`,
      `${format((4 * 2_410) / (down.payloads / down.messages))}×`,
      accuracy.toFixed(2),
      `${difference > 0 ? '+' : ''}${difference.toFixed(2)}${way.bar === undefined ? '' : ' (bar −0.5)'}`,
    ]);
  }
  return {
    title: 'Accuracy with compressed gradients',
    note: `${workers} children of the digits, ${steps} steps of descent along the mean of their gradients, a 64-32-10 network (2,410 values), batches of ${batchSize}, a rate of 0.3; means of ${seeds.length} seeds.`,
    columns: [
      '',
      'payload upward, bytes',
      'fewer',
      'main downward, fewer',
      'accuracy, %',
      'to dense, points',
    ],
    rows,
  };
}

/** The digits, each pixel of 8 × 8 in some of 28 × 28. */
function enlarged({ features, labels }: Rows): Rows {
  const places = Array.from({ length: 784 }, (_, at) => {
    const [row, column] = [Math.floor(at / 28), at % 28];
    return 8 * Math.floor((row * 8) / 28) + Math.floor((column * 8) / 28);
  });
  return { labels, features: features.map((pixels) => places.map((place) => pixels[place]!)) };
}

async function bytesTable(): Promise<Table> {
  const { children, test } = digitShards(workers, 'iid', 1);
  const shards = { children: children.map(enlarged), test: enlarged(test) };
  const layers = [
    784,
    { units: 128, activation: 'relu' },
    { units: 10, activation: 'softmax' },
  ] as typeof digitLayers;
  const values = 784 * 128 + 128 + 128 * 10 + 10;
  const rows = [];
  for (const way of ways.filter(({ name }) => !name.endsWith('without'))) {
    const { up, down } = await descend(way, { shards, layers, seed: 1, steps: 6 });
    const bar = way.bar === undefined ? '' : ` (bar ${way.bar})`;
    rows.push([
      way.name,
      String(Math.round(up.payloads / up.messages)),
      `${format((4 * values * up.messages) / up.payloads)}×${bar}`,
      `${format((4 * values * up.messages) / up.frames)}×${bar}`,
      `${format((4 * values * down.messages) / down.frames)}×`,
    ]);
  }
  return {
    title: 'Bytes of an update on the wire',
    note: `Gradients of a 784-128-10 network (${values.toLocaleString('en')} values in float32), of ${workers} children over 6 steps. Frames are all bytes of the connections: heads, receipts and commits too.`,
    columns: ['', 'payload upward, bytes', 'payloads, fewer', 'frames, fewer', 'frames downward, fewer'],
    rows,
  };
}

/** Local AdamW whose differences are packed, over connections. */
async function localSteps(
  shards: Shards,
  { updates, main, seed, rounds }: CompressionOptions & { seed: number; rounds: number },
): Promise<{ accuracy: number; up: number; both: number }> {
  const transport = new CountingTransport();
  const coordinator = new DistributedModelParametersCoordinator({
    mode: { mode: 'synchronous', children: shards.children.length, deadline: 'none' },
    ...{ serverOptimizer: { name: 'nesterov', momentum: 0.9 }, serverLearningRate: 0.7 },
    ...(updates === undefined ? {} : { compression: compression({ updates, ...(main && { main }) }) }),
    random: seededRandom(seed, 3),
  });
  const create = (): NeuralNetwork =>
    new NeuralNetwork({
      ...{ layers: digitLayers, classes: [...digits], optimizer: 'adamW', learningRate: 0.001 },
      ...{ batchSize: 30, seed, maximumNumberOfIterations: 8 },
    });
  const judge = create();
  coordinator.setMainModelParameters(judge.getModelParameters());
  await coordinator.listen(transport);
  const children: Child[] = [];
  for (const i of shards.children.keys()) {
    const options = updates === undefined ? {} : { compression: compression() };
    children.push(
      await join(transport, String(i), create(), { ...options, random: seededRandom(seed, 20 + i) }),
    );
  }
  const before = { up: transport.up.frames, down: transport.down.frames };
  for (let round = 0; round < rounds; round++) {
    const sent = await Promise.all(
      children.map((child, i) => child.train(shards.children[i]!.features, shards.children[i]!.labels)),
    );
    await Promise.all(sent.map(({ receipt }) => receipt.committed));
  }
  const up = transport.up.frames - before.up;
  const both = up + transport.down.frames - before.down;
  judge.setModelParameters(coordinator.getMainModelParameters());
  const accuracy = 100 * judge.score(shards.test.features, shards.test.labels);
  await coordinator.close();
  return { accuracy, up, both };
}

/** DiLoCo, whose differences are sent in part only. */
async function localStepsTable(seeds: readonly number[], scale: number): Promise<Table> {
  const rounds = Math.max(2, Math.round(26 * scale));
  const steps = 48 * rounds;
  const each = 8 * 4 * 2_410 * steps;
  const options: [string, CompressionOptions][] = [
    ['DiLoCo', {}],
    ['DiLoCo, top 1 % up', { updates: 'topK' }],
    ['DiLoCo, top 1 % up, main in 4 bits', { updates: 'topK', main: 'int4' }],
    ['DiLoCo, top 1 % up, top 10 % down', { updates: 'topK', main: { codec: 'topK', share: 0.1 } }],
  ];
  const rows = [];
  for (const [name, codecs] of options) {
    const runs = [];
    for (const seed of seeds)
      runs.push(await localSteps(digitShards(8, 'iid', seed), { ...codecs, seed, rounds }));
    const accuracy = median(runs.map((run) => run.accuracy));
    const { up, both } = runs[0]!;
    rows.push([name, `${format(each / up)}×`, `${format((2 * each) / both)}×`, accuracy.toFixed(2)]);
  }
  return {
    title: 'Few exchanges, and little in each: DiLoCo with compression',
    note: `8 children of the digits, alike, ${steps} steps of AdamW at a rate of 0.001 in batches of 30, an exchange each 48; medians of ${seeds.length} seeds. All bytes of all frames, beside float32 gradients up and main down at each step. Bar: 1,000.`,
    columns: ['', 'fewer bytes upward', 'both ways', 'accuracy, %'],
    rows,
  };
}

/** What packing costs. */
async function speedTable(effort: Effort): Promise<Table> {
  const layout = networkOf(
    [784, { units: 1_024, activation: 'relu' }, { units: 10, activation: 'softmax' }],
    1,
  ).getModelParameters().layout;
  const random = seededRandom(1);
  const values = new Float32Array(layout.length).map(() => random.next() - random.next());
  const codecs: CodecOption[] = [
    'bfloat16',
    'int8',
    'int4',
    'oneBit',
    'ternary',
    'topK',
    'randomK',
    'powerSGD',
  ];
  const { read } = compression();
  const rows = [];
  for (const updates of codecs) {
    const compressor = compression({ updates }).compressUpdates('"none"', layout, random)!;
    const { payload } = compressor.compress(values);
    const target = new Float32Array(layout.length);
    const [pack, unpack] = await compare(
      [
        { name: 'pack', run: () => compressor.compress(values).adopt() },
        { name: 'unpack', run: () => read(payload, target) },
      ],
      effort,
    );
    const million = (ms: number): string => format((ms * 1e6) / layout.length);
    rows.push([String(updates), million(pack!.ms), million(unpack!.ms)]);
  }
  return {
    title: 'Packing and unpacking',
    note: `Milliseconds for a million values, of an update of ${layout.length.toLocaleString('en')}. Packing has its own unpacking in it: what is left is what the other end does not get.`,
    columns: ['', 'packing, ms', 'unpacking, ms'],
    rows,
  };
}
