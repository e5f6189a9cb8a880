// Regressions with one output: each row is read once and gives its score, its cost and its part of the gradient.
import { exponential, logOnePlus, sigmoidFrom } from './exponential';
import { binaryCrossEntropy, dataRow, Targets } from './losses';
import { lanes, madd, sumLanes } from './simd';

/** The score x·w of one row. */
function scoreOf<T>(row: usize, weights: usize, bytes: usize): T {
  let sum = v128.splat<T>(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    sum = madd<T>(v128.load(row + at), v128.load(weights + at), sum);
  }
  return sumLanes<T>(sum);
}

/** The scores of four rows that lie one behind the other. */
function scoresOfFour<T>(row: usize, weights: usize, bytes: usize, target: usize): void {
  const row1 = row + bytes;
  const row2 = row1 + bytes;
  const row3 = row2 + bytes;
  let s0 = v128.splat<T>(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let at: usize = 0; at < bytes; at += 16) {
    const w = v128.load(weights + at);
    s0 = madd<T>(v128.load(row + at), w, s0);
    s1 = madd<T>(v128.load(row1 + at), w, s1);
    s2 = madd<T>(v128.load(row2 + at), w, s2);
    s3 = madd<T>(v128.load(row3 + at), w, s3);
  }
  store<T>(target, sumLanes<T>(s0));
  store<T>(target + sizeof<T>(), sumLanes<T>(s1));
  store<T>(target + 2 * sizeof<T>(), sumLanes<T>(s2));
  store<T>(target + 3 * sizeof<T>(), sumLanes<T>(s3));
}

/** gradient += Σ slope · row, for four rows. */
function addFour<T>(row: usize, slopes: usize, gradient: usize, bytes: usize): void {
  const row1 = row + bytes;
  const row2 = row1 + bytes;
  const row3 = row2 + bytes;
  const d0 = v128.splat<T>(load<T>(slopes));
  const d1 = v128.splat<T>(load<T>(slopes + sizeof<T>()));
  const d2 = v128.splat<T>(load<T>(slopes + 2 * sizeof<T>()));
  const d3 = v128.splat<T>(load<T>(slopes + 3 * sizeof<T>()));
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = madd<T>(d0, v128.load(row + at), v128.load(gradient + at));
    sum = madd<T>(d1, v128.load(row1 + at), sum);
    sum = madd<T>(d2, v128.load(row2 + at), sum);
    v128.store(gradient + at, madd<T>(d3, v128.load(row3 + at), sum));
  }
}

function addOne<T>(row: usize, slope: T, gradient: usize, bytes: usize): void {
  const d = v128.splat<T>(slope);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(gradient + at, madd<T>(d, v128.load(row + at), v128.load(gradient + at)));
  }
}

/** Scores → slopes 2 (s − y) in place; returns the summed squares. `wanted` holds one number a row. */
function squaredErrors<T>(scores: usize, wanted: usize, rows: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const at = scores + <usize>i * sizeof<T>();
    const difference = load<T>(at) - load<T>(wanted + <usize>i * sizeof<T>());
    sum += <f64>difference * <f64>difference;
    store<T>(at, difference + difference);
  }
  return sum;
}

/** Scores → slopes p − y in place; returns the summed log loss. What pads the rows has score and label 0. */
function logLosses<T>(scores: usize, wanted: usize, rows: i32): f64 {
  let sum: f64 = 0;
  const zero = v128.splat<T>(0);
  for (let i = 0; i < rows; i += lanes<T>()) {
    const at = <usize>i * sizeof<T>();
    const z = v128.load(scores + at);
    const y = v128.load(wanted + at);
    const power = exponential<T>(v128.neg<T>(v128.abs<T>(z)));
    const margin = v128.sub<T>(v128.max<T>(z, zero), v128.mul<T>(z, y));
    const costs = v128.add<T>(margin, logOnePlus<T>(power));
    v128.store(scores + at, v128.sub<T>(sigmoidFrom<T>(z, power), y));
    if (i + lanes<T>() <= rows) {
      sum += sizeof<T>() === 8 ? <f64>sumLanes<f64>(costs) : sumWidened(costs);
    } else {
      sum += <f64>v128.extract_lane<T>(costs, 0);
      if (rows - i > 1) sum += <f64>v128.extract_lane<T>(costs, 1);
      if (rows - i > 2) sum += <f64>v128.extract_lane<f32>(costs, 2);
    }
  }
  return sum;
}

/** The sum of four floats in double precision. */
function sumWidened(v: v128): f64 {
  const low = f64x2.promote_low_f32x4(v);
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3));
  return sumLanes<f64>(v128.add<f64>(low, high));
}

/** What a pass over rows needs. The gradient of the bias stands behind that of the weights. */
@unmanaged
export class Regression {
  loss: i32;
  /** Numbers in a row of features, whole vectors, zeros after the columns. */
  stride: i32;
  weights: usize;
  /** 0 where there is none. */
  bias: usize;
  gradient: usize;
  biasGradient: usize;
  /** Numbers of a block of rows: scores, and what they should be. */
  scores: usize;
  wanted: usize;
  targets: Targets;
}

/** Rows that are scored before their gradient is added: their features are still in the first-level cache. */
export const blockRows: i32 = 32;

function readWanted<T>(regression: Regression, order: usize, first: i32, count: i32): void {
  const targets = regression.targets;
  const wanted = regression.wanted;
  for (let i = 0; i < count; i++) {
    const row = <usize>dataRow(order, first, i);
    const value =
      targets.columns === 0
        ? <T>load<i32>(targets.values + (row << 2))
        : load<T>(targets.values + row * sizeof<T>());
    store<T>(wanted + <usize>i * sizeof<T>(), value);
  }
}

/**
 * `cost` and the cost of `count` rows, whose gradient is added if asked for. The same bits come out however rows are cut
 * into chunks of whole blocks. `rows` are the features of the first, one row behind the
 * other; labels are found by `order` and `first`.
 */
export function regress<T>(
  regression: Regression,
  rows: usize,
  order: usize,
  first: i32,
  count: i32,
  addsGradient: bool,
  cost: f64,
): f64 {
  const weights = regression.weights;
  const gradient = regression.gradient;
  const biasGradient = regression.biasGradient;
  const scores = regression.scores;
  const wanted = regression.wanted;
  const bytes = <usize>regression.stride * sizeof<T>();
  const bias = regression.bias === 0 ? <T>0 : load<T>(regression.bias);
  for (let done = 0; done < count; done += blockRows) {
    const block = min(blockRows, count - done);
    const start = rows + <usize>done * bytes;
    const four = block & ~3;
    for (let i = 0; i < four; i += 4) {
      scoresOfFour<T>(start + <usize>i * bytes, weights, bytes, scores + <usize>i * sizeof<T>());
    }
    for (let i = four; i < block; i++) {
      store<T>(scores + <usize>i * sizeof<T>(), scoreOf<T>(start + <usize>i * bytes, weights, bytes));
    }
    for (let i = 0; i < block; i++) {
      const at = scores + <usize>i * sizeof<T>();
      store<T>(at, load<T>(at) + bias);
    }
    readWanted<T>(regression, order, first + done, block);
    cost +=
      regression.loss === binaryCrossEntropy
        ? logLosses<T>(scores, wanted, block)
        : squaredErrors<T>(scores, wanted, block);
    if (!addsGradient) continue;
    for (let i = 0; i < four; i += 4) {
      addFour<T>(start + <usize>i * bytes, scores + <usize>i * sizeof<T>(), gradient, bytes);
    }
    for (let i = four; i < block; i++) {
      addOne<T>(start + <usize>i * bytes, load<T>(scores + <usize>i * sizeof<T>()), gradient, bytes);
    }
    if (biasGradient === 0) continue;
    let sum = <f64>load<T>(biasGradient);
    for (let i = 0; i < block; i++) sum += <f64>load<T>(scores + <usize>i * sizeof<T>());
    store<T>(biasGradient, <T>sum);
  }
  return cost;
}
