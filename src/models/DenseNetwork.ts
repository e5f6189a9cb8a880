import { addProduct, rowMajor } from '../kernels/multiply.ts';
import { fillRows } from '../kernels/rows.ts';
import type { Architecture, JsonValue } from '../parameters/architecture.ts';
import type { TensorShape } from '../parameters/ParameterLayout.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { Preprocessing } from '../preprocessing/Preprocessing.ts';
import type { Random } from '../random.ts';
import { standardNormal } from '../random.ts';
import type { Activation } from './activations.ts';
import { variances } from './activations.ts';
import type { Matrix } from './features.ts';
import type { Loss } from './losses.ts';

/** One fully connected layer: a = activation(x W + b). Offsets count values in the flat array. */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Activation;
  readonly weights: number;
  /** −1 where the layer has no bias. */
  readonly bias: number;
}

/**
 * A chain of dense layers over one flat array. All three models are such chains: a linear regression is one
 * layer with the identity, a logistic regression one with sigmoid or softmax.
 */
export interface DenseNetwork {
  readonly layers: readonly DenseLayer[];
  readonly loss: Loss;
  readonly layout: ParameterLayout;
  /** What makes the inputs of the first layer of raw features; fitted, and part of the architecture. */
  readonly preprocessing?: Preprocessing;
}

/** What a layer is before it has a place in the flat array. */
export interface DenseLayerPlan {
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Activation;
  readonly hasBias: boolean;
  /** Prefix of its tensors' names: `''` or `'layers.0.'`. */
  readonly prefix: string;
}

/** Lays the tensors of the layers out one behind the other. */
export function planNetwork(
  plans: readonly DenseLayerPlan[],
  loss: Loss,
  architecture: Architecture,
): DenseNetwork {
  const tensors: TensorShape[] = plans.flatMap(({ prefix, inputs, outputs, hasBias }) => [
    { name: `${prefix}weights`, shape: [inputs, outputs] },
    ...(hasBias ? [{ name: `${prefix}bias`, shape: [outputs] }] : []),
  ]);
  const layout = new ParameterLayout(tensors, architecture);
  const layers = plans.map(({ prefix, inputs, outputs, activation }) => ({
    inputs,
    outputs,
    activation,
    weights: layout.find(`${prefix}weights`)?.offset ?? 0,
    bias: layout.find(`${prefix}bias`)?.offset ?? -1,
  }));
  return { layers, loss, layout };
}

/** The same network behind a fitted preprocessing. */
export function withPreprocessing(
  network: DenseNetwork,
  preprocessing: Preprocessing | undefined,
): DenseNetwork {
  if (preprocessing === undefined) return network;
  // Its description is plain JSON, with numbers that come back with the same bits.
  const description = preprocessing.describe() as unknown as JsonValue;
  const { tensors, architecture } = network.layout;
  const layout = new ParameterLayout(tensors, { ...architecture, preprocessing: description });
  return { ...network, preprocessing, layout };
}

/** Columns of the last layer. */
export function outputsOf(network: DenseNetwork): number {
  return (network.layers[network.layers.length - 1] as DenseLayer).outputs;
}

/** Columns of the features. */
export function inputsOf(network: DenseNetwork): number {
  return (network.layers[0] as DenseLayer).inputs;
}

/** Start and end of each run of weights in the flat array: what a penalty applies to. */
export function weightRanges(network: DenseNetwork): [number, number][] {
  return network.layers.map(({ weights, inputs, outputs }) => [weights, weights + inputs * outputs]);
}

/**
 * Rows that are worked through in one go: few enough that a large network yields often, many enough that a small
 * one does not. It depends on the network alone, so that the sums come out the same however a training is sliced.
 */
export function rowsPerChunk(network: DenseNetwork): number {
  const { length } = network.layout;
  const least = length < 2 ** 19 ? 4 : 1;
  return Math.max(least, Math.min(256, Math.floor(2 ** 17 / (length + 1))));
}

/** Normal weights with the variance that each activation asks for, biases 0. */
export function initialiseNetwork(network: DenseNetwork, values: Values, random: Random): void {
  values.fill(0);
  for (const { inputs, outputs, activation, weights } of network.layers) {
    const deviation = Math.sqrt(variances[activation.initialisation](inputs, outputs));
    for (let i = 0; i < inputs * outputs; i++) values[weights + i] = deviation * standardNormal(random);
  }
}

/** z = x W + b of one layer for `rows` rows; x starts at `inputOffset`, z is written to `target`. */
export function layerForward(
  layer: DenseLayer,
  values: Values,
  input: Values,
  inputOffset: number,
  target: Values,
  rows: number,
): void {
  fillRows(target, rows, layer.outputs, layer.bias < 0 ? undefined : values, layer.bias);
  const x = rowMajor(input, inputOffset, layer.inputs);
  const w = rowMajor(values, layer.weights, layer.outputs);
  addProduct(target, 0, x, w, rows, layer.outputs, layer.inputs);
}

/** The last layer's activations for every row: rows × outputs. */
export function forward(network: DenseNetwork, values: Values, features: Matrix, dtype: DataType): Values {
  const chunk = Math.min(rowsPerChunk(network), features.rows);
  const buffers = network.layers.map(({ outputs }) => createValues(dtype, chunk * outputs));
  const outputs = outputsOf(network);
  const result = createValues(dtype, features.rows * outputs);
  for (let first = 0; first < features.rows; first += chunk) {
    const rows = Math.min(chunk, features.rows - first);
    let input = features.data;
    let inputOffset = first * features.columns;
    network.layers.forEach((layer, index) => {
      const target = buffers[index] as Values;
      layerForward(layer, values, input, inputOffset, target, rows);
      layer.activation.forward(target, rows, layer.outputs);
      input = target;
      inputOffset = 0;
    });
    result.set(input.subarray(0, rows * outputs), first * outputs);
  }
  return result;
}
