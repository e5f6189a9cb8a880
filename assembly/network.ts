// A chain of dense layers in a workspace: activations, cost and gradient of some rows. All addresses are those of one
// workspace, which src/kernels/wasm/workspace.ts lays out and fills in.
import { activate, multiplyBySlope } from './activations';
import { evaluateLoss, Targets } from './losses';
import { product, productTransposed, sumRows } from './products';
import { rowProduct } from './rowProducts';

/** One layer, a = activation(x W + b). Rows of its matrices are `stride` numbers apart, zeros after the outputs. */
@unmanaged
export class Layer {
  inputs: i32;
  outputs: i32;
  stride: i32;
  activation: i32;
  weights: usize;
  /** Zeros where the layer has no bias. */
  bias: usize;
  weightGradient: usize;
  /** 0 where the layer has no bias. */
  biasGradient: usize;
  /** a, for all rows of a chunk. */
  values: usize;
  /** z where the slope needs it, else the same as `values`. */
  preactivations: usize;
  deltas: usize;
  /** What is left after dropout, which the next layer reads; without dropout the same as `values`. */
  kept: usize;
  /** Factors of dropout, 0 where there is none. */
  mask: usize;
}

/** A network with its data. */
@unmanaged
export class Network {
  layers: usize;
  layerCount: i32;
  loss: i32;
  /** The δ of huber. */
  lossBound: f64;
  /** 1: the last activation is a part of the loss, which takes z. */
  isFused: i32;
  /** Rows of features, featureStride numbers apart. */
  features: usize;
  featureStride: i32;
  /** Where rows are copied together that do not come in order. */
  gathered: usize;
  /** As many zeros as the widest layer has outputs. */
  zeros: usize;
  targets: Targets;
}

export function layerOf(network: Network, index: i32): Layer {
  return changetype<Layer>(network.layers + <usize>index * offsetof<Layer>());
}

/** The address of the first of `count` rows that lie one behind the other. */
export function gatherRows<T>(network: Network, order: usize, first: i32, count: i32): usize {
  const row = <usize>network.featureStride * sizeof<T>();
  if (order === 0) return network.features + <usize>first * row;
  for (let i = 0; i < count; i++) {
    const from = network.features + <usize>load<i32>(order + ((<usize>(first + i)) << 2)) * row;
    const to = network.gathered + <usize>i * row;
    for (let at: usize = 0; at < row; at += 16) v128.store(to + at, v128.load(from + at));
  }
  return network.gathered;
}

/** z = x W + b of one layer. */
export function forwardLayer<T>(layer: Layer, input: usize, inputRow: usize, rows: i32): void {
  const row = <usize>layer.stride * sizeof<T>();
  const inputs = layer.inputs;
  const stride = layer.stride;
  const weights = layer.weights;
  const bias = layer.bias;
  const values = layer.values;
  if (rows === 1) rowProduct<T>(stride, inputs, input, sizeof<T>(), weights, row, values, bias);
  else product<T>(rows, stride, inputs, input, inputRow, sizeof<T>(), weights, row, values, row, bias, 0);
}

/** z → a, keeping z where the way back needs it. */
export function activateLayer<T>(layer: Layer, rows: i32): void {
  const row = <usize>layer.stride * sizeof<T>();
  if (layer.preactivations !== layer.values) {
    memory.copy(layer.preactivations, layer.values, <usize>rows * row);
  }
  activate<T>(layer.activation, layer.values, rows, layer.outputs, row);
}

/** target ← source ⊙ mask. */
export function applyMask<T>(target: usize, source: usize, mask: usize, count: i32): void {
  const bytes = <usize>count * sizeof<T>();
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(target + at, v128.mul<T>(v128.load(source + at), v128.load(mask + at)));
  }
}

/** The whole way forward, without dropout; the last activation only where the loss does not contain it. */
export function forward<T>(network: Network, input: usize, rows: i32, activatesLast: bool): void {
  let source = input;
  let row = <usize>network.featureStride * sizeof<T>();
  const last = network.layerCount - 1;
  for (let index = 0; index <= last; index++) {
    const layer = layerOf(network, index);
    forwardLayer<T>(layer, source, row, rows);
    if (index < last || activatesLast) activateLayer<T>(layer, rows);
    source = layer.values;
    row = <usize>layer.stride * sizeof<T>();
  }
}

/** `sum` and the cost of the outputs of `rows` rows, which writes its slopes. */
export function lossOf<T>(network: Network, order: usize, first: i32, rows: i32, sum: f64): f64 {
  const layer = layerOf(network, network.layerCount - 1);
  const outputs = layer.outputs;
  const stride = layer.stride;
  const values = layer.values;
  const deltas = layer.deltas;
  network.targets.order = order;
  const row = <usize>stride * sizeof<T>();
  const loss = network.loss;
  const lossBound = network.lossBound;
  const targets = network.targets;
  return evaluateLoss<T>(loss, lossBound, values, deltas, rows, outputs, row, targets, first, sum);
}

/** The gradient of one layer, added to what is there or begun afresh. */
export function layerGradient<T>(
  network: Network,
  layer: Layer,
  input: usize,
  inputRow: usize,
  rows: i32,
  isFresh: bool,
): void {
  const row = <usize>layer.stride * sizeof<T>();
  const inputs = layer.inputs;
  const stride = layer.stride;
  const weightGradient = layer.weightGradient;
  const biasGradient = layer.biasGradient;
  const deltas = layer.deltas;
  const start = isFresh ? network.zeros : weightGradient;
  const startRow: usize = isFresh ? 0 : row;
  product<T>(
    inputs,
    stride,
    rows,
    input,
    sizeof<T>(),
    inputRow,
    deltas,
    row,
    weightGradient,
    row,
    start,
    startRow,
  );
  if (biasGradient === 0) return;
  sumRows<T>(rows, stride, deltas, row, biasGradient, isFresh ? network.zeros : biasGradient);
}

/** The delta of the layer before, without the slope of its activation. */
export function passBack<T>(layer: Layer, before: Layer, rows: i32): void {
  const row = <usize>layer.stride * sizeof<T>();
  const beforeRow = <usize>before.stride * sizeof<T>();
  const inputs = layer.inputs;
  const stride = layer.stride;
  const deltas = layer.deltas;
  const weights = layer.weights;
  productTransposed<T>(rows, inputs, stride, deltas, row, weights, row, before.deltas, beforeRow);
  if (before.mask !== 0) applyMask<T>(before.deltas, before.deltas, before.mask, rows * before.stride);
}

/** delta ← delta ⊙ slope of the activation. */
export function activationBackward<T>(layer: Layer, rows: i32): void {
  const row = <usize>layer.stride * sizeof<T>();
  const activation = layer.activation;
  const deltas = layer.deltas;
  const values = layer.values;
  const preactivations = layer.preactivations;
  const outputs = layer.outputs;
  multiplyBySlope<T>(activation, deltas, values, preactivations, rows, outputs, row);
}

/** The whole way back. */
export function backward<T>(network: Network, input: usize, rows: i32, isFresh: bool): void {
  const last = network.layerCount - 1;
  if (network.isFused === 0) activationBackward<T>(layerOf(network, last), rows);
  for (let index = last; index >= 0; index--) {
    const layer = layerOf(network, index);
    if (index === 0) {
      const inputRow = <usize>network.featureStride * sizeof<T>();
      layerGradient<T>(network, layer, input, inputRow, rows, isFresh);
      return;
    }
    const before = layerOf(network, index - 1);
    layerGradient<T>(network, layer, before.kept, <usize>before.stride * sizeof<T>(), rows, isFresh);
    passBack<T>(layer, before, rows);
    activationBackward<T>(before, rows);
  }
}
