import { describe, expect, it } from 'vitest';
import { DivergedError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import type { NeuralNetworkOptions } from '../../src/models/NeuralNetwork.ts';
import { Adam } from '../../src/optimizers/Adam.ts';
import type { OptimizerOption } from '../../src/optimizers/createOptimizer.ts';
import type { ScheduleOption } from '../../src/optimizers/createSchedule.ts';
import type { Optimizer, OptimizerState } from '../../src/optimizers/Optimizer.ts';
import type { Values } from '../../src/parameters/values.ts';
import { StandardScaler } from '../../src/preprocessing/StandardScaler.ts';
import { bits, normalRows, relativeDistance, thrownBy } from '../models/support.ts';
import {
  byEach,
  expectReference,
  network,
  outcomeOf,
  stateBits,
  trainingTolerance,
} from './trainingSupport.ts';
import { builds, dataTypes, withKernels } from './wasmSupport.ts';

const rows = 22;
const features = normalRows(rows, 5, 1);
const labels = normalRows(rows, 3, 2);
const data = { features, labels };

const optimizers: [string, OptimizerOption][] = [
  ['gradientDescent', 'gradientDescent'],
  ['momentum', { name: 'momentum', momentum: 0.7 }],
  ['nesterov', 'nesterov'],
  ['adaGrad', 'adaGrad'],
  ['rmsProp', 'rmsProp'],
  ['rmsProp with momentum', { name: 'rmsProp', momentum: 0.5 }],
  ['adam', 'adam'],
  ['adamW', { name: 'adamW', weightDecay: 0.1 }],
];

/** Follows the sign of the gradient, and counts. */
class SignDescent implements Optimizer {
  readonly name = 'signDescent';
  readonly defaultLearningRate = 0.01;
  readonly slotCount = 1;
  calls = 0;

  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    this.calls++;
    for (let i = 0; i < values.length; i++) {
      state.slots[0]![i]! += gradient[i]!;
      values[i]! -= learningRate * Math.tanh(gradient[i]!);
    }
  }
}

/** Adam that takes half the step. */
class HalfAdam extends Adam {
  calls = 0;

  override step(
    state: OptimizerState,
    values: Values,
    gradient: ArrayLike<number>,
    learningRate: number,
  ): void {
    this.calls++;
    super.step(state, values, gradient, learningRate / 2);
  }
}

const schedules: ScheduleOption[] = [
  { name: 'exponential', factor: 0.9 },
  { name: 'step', every: 4, factor: 0.5 },
  { name: 'cosine', steps: 12 },
  { name: 'linearWarmUp', steps: 5 },
];

const others: [string, NeuralNetworkOptions][] = [
  ['a frozen first layer', { frozen: ['layers.0.*'] }],
  ['frozen biases', { frozen: ['layers.0.bias', 'layers.1.bias'] }],
  ['all frozen', { frozen: ['layers.*'] }],
  ['a gradient clipped by its norm', { gradientClipping: { norm: 0.1 } }],
  ['a gradient clipped by value', { gradientClipping: { value: 0.02 } }],
  [
    'a clipped gradient and frozen tensors',
    { gradientClipping: { norm: 0.1 }, frozen: ['layers.1.weights'] },
  ],
  ['a clipping that never happens', { gradientClipping: { norm: 1e6 } }],
  ['an l1 penalty', { penalty: { l1: 0.05 } }],
  ['an l2 penalty', { penalty: { l2: 0.1 } }],
  ['an elastic net', { penalty: { l1: 0.02, l2: 0.1 }, optimizer: 'momentum' }],
  ['a tolerance', { tolerance: 0.05, maximumNumberOfIterations: 10 }],
  ['batches of one row', { batchSize: 1 }],
  ['batches that do not divide the rows', { batchSize: 5 }],
  ['one batch', { batchSize: 22 }],
  ['dropout', { layers: [5, { units: 9, activation: 'tanh', dropout: 0.4 }, { units: 6, dropout: 0.2 }, 3] }],
  ['dropout of a single unit', { layers: [5, { units: 1, activation: 'tanh', dropout: 0.5 }, 3] }],
  [
    'dropout behind an activation in JavaScript',
    { layers: [5, { units: 6, activation: 'gelu', dropout: 0.3 }, 3] },
  ],
  ['preprocessing', { preprocessing: new StandardScaler() }],
];

describe.each(dataTypes)('with the default kernels in %s the reference is met by', (dtype) => {
  const tolerance = trainingTolerance[dtype];

  it.each(optimizers)('optimizer %s', (_name, optimizer) => {
    const learningRate = 0.01;
    for (const extra of [{}, { gradientClipping: { norm: 0.2 } }, { frozen: ['layers.0.bias'] }]) {
      expectReference(network(dtype, { optimizer, learningRate, ...extra }), data, tolerance);
    }
  });

  it.each(schedules)('schedule %o', (learningRateSchedule) => {
    for (const optimizer of ['gradientDescent', 'adam', new SignDescent()] as const) {
      expectReference(
        network(dtype, { learningRateSchedule, optimizer, learningRate: 0.01 }),
        data,
        tolerance,
      );
    }
  });

  it.each(others)('%s', (_name, options) => {
    expectReference(network(dtype, options), data, tolerance);
  });

  it('steps of a rule of the user’s own, of a subclass, and of an object with a step of its own', () => {
    const own = new SignDescent();
    expectReference(network(dtype, { optimizer: own }), data, tolerance);
    const half = new HalfAdam();
    expectReference(network(dtype, { optimizer: half, gradientClipping: { norm: 0.3 } }), data, tolerance);
    let patchedCalls = 0;
    const patched = new Adam();
    patched.step = (state, values, gradient, rate) => {
      patchedCalls++;
      Adam.prototype.step.call(patched, state, values, gradient, 3 * rate);
    };
    expectReference(network(dtype, { optimizer: patched }), data, tolerance);
    const steps = 3 * Math.ceil(rows / 4) * (1 + builds.length);
    expect([own.calls, half.calls, patchedCalls]).toEqual([steps, steps, steps]);
  });

  it('validation and early stopping', () => {
    const validation = { features: normalRows(9, 5, 7), labels: normalRows(9, 3, 8) };
    const create = network(dtype, { maximumNumberOfIterations: 30, learningRate: 0.3 });
    const reports = byEach(['reference', ...builds], () => {
      const costs: number[] = [];
      const model = create();
      const options = { validation, earlyStopping: { patience: 2 } };
      model.train(features, labels, {
        ...options,
        onIteration: ({ validationCost }) => {
          costs.push(validationCost!);
          expect(model.computeCost(validation.features, validation.labels)).toBe(validationCost);
        },
      });
      return { costs, values: model.getModelParameters().values };
    });
    const [wanted] = reports;
    expect(wanted!.costs.length).toBeLessThan(30);
    for (const got of reports) {
      expect(got.costs.length).toBe(wanted!.costs.length);
      expect(relativeDistance(got.costs, wanted!.costs)).toBeLessThan(tolerance);
      expect(relativeDistance(got.values, wanted!.values)).toBeLessThan(tolerance);
    }
  });

  it('frozen tensors and their state do not change by one bit', () => {
    for (const build of builds) {
      withKernels(build, () => {
        const model = network(dtype, { optimizer: 'adam', frozen: ['layers.0.weights', 'layers.1.bias'] })();
        model.train(features, labels, { maximumNumberOfIterations: 0 });
        const before = model.getModelParameters();
        model.train(features, labels);
        const after = model.getModelParameters();
        const slots = model.getOptimizerState()!.slots;
        for (const { name, offset, size } of after.layout.tensors) {
          const isFrozen = ['layers.0.weights', 'layers.1.bias'].includes(name);
          const part = (values: Float32Array | Float64Array) => bits(values.slice(offset, offset + size));
          if (isFrozen) expect(part(after.values)).toEqual(part(before.values));
          else expect(part(after.values)).not.toEqual(part(before.values));
          for (const slot of slots)
            expect(slot.slice(offset, offset + size).every((x) => x === 0)).toBe(isFrozen);
        }
      });
    }
  });
});

it('dropout draws the same masks as the reference: what is left out is left out', () => {
  // With every step at rate 0 the saved gradient tells which units were there.
  const layers = [5, { units: 40, activation: 'sigmoid' as const, dropout: 0.5 }, 3];
  const create = network('float64', { layers, learningRate: 0, batchSize: 1, maximumNumberOfIterations: 1 });
  const one = { features: features.slice(0, 1), labels: labels.slice(0, 1) };
  const [wanted, ...rest] = byEach(['reference', ...builds], () => outcomeOf(create, one).saved);
  const dropped = Array.from(wanted!, (g) => g === 0);
  expect(dropped.filter((isDropped) => isDropped).length).toBeGreaterThan(50);
  for (const got of rest) expect(Array.from(got, (g) => g === 0)).toEqual(dropped);
});

it('a float32 model steps as in doubles where the squares of its gradients, or epsilon, are below a float', () => {
  const tiny = features.map((row) => row.map((x) => 1e-12 * x));
  const small = labels.map((row) => 1e-12 * row[0]!);
  for (const optimizer of [
    { name: 'adam', epsilon: 1e-40 },
    { name: 'rmsProp', epsilon: 1e-50 },
    { name: 'adaGrad', epsilon: 1e-46 },
  ] as const) {
    const options = {
      optimizer,
      dtype: 'float32',
      maximumNumberOfIterations: 3,
      fitIntercept: false,
    } as const;
    const create = () => new LinearRegression({ ...options, learningRate: 1e-3 });
    expectReference(create, { features: tiny, labels: small }, 1e-3);
  }
});

it('a gradient whose square is beyond a float diverges, and leaves the model as it was', () => {
  const huge = features.map((row) => row.map((x) => 1e12 * x));
  const far = labels.map((row) => 1e12 * row[0]!);
  for (const build of builds) {
    withKernels(build, () => {
      const options = { optimizer: 'adam', dtype: 'float32', maximumNumberOfIterations: 2 } as const;
      const model = new LinearRegression({ ...options, learningRate: 0.1 });
      model.train(
        features,
        labels.map((row) => row[0]!),
      );
      const before = stateBits(model);
      expect(thrownBy(() => model.train(huge, far))).toBeInstanceOf(DivergedError);
      expect(stateBits(model)).toEqual(before);
    });
  }
});

it('a gradient near the largest float is scaled to the norm that was asked for', () => {
  const huge = [new Array(40).fill(1e19)];
  const far = [8e18];
  for (const build of builds) {
    withKernels(build, () => {
      const model = new LinearRegression({
        dtype: 'float32',
        learningRate: 1,
        gradientClipping: { norm: 1e-3 },
        maximumNumberOfIterations: 1,
      });
      model.train(huge, far);
      const norm = Math.hypot(...model.getModelParameters().values);
      expect(Math.abs(norm - 1e-3)).toBeLessThan(1e-8);
    });
  }
});
