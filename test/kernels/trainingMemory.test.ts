import { describe, expect, it } from 'vitest';
import { AbortedError, DivergedError, InvalidOptionError } from '../../src/errors.ts';
import { kernels, selectedBuild } from '../../src/kernels/selection.ts';
import { sharedMemories } from '../../src/kernels/wasm/arena.ts';
import type { Activation } from '../../src/models/activations.ts';
import { activationNamed } from '../../src/models/activations.ts';
import { createLoss } from '../../src/models/createLoss.ts';
import { planNetwork } from '../../src/models/DenseNetwork.ts';
import type { Targets } from '../../src/models/losses.ts';
import type { SessionPlan } from '../../src/models/sessions.ts';
import { createEvaluator, createTraining } from '../../src/models/sessions.ts';
import { Momentum } from '../../src/optimizers/Momentum.ts';
import { createOptimizerState } from '../../src/optimizers/Optimizer.ts';
import type { DataType } from '../../src/parameters/values.ts';
import { seededRandom, shuffle } from '../../src/random.ts';
import { normalRows } from '../models/support.ts';
import { digest, network, stateBits } from './trainingSupport.ts';
import { dataTypes, normalValues } from './wasmSupport.ts';

const build = selectedBuild()!;
const rows = 30;
const features = normalRows(rows, 5, 1);
const labels = normalRows(rows, 3, 2);

/** Bytes in use, and bytes that the memories have. */
function sizes(): { used: number; reserved: number } {
  const memories = sharedMemories(build);
  return {
    used: memories.reduce((sum, memory) => sum + memory.usedBytes, 0),
    reserved: memories.reduce((sum, memory) => sum + memory.integers.byteLength, 0),
  };
}

function failing(when: 'forward' | 'backward'): Activation {
  const fail = (): never => {
    throw new Error('on purpose');
  };
  return {
    description: { formula: 'x' },
    initialisation: 'glorot',
    needsInputs: false,
    forward: when === 'forward' ? fail : () => {},
    backward: when === 'backward' ? fail : () => {},
  };
}

describe('the memory of a training comes back', () => {
  const create = network('float32', {});
  const optimizer = {
    name: 'failing',
    defaultLearningRate: 0.1,
    slotCount: 0,
    step: () => {
      throw new Error('on purpose');
    },
  };
  const validation = { features, labels };

  it.each([
    ['after train', () => create().train(features, labels, { validation, earlyStopping: {} })],
    [
      'after train of no iterations',
      () => create().train(features, labels, { maximumNumberOfIterations: 0 }),
    ],
    ['after computeCost', () => create().computeCost(features, labels)],
    ['after computeGradients', () => create().computeGradients(features, labels)],
    [
      'after return() of an iterator',
      () => {
        const steps = create().trainIterator(features, labels, { validation });
        steps.next();
        expect(sizes().used).toBeGreaterThan(0);
        steps.return([]);
      },
    ],
    [
      'after throw() of an iterator',
      () => {
        const steps = create().trainIterator(features, labels);
        steps.next();
        expect(() => steps.throw(new Error('on purpose'))).toThrow('on purpose');
      },
    ],
    ['of an iterator that was never started', () => create().trainIterator(features, labels).return([])],
    [
      'after an error in onIteration',
      () => {
        const onIteration = (): never => {
          throw new Error('on purpose');
        };
        expect(() => create().train(features, labels, { onIteration, validation })).toThrow('on purpose');
      },
    ],
    [
      'after an error in an optimizer',
      () => {
        expect(() => network('float32', { optimizer })().train(features, labels)).toThrow('on purpose');
      },
    ],
    [
      'after an error in a schedule',
      () => {
        const model = network('float32', {
          learningRateSchedule: {
            description: 'constant',
            rateAt: ({ step }) => (step < 4 ? 0.1 : Number.NaN),
          },
        })();
        expect(() => model.train(features, labels)).toThrow(InvalidOptionError);
      },
    ],
    [
      'after an error in an activation',
      () => {
        for (const when of ['forward', 'backward'] as const) {
          const layers = [5, { units: 4, activation: failing(when) }, 3];
          expect(() => network('float32', { layers })().train(features, labels)).toThrow('on purpose');
          if (when === 'backward') continue;
          expect(() => network('float32', { layers })().computeCost(features, labels)).toThrow('on purpose');
          expect(() => network('float32', { layers })().computeGradients(features, labels)).toThrow(
            'on purpose',
          );
        }
      },
    ],
    [
      'after a divergence',
      () => {
        const big = features.map((row) => row.map((x) => 1e30 * x));
        const layers = [5, { units: 4, activation: 'identity' as const }, 3];
        expect(() => network('float32', { layers })().train(big, labels)).toThrow(DivergedError);
      },
    ],
  ])('%s', (_name, work) => {
    expect(sizes().used).toBe(0);
    work();
    expect(sizes().used).toBe(0);
  });

  it('after trainAsync, done or aborted', async () => {
    await create().trainAsync(features, labels);
    const controller = new AbortController();
    const training = create().trainAsync(features, labels, {
      signal: controller.signal,
      onIteration: () => controller.abort(),
    });
    await expect(training).rejects.toBeInstanceOf(AbortedError);
    expect(sizes().used).toBe(0);
  });
});

describe('many models', () => {
  it('whose iterators are open side by side each get their own numbers, and no memory grows beyond a bound', () => {
    const options = (seed: number) => ({ seed, layers: [5, 1 + (seed % 7), 3], optimizer: 'adam' as const });
    const wanted = Array.from({ length: 50 }, (_, seed) => {
      const model = network('float32', options(seed))();
      model.train(features, labels);
      return stateBits(model);
    });
    const models = Array.from({ length: 1_000 }, (_, i) => network('float32', options(i % 50))());
    const open = models.map((model) => model.trainIterator(features, labels));
    let left = open.length;
    let most = 0;
    while (left > 0) {
      left = 0;
      for (const steps of open) if (steps.next().done !== true) left++;
      most = Math.max(most, sizes().used);
    }
    models.forEach((model, i) => {
      expect(stateBits(model)).toBe(wanted[i % 50]);
    });
    expect(most).toBeGreaterThan(1_000 * 1_000);
    expect(most).toBeLessThan(1_000 * 20_000);
    expect(sizes().used).toBe(0);
    expect(sharedMemories(build).length).toBe(1);
  });

  it('one after the other need the memory of one', () => {
    const { reserved } = sizes();
    const wanted = network('float64', {})();
    wanted.train(features, labels);
    for (let i = 0; i < 3_000; i++) {
      const model = network('float64', {})();
      model.train(features, labels, { maximumNumberOfIterations: i === 2_999 ? 3 : 1 });
      if (i === 2_999) expect(stateBits(model)).toBe(stateBits(wanted));
    }
    expect(sizes()).toEqual({ used: 0, reserved });
  });

  it('may be trained from within the activation of another, for which the memory grows', () => {
    const atan = (training: () => void): Activation => ({
      description: { formula: 'x' },
      initialisation: 'glorot',
      needsInputs: true,
      forward(values, count, columns) {
        training();
        for (let i = 0; i < count * columns; i++) values[i] = Math.atan(values[i]!);
      },
      backward(delta, _outputs, inputs, count, columns) {
        training();
        for (let i = 0; i < count * columns; i++) delta[i] = delta[i]! / (1 + inputs[i]! ** 2);
      },
    });
    const run = (training: () => void): string => {
      const model = network('float64', { layers: [5, { units: 4, activation: atan(training) }, 3] })();
      model.train(features, labels, { maximumNumberOfIterations: 2 });
      return stateBits(model);
    };
    const wanted = run(() => {});
    const open: Generator[] = [];
    const { reserved } = sizes();
    const got = run(() => {
      const steps = network('float64', { layers: [5, 2_000, 3] })().trainIterator(features, labels);
      steps.next();
      open.push(steps);
    });
    expect(sizes().reserved).toBeGreaterThan(reserved);
    expect(got).toBe(wanted);
    for (const steps of open) steps.return(undefined);
  });

  it('keep the kernels that they began with, whatever is selected meanwhile', () => {
    const run = (between: () => void): string => {
      const model = network('float64', {})();
      const steps = model.trainIterator(features, labels, { validation: { features, labels } });
      steps.next();
      between();
      while (steps.next().done !== true);
      return stateBits(model);
    };
    const wanted = run(() => {});
    const { name } = kernels;
    try {
      expect(run(() => kernels.select('reference'))).toBe(wanted);
      const byReference = run(() => {});
      expect(byReference).not.toBe(wanted);
      expect(run(() => kernels.select(name))).toBe(byReference);
    } finally {
      kernels.select(name);
    }
    expect(sizes().used).toBe(0);
  });
});

/** A training of 300 rows, all of whose features are kept in the memory of the kernels, or none. */
function trainedWith(
  residentBytesMax: number,
  dtype: DataType,
  outputs: number,
  batchSize: number,
  isSliced: boolean,
): string {
  const random = seededRandom(3);
  const count = 300;
  const activation = activationNamed(outputs === 1 ? 'identity' : 'tanh');
  const isClassifier = outputs === 4;
  const plans = [
    ...(outputs === 1 ? [] : [{ inputs: 9, outputs: 6, activation, hasBias: true, prefix: 'a' }]),
    {
      inputs: outputs === 1 ? 9 : 6,
      outputs,
      activation: activationNamed(isClassifier ? 'softmax' : 'identity'),
      hasBias: true,
      prefix: 'b',
    },
  ];
  const net = planNetwork(plans, createLoss(isClassifier ? 'crossEntropy' : 'meanSquaredError'), {});
  const values = normalValues(dtype, net.layout.length, random);
  const data = { data: normalValues(dtype, count * 9, random), rows: count, columns: 9 };
  const targets: Targets = isClassifier
    ? { kind: 'classes', indices: Int32Array.from({ length: count }, (_, i) => (i * 7) % 4) }
    : { kind: 'rows', values: normalValues(dtype, count * outputs, random), columns: outputs };
  const optimizer = new Momentum();
  const state = createOptimizerState(optimizer, values.length);
  const savedGradient = new Float64Array(values.length);
  const plan: SessionPlan = {
    network: net,
    features: data,
    targets,
    dtype,
    values,
    rule: {
      optimizer,
      state,
      learningRate: 0.01,
      schedule: undefined,
      round: 0,
      clipping: undefined,
      term: undefined,
      trainable: undefined,
    },
    penalty: { l1: 0, l2: 0.01 },
    dropout: { shares: [], random },
    batchSize,
    savedGradient,
    isSliced,
    residentBytesMax,
  };
  const session = createTraining(plan);
  expect(session.chunkRows).toBeLessThanOrEqual(residentBytesMax === 0 ? 256 : count);
  const order = batchSize < count ? Int32Array.from({ length: count }, (_, i) => i) : undefined;
  const costs: number[] = [];
  for (let pass = 0; pass < 3; pass++) {
    if (order !== undefined) shuffle(order, random);
    session.begin(order);
    for (let batch = 0; batch < count; batch += batchSize) {
      const end = Math.min(count, batch + batchSize);
      let first = batch;
      for (; first + session.chunkRows < end; first += session.chunkRows)
        session.add(first, session.chunkRows);
      costs.push(session.complete(first, end - first));
    }
  }
  session.sync();
  session.release();
  const evaluator = createEvaluator(
    { network: net, features: data, targets, dtype, residentBytesMax },
    isSliced,
  );
  const gradient = new Float64Array(values.length);
  evaluator.begin(values);
  for (let first = 0; first < count; first += evaluator.chunkRows) {
    evaluator.add(first, Math.min(evaluator.chunkRows, count - first), true);
  }
  evaluator.readGradient(gradient);
  costs.push(evaluator.cost);
  evaluator.release();
  return digest(costs, values, ...state.slots, savedGradient, gradient);
}

describe.each(
  dataTypes,
)('in %s rows that are too many to be kept have the bits of those that are kept', (dtype) => {
  it.each([
    ['a regression', 1],
    ['a network', 3],
    ['a classifier', 4],
  ])('in %s', (_name, outputs) => {
    for (const batchSize of [300, 280, 32, 1]) {
      for (const isSliced of [false, true]) {
        const kept = trainedWith(2 ** 29, dtype, outputs, batchSize, isSliced);
        expect(trainedWith(0, dtype, outputs, batchSize, isSliced)).toBe(kept);
      }
    }
  });
});
