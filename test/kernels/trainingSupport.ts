import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { KernelName } from '../../src/kernels/selection.ts';
import type { LinearRegression } from '../../src/models/LinearRegression.ts';
import type { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import type { Labels } from '../../src/models/labels.ts';
import type { NeuralNetworkOptions } from '../../src/models/NeuralNetwork.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { TrainOptions } from '../../src/models/trainOptions.ts';
import type { DataType } from '../../src/parameters/values.ts';
import { relativeDistance } from '../models/support.ts';
import { builds, withKernels } from './wasmSupport.ts';

/** A model that is trained, of any of the three classes. */
export type AnyModel = LinearRegression | LogisticRegression | NeuralNetwork;

/** Rows to train on. */
export interface Rows {
  readonly features: number[][];
  readonly labels: Labels;
}

/** All that a training leaves behind. */
export interface Outcome {
  readonly costs: readonly number[];
  readonly values: Float32Array | Float64Array;
  readonly slots: readonly number[];
  readonly steps: number;
  readonly saved: Float32Array | Float64Array;
  readonly cost: number;
  readonly gradient: Float32Array | Float64Array;
}

/** Trains a new model and asks it for everything. */
export function outcomeOf(
  create: () => AnyModel,
  { features, labels }: Rows,
  options?: TrainOptions,
): Outcome {
  const model = create();
  model.setAreGradientsSaved(true);
  const costs = model.train(features, labels, options);
  const state = model.getOptimizerState()!;
  return {
    costs,
    values: model.getModelParameters().values,
    slots: state.slots.flat(),
    steps: state.steps,
    saved: model.getGradients().values,
    cost: model.computeCost(features, labels),
    gradient: model.computeGradients(features, labels).values,
  };
}

/** What a training of a few steps may differ by: rounding, which the steps carry on. */
export const trainingTolerance: Readonly<Record<DataType, number>> = { float32: 2e-4, float64: 1e-10 };

/** Trains by every build and by the reference, and expects the same of everything. */
export function expectReference(
  create: () => AnyModel,
  rows: Rows,
  tolerance: number,
  options?: TrainOptions,
): void {
  const wanted = withKernels('reference', () => outcomeOf(create, rows, options));
  for (const build of builds) {
    const got = withKernels(build, () => outcomeOf(create, rows, options));
    expect(got.costs.length, build).toBe(wanted.costs.length);
    expect(got.steps, build).toBe(wanted.steps);
    for (const key of ['costs', 'values', 'slots'] as const) {
      expect(relativeDistance(got[key], wanted[key]), `${key} by ${build}`).toBeLessThan(tolerance);
    }
    expect(Math.abs(got.cost - wanted.cost), `cost by ${build}`).toBeLessThan(
      tolerance * Math.max(0.01, Math.abs(wanted.cost)),
    );
    for (const key of ['saved', 'gradient'] as const) {
      // Where a gradient all but vanishes, it is a difference of sums that are not small.
      const size = Math.hypot(...wanted[key], 0.1);
      const distance = Math.hypot(...Array.from(got[key], (g, i) => g - wanted[key][i]!));
      expect(distance / size, `${key} by ${build}`).toBeLessThan(tolerance);
    }
  }
}

/** A network of the same settings for every test, where nothing else is asked for. */
export function network(dtype: DataType, options: NeuralNetworkOptions): () => NeuralNetwork {
  return () =>
    new NeuralNetwork({
      layers: [5, { units: 7, activation: 'tanh' }, 3],
      optimizer: 'gradientDescent',
      learningRate: 0.05,
      maximumNumberOfIterations: 3,
      batchSize: 4,
      seed: 2,
      dtype,
      ...options,
    });
}

/** A digest of the bits of numbers: as good as comparing them all, and quick for a million. */
export function digest(...lists: (Float32Array | Float64Array | readonly number[])[]): string {
  const hash = createHash('sha256');
  for (const list of lists) {
    const numbers = Array.isArray(list) ? Float64Array.from(list) : (list as Float32Array | Float64Array);
    hash.update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }
  return hash.digest('hex');
}

/** Parameters and optimizer state, bit for bit. */
export function stateBits(model: AnyModel): string {
  const { steps, slots } = model.getOptimizerState()!;
  return digest(model.getModelParameters().values, [steps], ...slots);
}

/** Runs the same work by each of the kernels that there are. */
export function byEach<Result>(names: readonly KernelName[], work: () => Result): Result[] {
  return names.map((name) => withKernels(name, work));
}
