// Every kernel that is called from outside, for floats (32) and doubles (64).
import { activate } from './activations';
import {
  activateLayer,
  activationBackward,
  applyMask,
  forward,
  forwardLayer,
  gatherRows,
  layerGradient,
  layerOf,
  lossOf,
  Network,
  passBack,
} from './network';
import { clipValues, measure, Rule, rescale, takeStep } from './optimizers';
import { areFinite, areRowsFinite, predict } from './predictions';
import { product, productTransposed } from './products';
import { accumulate, addShare, costOf, finishMean, penaltyOf, Training, trainBatch } from './training';

/** Where a layer reads its rows: the features, or what the layer before has left. */
function inputOf(network: Network, index: i32, features: usize): usize {
  return index === 0 ? features : layerOf(network, index - 1).kept;
}

/** Bytes from one of these rows to the next. */
function inputRow<T>(network: Network, index: i32): usize {
  const stride = index === 0 ? network.featureStride : layerOf(network, index - 1).stride;
  return <usize>stride * sizeof<T>();
}

export function activate32(code: i32, values: usize, rows: i32, columns: i32, row: usize): void {
  activate<f32>(code, values, rows, columns, row);
}

export function activate64(code: i32, values: usize, rows: i32, columns: i32, row: usize): void {
  activate<f64>(code, values, rows, columns, row);
}

export function product32(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  start: usize,
  startRow: usize,
): void {
  product<f32>(m, n, k, a, aRow, aStep, b, bStep, c, cRow, start, startRow);
}

export function product64(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  start: usize,
  startRow: usize,
): void {
  product<f64>(m, n, k, a, aRow, aStep, b, bStep, c, cRow, start, startRow);
}

export function productTransposed32(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
): void {
  productTransposed<f32>(m, n, k, a, aRow, b, bRow, c, cRow);
}

export function productTransposed64(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
): void {
  productTransposed<f64>(m, n, k, a, aRow, b, bRow, c, cRow);
}

export function trainBatch32(training: Training, first: i32, count: i32): f64 {
  return trainBatch<f32>(training, first, count);
}

export function trainBatch64(training: Training, first: i32, count: i32): f64 {
  return trainBatch<f64>(training, first, count);
}

export function accumulate32(training: Training, first: i32, count: i32, isFresh: bool, sum: f64): f64 {
  return accumulate<f32>(training, first, count, isFresh, sum);
}

export function accumulate64(training: Training, first: i32, count: i32, isFresh: bool, sum: f64): f64 {
  return accumulate<f64>(training, first, count, isFresh, sum);
}

export function cost32(training: Training, first: i32, count: i32, sum: f64): f64 {
  return costOf<f32>(training, first, count, sum);
}

export function cost64(training: Training, first: i32, count: i32, sum: f64): f64 {
  return costOf<f64>(training, first, count, sum);
}

export function finishMean32(training: Training, sum: f64, rows: i32): f64 {
  return finishMean<f32>(training, sum, rows);
}

export function finishMean64(training: Training, sum: f64, rows: i32): f64 {
  return finishMean<f64>(training, sum, rows);
}

export function penalty32(training: Training): f64 {
  return penaltyOf<f32>(training, false);
}

export function penalty64(training: Training): f64 {
  return penaltyOf<f64>(training, false);
}

export function takeStep32(
  rule: Rule,
  values: usize,
  gradient: usize,
  firstSlot: usize,
  secondSlot: usize,
  length: i32,
): void {
  takeStep<f32>(rule, values, gradient, firstSlot, secondSlot, length, 1);
}

export function takeStep64(
  rule: Rule,
  values: usize,
  gradient: usize,
  firstSlot: usize,
  secondSlot: usize,
  length: i32,
): void {
  takeStep<f64>(rule, values, gradient, firstSlot, secondSlot, length, 1);
}

export function addShare32(target: usize, gradient: usize, length: i32, share: f64): void {
  addShare<f32>(target, gradient, length, share);
}

export function addShare64(target: usize, gradient: usize, length: i32, share: f64): void {
  addShare<f64>(target, gradient, length, share);
}

export function areFinite32(at: usize, length: i32): bool {
  return areFinite<f32>(at, length);
}

export function areFinite64(at: usize, length: i32): bool {
  return areFinite<f64>(at, length);
}

export function measure32(at: usize, length: i32, scale: f64): f64 {
  return measure<f32>(at, length, scale);
}

export function measure64(at: usize, length: i32, scale: f64): f64 {
  return measure<f64>(at, length, scale);
}

export function clipValues32(at: usize, length: i32, limit: f64): void {
  clipValues<f32>(at, length, limit);
}

export function clipValues64(at: usize, length: i32, limit: f64): void {
  clipValues<f64>(at, length, limit);
}

export function rescale32(at: usize, length: i32, divisor: f64, factor: f64): void {
  rescale<f32>(at, length, divisor, factor);
}

export function rescale64(at: usize, length: i32, divisor: f64, factor: f64): void {
  rescale<f64>(at, length, divisor, factor);
}

export function gatherRows32(network: Network, order: usize, first: i32, count: i32): usize {
  return gatherRows<f32>(network, order, first, count);
}

export function gatherRows64(network: Network, order: usize, first: i32, count: i32): usize {
  return gatherRows<f64>(network, order, first, count);
}

export function forward32(network: Network, input: usize, rows: i32, activatesLast: bool): void {
  forward<f32>(network, input, rows, activatesLast);
}

export function forward64(network: Network, input: usize, rows: i32, activatesLast: bool): void {
  forward<f64>(network, input, rows, activatesLast);
}

export function predict32(network: Network, features: usize, rows: i32): bool {
  return predict<f32>(network, features, rows);
}

export function predict64(network: Network, features: usize, rows: i32): bool {
  return predict<f64>(network, features, rows);
}

export function areRowsFinite32(network: Network, features: usize, rows: i32): bool {
  return areRowsFinite<f32>(network, features, rows);
}

export function areRowsFinite64(network: Network, features: usize, rows: i32): bool {
  return areRowsFinite<f64>(network, features, rows);
}

export function forwardLayer32(network: Network, index: i32, input: usize, rows: i32): void {
  forwardLayer<f32>(
    layerOf(network, index),
    inputOf(network, index, input),
    inputRow<f32>(network, index),
    rows,
  );
}

export function forwardLayer64(network: Network, index: i32, input: usize, rows: i32): void {
  forwardLayer<f64>(
    layerOf(network, index),
    inputOf(network, index, input),
    inputRow<f64>(network, index),
    rows,
  );
}

export function activateLayer32(network: Network, index: i32, rows: i32): void {
  activateLayer<f32>(layerOf(network, index), rows);
}

export function activateLayer64(network: Network, index: i32, rows: i32): void {
  activateLayer<f64>(layerOf(network, index), rows);
}

export function dropUnits32(network: Network, index: i32, rows: i32): void {
  const layer = layerOf(network, index);
  applyMask<f32>(layer.kept, layer.values, layer.mask, rows * layer.stride);
}

export function dropUnits64(network: Network, index: i32, rows: i32): void {
  const layer = layerOf(network, index);
  applyMask<f64>(layer.kept, layer.values, layer.mask, rows * layer.stride);
}

export function loss32(network: Network, order: usize, first: i32, rows: i32, sum: f64): f64 {
  return lossOf<f32>(network, order, first, rows, sum);
}

export function loss64(network: Network, order: usize, first: i32, rows: i32, sum: f64): f64 {
  return lossOf<f64>(network, order, first, rows, sum);
}

export function activationBackward32(network: Network, index: i32, rows: i32): void {
  activationBackward<f32>(layerOf(network, index), rows);
}

export function activationBackward64(network: Network, index: i32, rows: i32): void {
  activationBackward<f64>(layerOf(network, index), rows);
}

export function layerGradient32(network: Network, index: i32, input: usize, rows: i32, isFresh: bool): void {
  layerGradient<f32>(
    network,
    layerOf(network, index),
    inputOf(network, index, input),
    inputRow<f32>(network, index),
    rows,
    isFresh,
  );
}

export function layerGradient64(network: Network, index: i32, input: usize, rows: i32, isFresh: bool): void {
  layerGradient<f64>(
    network,
    layerOf(network, index),
    inputOf(network, index, input),
    inputRow<f64>(network, index),
    rows,
    isFresh,
  );
}

export function passBack32(network: Network, index: i32, rows: i32): void {
  passBack<f32>(layerOf(network, index), layerOf(network, index - 1), rows);
}

export function passBack64(network: Network, index: i32, rows: i32): void {
  passBack<f64>(layerOf(network, index), layerOf(network, index - 1), rows);
}

/** The first address that the code itself does not use. */
export function heapBase(): usize {
  return __heap_base;
}
