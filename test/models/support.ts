import type { Label, Labels } from '../../src/models/labels.ts';
import type { Gradients } from '../../src/parameters/Gradients.ts';
import type { ModelParameters } from '../../src/parameters/ModelParameters.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';

/** What the helpers need of a model. */
export interface Differentiable {
  computeCost(features: number[][], labels: Labels): number;
  computeGradients(features: number[][], labels: Labels): Gradients;
  getModelParameters(): ModelParameters;
  setModelParameters(parameters: ModelParameters): void;
}

/** Normal numbers, rows × columns. */
export function normalRows(rows: number, columns: number, seed: number): number[][] {
  const random = seededRandom(seed, 9);
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => standardNormal(random)));
}

/** Labels that go round the classes. */
export function roundRobin(rows: number, classes: readonly Label[]): Label[] {
  return Array.from({ length: rows }, (_, row) => classes[(row * 7) % classes.length]!);
}

/** Draws every parameter from a normal distribution with deviation `scale`. */
export function randomise(model: Differentiable, seed: number, scale = 0.5): void {
  const parameters = model.getModelParameters();
  const random = seededRandom(seed, 5);
  for (let i = 0; i < parameters.values.length; i++) parameters.values[i] = scale * standardNormal(random);
  model.setModelParameters(parameters);
}

/** Relative distance of the gradient from fourth-order central differences of the cost, over all parameters. */
export function gradientError(model: Differentiable, features: number[][], labels: Labels): number {
  const analytic = model.computeGradients(features, labels).values;
  const start = model.getModelParameters();
  const costAt = (index: number, delta: number): number => {
    const moved = start.clone();
    moved.values[index]! += delta;
    model.setModelParameters(moved);
    return model.computeCost(features, labels);
  };
  const h = 1e-4;
  let distance = 0;
  let size = 0;
  for (let i = 0; i < analytic.length; i++) {
    const near = costAt(i, h) - costAt(i, -h);
    const far = costAt(i, 2 * h) - costAt(i, -2 * h);
    const numeric = (8 * near - far) / (12 * h);
    distance += (analytic[i]! - numeric) ** 2;
    size += numeric ** 2;
  }
  model.setModelParameters(start);
  return Math.sqrt(distance) / Math.sqrt(size);
}

/** The bytes of an array of numbers, for comparisons bit for bit. */
export function bits(values: Float32Array | Float64Array | readonly number[]): number[] {
  const numbers = Array.isArray(values)
    ? Float64Array.from(values)
    : (values as Float32Array | Float64Array).slice();
  return Array.from(new Uint8Array(numbers.buffer));
}

/** ‖a − b‖ / ‖b‖. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let distance = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    distance += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(distance) / (Math.sqrt(size) || 1);
}

/** The x that solves a square system, by Gauss elimination with pivoting: a reference, written plainly. */
export function solveSquare(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  const a = matrix.map((row, i) => [...row, right[i]!]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i]![k]!) > Math.abs(a[pivot]![k]!)) pivot = i;
    [a[k], a[pivot]] = [a[pivot]!, a[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i]![k]! / a[k]![k]!;
      for (let j = k; j <= n; j++) a[i]![j]! -= factor * a[k]![j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = a[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= a[i]![j]! * x[j]!;
    x[i] = sum / a[i]![i]!;
  }
  return x;
}

/** What a call throws; fails the test where it throws nothing. */
export function thrownBy(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected the call to throw');
}
