import { describe, expect, it } from 'vitest';
import { activationCodes } from '../../src/kernels/wasm/codes.ts';
import type { ActivationName } from '../../src/models/activations.ts';
import { activationNamed } from '../../src/models/activations.ts';
import { createLoss } from '../../src/models/createLoss.ts';
import type { DenseNetwork } from '../../src/models/DenseNetwork.ts';
import { outputsOf, planNetwork } from '../../src/models/DenseNetwork.ts';
import type { LossName, Targets } from '../../src/models/losses.ts';
import type { SessionPlan } from '../../src/models/sessions.ts';
import { createEvaluator, createTraining } from '../../src/models/sessions.ts';
import { AdamW } from '../../src/optimizers/AdamW.ts';
import { GradientDescent } from '../../src/optimizers/GradientDescent.ts';
import { Momentum } from '../../src/optimizers/Momentum.ts';
import { createOptimizerState } from '../../src/optimizers/Optimizer.ts';
import type { DataType, Values } from '../../src/parameters/values.ts';
import { createValues } from '../../src/parameters/values.ts';
import type { Random } from '../../src/random.ts';
import { seededRandom, shuffle } from '../../src/random.ts';
import { relativeDistance } from '../models/support.ts';
import { builds, dataTypes, normalValues, withKernels } from './wasmSupport.ts';

const sizes = [1, 2, 3, 5, 7, 8, 63, 64, 65, 257];
const hidden = [...activationCodes.keys(), 'gelu'] as ActivationName[];
const losses: LossName[] = ['meanSquaredError', 'huber', 'binaryCrossEntropy', 'crossEntropy', 'hinge'];

/** A training that a seed thought of. */
interface Case {
  readonly network: DenseNetwork;
  readonly features: { data: Values; rows: number; columns: number };
  readonly targets: Targets;
  readonly start: Values;
  readonly batchSize: number;
  readonly isSliced: boolean;
  readonly dtype: DataType;
  readonly rule: number;
  readonly name: string;
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(items.length * random.next())]!;
}

function drawCase(dtype: DataType, seed: number): Case {
  const random = seededRandom(seed, 77);
  const loss = createLoss(pick(losses, random));
  const depth = Math.floor(3 * random.next());
  const rows = pick(sizes, random);
  const units = Array.from({ length: depth + 2 }, () => pick(sizes, random));
  // Softmax has two outputs at least; and three sizes of 257 on end are too much for a test.
  if (loss.name === 'crossEntropy') units[depth + 1] = Math.max(2, units[depth + 1]!);
  while (units.filter((size) => size === 257).length > 2) units[units.lastIndexOf(257)] = 5;
  const activations = units.map((size) => {
    const name = pick(hidden, random);
    return name === 'softmax' && size === 1 ? 'tanh' : name;
  });
  const last = loss.fusesWith ?? pick(['identity', 'tanh', 'softplus'] as const, random);
  const hasBias = random.next() < 0.8;
  const plans = units.slice(1).map((outputs, index) => ({
    inputs: units[index]!,
    outputs,
    activation: activationNamed(index === depth ? last : activations[index]!),
    hasBias,
    prefix: `layers.${index}.`,
  }));
  const network = planNetwork(plans, loss, {});
  const columns = units[0]!;
  const start = normalValues(dtype, network.layout.length, random);
  network.layers.forEach((layer) => {
    const end = layer.weights + layer.inputs * layer.outputs;
    for (let i = layer.weights; i < end; i++) start[i] = start[i]! / Math.sqrt(layer.inputs);
  });
  return {
    network,
    features: { data: normalValues(dtype, rows * columns, random), rows, columns },
    targets: drawTargets(network, dtype, rows, random),
    start,
    batchSize: Math.min(rows, pick(sizes, random)),
    isSliced: random.next() < 0.5,
    dtype,
    rule: Math.floor(3 * random.next()),
    name: `seed ${seed}: ${rows} rows, ${units.join('-')}, ${activations}, ${loss.name}, bias ${hasBias}`,
  };
}

function drawTargets(network: DenseNetwork, dtype: DataType, rows: number, random: Random): Targets {
  const columns = outputsOf(network);
  if (network.loss.name === 'crossEntropy') {
    const indices = Int32Array.from({ length: rows }, () => Math.floor(columns * random.next()));
    return { kind: 'classes', indices };
  }
  const values = createValues(dtype, rows * columns);
  for (let i = 0; i < values.length; i++) {
    const x = random.next();
    values[i] = network.loss.name === 'hinge' ? (x < 0.5 ? -1 : 1) : x;
  }
  return { kind: 'rows', values, columns };
}

/** Cost and summed gradient by an evaluator, in chunks of its own size. */
function evaluate({ network, features, targets, dtype, start, isSliced }: Case) {
  const evaluator = createEvaluator({ network, features, targets, dtype }, isSliced);
  evaluator.begin(start);
  for (let first = 0; first < features.rows; first += evaluator.chunkRows) {
    evaluator.add(first, Math.min(evaluator.chunkRows, features.rows - first), true);
  }
  const gradient = new Float64Array(start.length);
  evaluator.readGradient(gradient);
  const withGradient = evaluator.cost;
  evaluator.begin(start);
  for (let first = 0; first < features.rows; first += evaluator.chunkRows) {
    evaluator.add(first, Math.min(evaluator.chunkRows, features.rows - first), false);
  }
  const { cost } = evaluator;
  evaluator.release();
  expect(cost).toBe(withGradient);
  return { cost, gradient };
}

/** Two passes of a training. */
function train({ network, features, targets, dtype, start, isSliced, batchSize, rule, name }: Case) {
  const optimizer = [new GradientDescent(), new Momentum(), new AdamW({ epsilon: 0.1 })][rule]!;
  const values = start.slice();
  const plan: SessionPlan = {
    network,
    features,
    targets,
    dtype,
    values,
    rule: {
      optimizer,
      state: createOptimizerState(optimizer, values.length),
      learningRate: 0.01,
      schedule: undefined,
      round: 0,
      clipping: undefined,
      term: undefined,
      trainable: undefined,
    },
    penalty: { l1: 0, l2: name.length % 2 === 0 ? 0.01 : 0 },
    dropout: { shares: [], random: seededRandom(1) },
    batchSize,
    savedGradient: undefined,
    isSliced,
  };
  const session = createTraining(plan);
  const costs: number[] = [];
  const order =
    batchSize < features.rows ? Int32Array.from({ length: features.rows }, (_, i) => i) : undefined;
  const shuffling = seededRandom(4);
  for (let pass = 0; pass < 2; pass++) {
    if (order !== undefined) shuffle(order, shuffling);
    session.begin(order);
    for (let batch = 0; batch < features.rows; batch += batchSize) {
      const end = Math.min(features.rows, batch + batchSize);
      let first = batch;
      for (; first + session.chunkRows < end; first += session.chunkRows)
        session.add(first, session.chunkRows);
      costs.push(session.complete(first, end - first));
    }
  }
  session.sync();
  session.release();
  return { costs, values };
}

describe.each(dataTypes)('shapes from a seed in %s', (dtype) => {
  const [one, many] = dtype === 'float32' ? [1e-5, 3e-4] : [1e-12, 1e-10];

  it.each([0, 1, 2, 3, 4, 5])('have the costs and gradients of the reference, block %i', (block) => {
    for (let seed = 40 * block; seed < 40 * (block + 1); seed++) {
      const drawn = drawCase(dtype, seed);
      const wanted = withKernels('reference', () => evaluate(drawn));
      // The sum of magnitudes is that of rows, of which each has a gradient of the size of the largest.
      const size = Math.max(Math.hypot(...wanted.gradient), 0.1 * drawn.features.rows);
      for (const build of builds) {
        const got = withKernels(build, () => evaluate(drawn));
        expect(Math.abs(got.cost - wanted.cost), drawn.name).toBeLessThan(
          one * Math.max(1, drawn.features.rows / 10, wanted.cost),
        );
        const distance = Math.hypot(...got.gradient.map((g, i) => g - wanted.gradient[i]!));
        expect(distance / size, drawn.name).toBeLessThan(5 * one);
      }
    }
  });

  it.each([0, 1, 2, 3])('train as the reference does, block %i', (block) => {
    for (let seed = 1000 + 25 * block; seed < 1000 + 25 * (block + 1); seed++) {
      const drawn = drawCase(dtype, seed);
      const wanted = withKernels('reference', () => train(drawn));
      for (const build of builds) {
        const got = withKernels(build, () => train(drawn));
        expect(relativeDistance(got.costs, wanted.costs), drawn.name).toBeLessThan(many);
        expect(relativeDistance(got.values, wanted.values), drawn.name).toBeLessThan(many);
      }
    }
  });
});
