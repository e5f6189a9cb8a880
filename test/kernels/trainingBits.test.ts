import { describe, expect, it } from 'vitest';
import { kernels } from '../../src/kernels/selection.ts';
import type { Features } from '../../src/models/features.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import type { Labels } from '../../src/models/labels.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { TrainOptions } from '../../src/models/trainOptions.ts';
import type { OptimizerName } from '../../src/optimizers/createOptimizer.ts';
import type { DataType } from '../../src/parameters/values.ts';
import { seededRandom } from '../../src/random.ts';
import { normalRows, roundRobin } from '../models/support.ts';
import type { AnyModel } from './trainingSupport.ts';
import { digest, network, stateBits } from './trainingSupport.ts';
import { dataTypes, normalValues } from './wasmSupport.ts';

/** Each `next()` of an iterator; returns the costs and how often it paused. */
function drainIterator(
  model: AnyModel,
  features: Features,
  labels: Labels,
  options: TrainOptions,
): [number[], number] {
  const steps = model.trainIterator(features, labels, options);
  for (let pauses = 0; ; pauses++) {
    const step = steps.next();
    if (step.done === true) return [step.value, pauses];
  }
}

/** Trains in all three ways, and returns how often the iterator paused in a pass. */
async function expectSameBits(create: () => AnyModel, features: Features, labels: Labels): Promise<number> {
  const options = { maximumNumberOfIterations: 2 };
  const models = [create(), create(), create(), create()] as const;
  for (const model of models) model.setAreGradientsSaved(true);
  const costs = models[0].train(features, labels, options);
  const asyncCosts = await models[1].trainAsync(features, labels, options);
  const [iteratorCosts, pauses] = drainIterator(models[2], features, labels, options);
  const watched = models[3].train(features, labels, { ...options, onIteration: () => true });
  for (const other of [asyncCosts, iteratorCosts, watched]) expect(digest(other)).toEqual(digest(costs));
  const wanted = stateBits(models[0]);
  const gradient = digest(models[0].getGradients().values);
  for (const model of models) {
    expect(stateBits(model)).toEqual(wanted);
    expect(digest(model.getGradients().values)).toEqual(gradient);
  }
  return pauses / 2;
}

function matrix(
  dtype: DataType,
  rows: number,
  columns: number,
  scale = 1,
): { data: Float32Array | Float64Array; rows: number; columns: number } {
  const data = normalValues(dtype, rows * columns, seededRandom(rows + columns));
  for (let i = 0; i < data.length; i++) data[i] = scale * data[i]!;
  return { data, rows, columns };
}

const optimizer: OptimizerName = 'adam';

describe.each(dataTypes)('in %s train, trainAsync and trainIterator have the same bits', (dtype) => {
  it('of networks that are cut into chunks of whole blocks', async () => {
    const features = matrix(dtype, 500, 64);
    const labels = roundRobin(500, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const layers = [
      64,
      { units: 256, activation: 'tanh' as const },
      { units: 10, activation: 'softmax' as const },
    ];
    // 19,210 parameters: chunks of 192 rows.
    const pauses = await expectSameBits(
      () => new NeuralNetwork({ layers, dtype, batchSize: 500, optimizer, seed: 1 }),
      features,
      labels,
    );
    expect(pauses).toBe(3);
    await expectSameBits(
      () => new NeuralNetwork({ layers, dtype, batchSize: 230, seed: 1 }),
      features,
      labels,
    );
  });

  it('of networks that are cut into a few rows', async () => {
    const features = matrix(dtype, 61, 300);
    const layers = [
      300,
      { units: 440, activation: 'silu' as const },
      { units: 5, activation: 'softmax' as const },
    ];
    const labels = roundRobin(61, [0, 1, 2, 3, 4]);
    // 134,645 parameters: 31 rows, so 28.
    const create = () => new NeuralNetwork({ layers, dtype, batchSize: 61, seed: 1, penalty: { l2: 0.01 } });
    expect(await expectSameBits(create, features, labels)).toBe(3);
    const clipped = { gradientClipping: { norm: 0.1 }, batchSize: 40 };
    await expectSameBits(() => new NeuralNetwork({ layers, dtype, seed: 1, ...clipped }), features, labels);
  });

  it('of networks with activations in JavaScript and with dropout', async () => {
    const features = matrix(dtype, 300, 60);
    const labels = normalRows(300, 2, 3);
    for (const hidden of [
      { units: 260, activation: 'gelu' as const },
      { units: 260, activation: 'relu' as const, dropout: 0.3 },
    ]) {
      const layers = [60, hidden, 2];
      await expectSameBits(
        () => new NeuralNetwork({ layers, dtype, batchSize: 300, seed: 1 }),
        features,
        labels,
      );
    }
  });

  it('of regressions, with rows in and out of order', async () => {
    const features = matrix(dtype, 700, 9);
    const numbers = Array.from({ length: 700 }, (_, i) => Math.sin(i));
    const classes = roundRobin(700, [0, 1]);
    for (const batchSize of [700, 333, 32, 1]) {
      const options = { dtype, batchSize, learningRate: 0.01 };
      await expectSameBits(() => new LinearRegression(options), features, numbers);
      await expectSameBits(() => new LogisticRegression(options), features, classes);
    }
  });

  it('of regressions whose rows are so long that a chunk has few', async () => {
    const columns = 140_000;
    const features = matrix(dtype, 45, columns, 1e-3);
    const numbers = Array.from({ length: 45 }, (_, i) => Math.sin(i));
    const classes = roundRobin(45, [0, 1]);
    const options = { dtype, learningRate: 0.01 };
    expect(await expectSameBits(() => new LinearRegression(options), features, numbers)).toBe(2);
    await expectSameBits(() => new LogisticRegression(options), features, classes);
  });
});

describe.each(dataTypes)('in %s', (dtype) => {
  const features = normalRows(23, 5, 1);
  const labels = normalRows(23, 3, 2);
  const optimizers: OptimizerName[] = [
    'gradientDescent',
    'momentum',
    'nesterov',
    'adaGrad',
    'rmsProp',
    'adam',
    'adamW',
  ];

  it.each(optimizers)('two halves with the state of %s in between are one training', (name) => {
    const options = { optimizer: name, learningRate: 0.01, batchSize: 23 } as const;
    const whole = network(dtype, options)();
    const costs = whole.train(features, labels, { maximumNumberOfIterations: 6 });

    const half = network(dtype, options)();
    const first = half.train(features, labels, { maximumNumberOfIterations: 2 });
    const rest = half.train(features, labels, { maximumNumberOfIterations: 4 });
    expect(digest([...first, ...rest])).toEqual(digest(costs));
    expect(stateBits(half)).toEqual(stateBits(whole));

    // Over JSON and in another model.
    const before = network(dtype, options)();
    before.train(features, labels, { maximumNumberOfIterations: 2 });
    const after = network(dtype, options)();
    after.setModelParameters(before.getModelParameters());
    after.setOptimizerState(JSON.parse(JSON.stringify(before.getOptimizerState())));
    after.train(features, labels, { maximumNumberOfIterations: 4 });
    expect(stateBits(after)).toEqual(stateBits(whole));
  });

  it('a model in JSON goes on with the same rows and the same masks', () => {
    const layers = [5, { units: 6, activation: 'tanh' as const, dropout: 0.3 }, 3];
    const options = { layers, optimizer: 'adam', batchSize: 5 } as const;
    const whole = network(dtype, options)();
    whole.train(features, labels, { maximumNumberOfIterations: 6 });
    const half = network(dtype, options)();
    half.train(features, labels, { maximumNumberOfIterations: 3 });
    const again = NeuralNetwork.fromJSON(JSON.parse(JSON.stringify(half.toJSON())));
    again.train(features, labels, { maximumNumberOfIterations: 3 });
    expect(stateBits(again)).toEqual(stateBits(whole));
  });

  it('the same seed gives the same bits, wherever in the memory a training comes to lie', () => {
    const run = (): string => {
      const model = network(dtype, { batchSize: 7, optimizer: 'adam' })();
      model.train(features, labels);
      return stateBits(model);
    };
    const wanted = run();
    const open = [3, 1, 4, 1, 5].map((units) => {
      const steps = network(dtype, { layers: [5, units, 3] })().trainIterator(features, labels);
      steps.next();
      return steps;
    });
    expect(run()).toEqual(wanted);
    for (const steps of open.reverse()) {
      steps.return([]);
      expect(run()).toEqual(wanted);
    }
    expect(kernels.name).toBe(kernels.available.at(-1));
  });
});
