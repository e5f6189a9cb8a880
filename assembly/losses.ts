// Losses over whole arrays: the summed cost of some rows, and its slope for every output. Sums are in double precision.
// Codes are those of src/kernels/wasm/codes.ts.
import { largestOf, powersOfRow, scaleRow } from './activations';
import { decay, logarithm, logOnePlus, sigmoidFrom } from './exponential';

export const meanSquaredError: i32 = 0;
export const huber: i32 = 1;
export const binaryCrossEntropy: i32 = 2;
export const crossEntropy: i32 = 3;
export const hinge: i32 = 4;

/** What outputs are compared with: rows of numbers, or one class a row. */
@unmanaged
export class Targets {
  /** Numbers of T, or 32-bit class indices. */
  values: usize;
  /** Numbers in a row; 0 where they are class indices. */
  columns: i32;
  /** 32-bit row numbers, or 0 where rows come in order. */
  order: usize;
}

/** Which row of the data stands at row i of a batch. */
export function dataRow(order: usize, first: i32, i: i32): i32 {
  return order === 0 ? first + i : load<i32>(order + ((<usize>(first + i)) << 2));
}

/** What an output should be: a number, or 1 for the class of the row and `other` for the rest. */
function wantedOf<T>(targets: Targets, row: i32, column: i32, columns: i32, other: T): T {
  if (targets.columns !== 0) {
    return load<T>(targets.values + <usize>(row * targets.columns + column) * sizeof<T>());
  }
  const index = load<i32>(targets.values + ((<usize>row) << 2));
  return index === (columns === 1 ? 1 : column) ? <T>1 : other;
}

function squaredErrors<T>(
  outputs: usize,
  delta: usize,
  rows: i32,
  columns: i32,
  stride: usize,
  targets: Targets,
  first: i32,
  sum: f64,
): f64 {
  const factor = <T>(2.0 / <f64>columns);
  for (let i = 0; i < rows; i++) {
    const row = dataRow(targets.order, first, i);
    const at = <usize>i * stride;
    for (let j = 0; j < columns; j++) {
      const place = at + <usize>j * sizeof<T>();
      const difference = load<T>(outputs + place) - wantedOf<T>(targets, row, j, columns, 0);
      sum += <f64>difference * <f64>difference;
      store<T>(delta + place, difference * factor);
    }
  }
  return sum;
}

function huberErrors<T>(
  outputs: usize,
  delta: usize,
  rows: i32,
  columns: i32,
  stride: usize,
  targets: Targets,
  first: i32,
  sum: f64,
  bound: f64,
): f64 {
  for (let i = 0; i < rows; i++) {
    const row = dataRow(targets.order, first, i);
    const at = <usize>i * stride;
    for (let j = 0; j < columns; j++) {
      const place = at + <usize>j * sizeof<T>();
      const error = <f64>load<T>(outputs + place) - <f64>wantedOf<T>(targets, row, j, columns, 0);
      const clipped = max<f64>(-bound, min<f64>(bound, error));
      sum += clipped * (error - clipped / 2);
      store<T>(delta + place, <T>(clipped / <f64>columns));
    }
  }
  return sum;
}

function hinges<T>(
  outputs: usize,
  delta: usize,
  rows: i32,
  columns: i32,
  stride: usize,
  targets: Targets,
  first: i32,
  sum: f64,
): f64 {
  const share = <T>(1.0 / <f64>columns);
  for (let i = 0; i < rows; i++) {
    const row = dataRow(targets.order, first, i);
    const at = <usize>i * stride;
    for (let j = 0; j < columns; j++) {
      const place = at + <usize>j * sizeof<T>();
      const sign = wantedOf<T>(targets, row, j, columns, -1);
      const loss = 1 - <f64>sign * <f64>load<T>(outputs + place);
      sum += max<f64>(0, loss);
      store<T>(delta + place, loss > 0 ? -sign * share : 0);
    }
  }
  return sum;
}

/** max(z, 0) − z y + log(1 + e^−|z|), and p − y. */
function binaryCrossEntropies<T>(
  outputs: usize,
  delta: usize,
  rows: i32,
  columns: i32,
  stride: usize,
  targets: Targets,
  first: i32,
  sum: f64,
): f64 {
  const share = <T>(1.0 / <f64>columns);
  for (let i = 0; i < rows; i++) {
    const row = dataRow(targets.order, first, i);
    const at = <usize>i * stride;
    for (let j = 0; j < columns; j++) {
      const place = at + <usize>j * sizeof<T>();
      const z = load<T>(outputs + place);
      const y = wantedOf<T>(targets, row, j, columns, 0);
      const vector = v128.splat<T>(z);
      const power = decay<T>(vector);
      sum += <f64>max<T>(z, 0) - <f64>(z * y) + <f64>v128.extract_lane<T>(logOnePlus<T>(power), 0);
      const p = v128.extract_lane<T>(sigmoidFrom<T>(vector, power), 0);
      store<T>(delta + place, (p - y) * share);
    }
  }
  return sum;
}

/** Rows whose logarithms are taken as the one of their product. Chunks of rows are cut at multiples of it. */
const rowsPerLogarithm: i32 = 4;

/** −log softmax(z) of the wanted class. */
function crossEntropies<T>(
  outputs: usize,
  delta: usize,
  rows: i32,
  columns: i32,
  stride: usize,
  targets: Targets,
  first: i32,
  sum: f64,
): f64 {
  let product: f64 = 1;
  for (let i = 0; i < rows; i++) {
    const row = dataRow(targets.order, first, i);
    const at = <usize>i * stride;
    const wanted = <usize>load<i32>(targets.values + ((<usize>row) << 2)) * sizeof<T>();
    const largest = largestOf<T>(outputs + at, columns);
    const total = powersOfRow<T>(delta + at, outputs + at, columns, largest);
    product *= <f64>total;
    sum += <f64>largest - <f64>load<T>(outputs + at + wanted);
    scaleRow<T>(delta + at, columns, <T>1 / total);
    store<T>(delta + at + wanted, load<T>(delta + at + wanted) - 1);
    if (i % rowsPerLogarithm !== rowsPerLogarithm - 1) continue;
    sum += logarithm(product);
    product = 1;
  }
  return product === 1 ? sum : sum + logarithm(product);
}

/**
 * `sum` and the cost of `rows` rows, added up row by row, so that it does not depend on how rows are cut into chunks; of
 * all losses but cross-entropy it is a mean over `columns` only after a division. Writes the slopes, divided already,
 * into `delta`. Rows are `stride` bytes apart.
 */
export function evaluateLoss<T>(
  loss: i32,
  bound: f64,
  outputs: usize,
  delta: usize,
  rows: i32,
  columns: i32,
  stride: usize,
  targets: Targets,
  first: i32,
  sum: f64,
): f64 {
  switch (loss) {
    case crossEntropy:
      return crossEntropies<T>(outputs, delta, rows, columns, stride, targets, first, sum);
    case binaryCrossEntropy:
      return binaryCrossEntropies<T>(outputs, delta, rows, columns, stride, targets, first, sum);
    case huber:
      return huberErrors<T>(outputs, delta, rows, columns, stride, targets, first, sum, bound);
    case hinge:
      return hinges<T>(outputs, delta, rows, columns, stride, targets, first, sum);
    default:
      return squaredErrors<T>(outputs, delta, rows, columns, stride, targets, first, sum);
  }
}
