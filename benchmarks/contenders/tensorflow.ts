// TensorFlow.js on its WebAssembly backend: SIMD, one thread, float32, which is all it has.
import assert from 'node:assert/strict';
import type { Contender } from '../harness.ts';
import type { Rows } from './data.ts';
import { assertClose } from './data.ts';
import { layerSlices } from './layers.ts';
import { loadPeer } from './load.ts';

/** The little of a tensor that is used here: its own types are there only when it is installed. */
interface Tensor {
  add(other: Tensor): Tensor;
  sub(other: Tensor): Tensor;
  mul(factor: number): Tensor;
  matMul(other: Tensor, transposeThis?: boolean): Tensor;
  sum(): Tensor;
  relu(): Tensor;
  sigmoid(): Tensor;
  softmax(): Tensor;
  dataSync(): Float32Array;
}

interface Variable extends Tensor {
  assign(value: Tensor): void;
}

interface TensorFlow {
  tensor2d(values: Float32Array, shape: [number, number]): Tensor;
  tensor1d(values: Float32Array | Int32Array, type?: 'int32'): Tensor;
  scalar(value: number): Tensor;
  variable(tensor: Tensor): Variable;
  oneHot(indices: Tensor, depth: number): Tensor;
  tidy<T>(work: () => T): T;
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  env(): { getAsync(flag: string): Promise<boolean> };
  readonly losses: { softmaxCrossEntropy(labels: Tensor, logits: Tensor): Tensor };
  readonly train: { sgd(rate: number): { minimize(cost: () => Tensor): void } };
}

export const tensorFlowName = 'tfjs-wasm';

/** Undefined where it is not installed. */
export async function loadTensorFlow(): Promise<TensorFlow | undefined> {
  const tf = loadPeer<TensorFlow>('@tensorflow/tfjs');
  const backend = loadPeer<{ setThreadsCount(count: number): void }>('@tensorflow/tfjs-backend-wasm');
  if (tf === undefined || backend === undefined) return undefined;
  backend.setThreadsCount(1);
  await tf.setBackend('wasm');
  assert.equal(tf.getBackend(), 'wasm');
  assert.ok(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'), 'the backend has no SIMD here');
  return tf;
}

/**
 * Full-batch descent with the gradient written out, which is faster than having it derived. Costs are left out.
 * `expected`: the weights that one run must give, within float32.
 */
export function tensorFlowDescent(
  tf: TensorFlow,
  kind: 'linear' | 'logistic',
  { features, labels }: Rows<Float64Array>,
  iterations: number,
  rate: number,
  expected: ArrayLike<number>,
): Contender {
  const { data, rows, columns } = features;
  const x = tf.tensor2d(Float32Array.from(data), [rows, columns]);
  const y = tf.tensor2d(Float32Array.from(labels), [rows, 1]);
  const weights = tf.variable(tf.tensor2d(new Float32Array(columns), [columns, 1]));
  const bias = tf.variable(tf.scalar(0));
  const zeros = tf.tensor2d(new Float32Array(columns), [columns, 1]);
  const zero = tf.scalar(0);
  const factor = ((kind === 'linear' ? 2 : 1) * rate) / rows;
  const step = (): void => {
    const scores = x.matMul(weights).add(bias);
    const residual = (kind === 'linear' ? scores : scores.sigmoid()).sub(y);
    weights.assign(weights.sub(x.matMul(residual, true).mul(factor)));
    bias.assign(bias.sub(residual.sum().mul(factor)));
  };
  const run = (): Float32Array => {
    weights.assign(zeros);
    bias.assign(zero);
    for (let i = 0; i < iterations; i++) tf.tidy(step);
    return weights.dataSync();
  };
  assertClose(`${tensorFlowName}, ${kind}`, run(), Array.from(expected).slice(0, columns), 1e-3);
  return { name: tensorFlowName, units: iterations, run };
}

/** A chain of dense layers with relu between them, and what trains it by automatic differentiation. */
export function tensorFlowSteps(
  tf: TensorFlow,
  network: { units: readonly number[]; values: Float32Array; batchSize: number; rate: number },
  { features, labels }: Rows<Float32Array>,
  expected: ArrayLike<number>,
): Contender {
  const { variables, scoresOf } = layersOf(tf, network.units, network.values);
  const { data, rows, columns } = features;
  const classes = network.units.at(-1)!;
  const batches = Array.from({ length: rows / network.batchSize }, (_, batch) => {
    const [first, end] = [batch * network.batchSize, (batch + 1) * network.batchSize];
    return {
      x: tf.tensor2d(data.slice(first * columns, end * columns), [network.batchSize, columns]),
      y: tf.oneHot(tf.tensor1d(Int32Array.from(labels.subarray(first, end)), 'int32'), classes),
    };
  });
  const optimizer = tf.train.sgd(network.rate);
  const step = ({ x, y }: { x: Tensor; y: Tensor }): void =>
    optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, scoresOf(x)));
  step(batches[0]!);
  const got = variables.flatMap((variable) => [...variable.dataSync()]);
  assertClose(`${tensorFlowName} after one step`, got, expected, 1e-4);
  return {
    name: tensorFlowName,
    units: batches.length,
    run() {
      for (const batch of batches) step(batch);
      return variables.at(-1)!.dataSync();
    },
  };
}

/** One run: rows as a typed array in, probabilities as a typed array out. */
export function tensorFlowPredicting(
  tf: TensorFlow,
  units: readonly number[],
  values: Float32Array,
  features: { data: Float32Array; rows: number; columns: number },
  expected: ArrayLike<number>,
): Contender {
  const { scoresOf } = layersOf(tf, units, values);
  const run = (): Float32Array =>
    tf.tidy(() =>
      scoresOf(tf.tensor2d(features.data, [features.rows, features.columns]))
        .softmax()
        .dataSync(),
    );
  assertClose(`${tensorFlowName}, predictions`, run(), expected, 1e-4);
  return { name: tensorFlowName, run };
}

function layersOf(
  tf: TensorFlow,
  units: readonly number[],
  values: Float32Array,
): { variables: Variable[]; scoresOf(x: Tensor): Tensor } {
  const layers = layerSlices(units, values).map(({ inputs, outputs, weights, bias }) => ({
    weights: tf.variable(tf.tensor2d(weights, [inputs, outputs])),
    bias: tf.variable(tf.tensor1d(bias)),
  }));
  const scoresOf = (x: Tensor): Tensor => {
    let result = x;
    for (const [index, { weights, bias }] of layers.entries()) {
      result = result.matMul(weights).add(bias);
      if (index + 1 < layers.length) result = result.relu();
    }
    return result;
  };
  return { variables: layers.flatMap(({ weights, bias }) => [weights, bias]), scoresOf };
}
