// ml-matrix: matrices of float64 in rows, with which users write their steps themselves.
import type { Contender } from '../harness.ts';
import type { Rows } from './data.ts';
import { assertClose } from './data.ts';
import { layerSlices } from './layers.ts';
import { loadPeer } from './load.ts';

/** The little of its matrix that is used here. Methods without an answer change the matrix. */
interface Matrix {
  mmul(other: Matrix): Matrix;
  transpose(): Matrix;
  add(other: Matrix | number): Matrix;
  sub(other: Matrix | number): Matrix;
  mul(factor: Matrix | number): Matrix;
  addRowVector(row: Matrix): Matrix;
  sum(): number;
  sum(by: 'column'): number[];
  clone(): Matrix;
  to1DArray(): number[];
  to2DArray(): number[][];
  set(row: number, column: number, value: number): Matrix;
  get(row: number, column: number): number;
  readonly rows: number;
  readonly columns: number;
}

/** The module. */
export interface MlMatrix {
  readonly Matrix: {
    new (rows: readonly (readonly number[])[]): Matrix;
    zeros(rows: number, columns: number): Matrix;
    from1DArray(rows: number, columns: number, data: ArrayLike<number>): Matrix;
    rowVector(values: ArrayLike<number>): Matrix;
    columnVector(values: ArrayLike<number>): Matrix;
  };
}

const name = 'ml-matrix';

/** Undefined where it is not installed. */
export function loadMlMatrix(): MlMatrix | undefined {
  return loadPeer<MlMatrix>(name);
}

/** Linear regression, full batch, no costs. */
export function mlMatrixDescent(
  { Matrix }: MlMatrix,
  { features, labels }: Rows<Float64Array>,
  iterations: number,
  rate: number,
  expected: ArrayLike<number>,
): Contender {
  const x = Matrix.from1DArray(features.rows, features.columns, features.data);
  const transposed = x.transpose();
  const y = Matrix.columnVector(labels);
  const factor = (2 * rate) / features.rows;
  const run = (): number[] => {
    const weights = Matrix.zeros(features.columns, 1);
    let bias = 0;
    for (let i = 0; i < iterations; i++) {
      const residual = x.mmul(weights).add(bias).sub(y);
      weights.sub(transposed.mmul(residual).mul(factor));
      bias -= factor * residual.sum();
    }
    return [...weights.to1DArray(), bias];
  };
  assertClose(name, run(), expected, 1e-9);
  return { name, units: iterations, run };
}

/** Layers, gradients and steps of a network with relu and softmax with cross-entropy. */
export function mlMatrixSteps(
  { Matrix }: MlMatrix,
  network: { units: readonly number[]; values: Float32Array; batchSize: number; rate: number },
  { features, labels }: Rows<Float32Array>,
  expected: ArrayLike<number>,
): Contender {
  const layers = layerSlices(network.units, network.values).map(({ inputs, outputs, weights, bias }) => ({
    weights: Matrix.from1DArray(inputs, outputs, weights),
    bias: Matrix.rowVector(bias),
  }));
  const { data, rows, columns } = features;
  const size = network.batchSize;
  const batches = Array.from({ length: rows / size }, (_, batch) => ({
    x: Matrix.from1DArray(size, columns, data.subarray(batch * size * columns, (batch + 1) * size * columns)),
    y: labels.subarray(batch * size, (batch + 1) * size),
  }));
  const step = ({ x, y }: { x: Matrix; y: Float64Array }): void => {
    const inputs = [x];
    for (const [index, { weights, bias }] of layers.entries()) {
      const scores = inputs[index]!.mmul(weights).addRowVector(bias);
      inputs.push(index + 1 < layers.length ? relu(scores) : softmax(scores));
    }
    let delta = inputs.pop()!;
    for (let row = 0; row < size; row++) delta.set(row, y[row]!, delta.get(row, y[row]!) - 1);
    for (let index = layers.length - 1; index >= 0; index--) {
      const { weights, bias } = layers[index]!;
      const input = inputs[index]!;
      const before = index > 0 ? delta.mmul(weights.transpose()) : undefined;
      weights.sub(
        input
          .transpose()
          .mmul(delta)
          .mul(network.rate / size),
      );
      bias.sub(Matrix.rowVector(delta.sum('column')).mul(network.rate / size));
      if (before !== undefined) delta = maskLike(before, input);
    }
  };
  step(batches[0]!);
  const got = layers.flatMap(({ weights, bias }) => [...weights.to1DArray(), ...bias.to1DArray()]);
  assertClose(`${name} after one step`, got, expected, 1e-4);
  return {
    name,
    units: batches.length,
    run() {
      for (const batch of batches) step(batch);
      return layers;
    },
  };
}

function relu(matrix: Matrix): Matrix {
  for (let i = 0; i < matrix.rows; i++)
    for (let j = 0; j < matrix.columns; j++) if (matrix.get(i, j) < 0) matrix.set(i, j, 0);
  return matrix;
}

function softmax(matrix: Matrix): Matrix {
  for (let i = 0; i < matrix.rows; i++) {
    let largest = -Infinity;
    for (let j = 0; j < matrix.columns; j++) largest = Math.max(largest, matrix.get(i, j));
    let total = 0;
    for (let j = 0; j < matrix.columns; j++) {
      const power = Math.exp(matrix.get(i, j) - largest);
      total += power;
      matrix.set(i, j, power);
    }
    for (let j = 0; j < matrix.columns; j++) matrix.set(i, j, matrix.get(i, j) / total);
  }
  return matrix;
}

/** The slope of relu: 0 where the layer gave 0. */
function maskLike(delta: Matrix, input: Matrix): Matrix {
  for (let i = 0; i < delta.rows; i++)
    for (let j = 0; j < delta.columns; j++) if (input.get(i, j) === 0) delta.set(i, j, 0);
  return delta;
}
