// Regressions with one output: each row is read once from far away. A block of rows is scored, its cost taken, and its
// gradient added while its features are still in the first-level cache.
import { decay, logarithm, logOnePlus, sigmoidFrom } from './exponential';
import { binaryCrossEntropy, dataRow, Targets } from './losses';
import { lanes, loadSplat, madd, sumLanes } from './simd';

/** What a pass over rows needs. */
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
  /** Numbers of a block of rows: scores, and what they should be where that has to be gathered. */
  scores: usize;
  wanted: usize;
  targets: Targets;
}

/** Most rows of a block. */
const blockRowsMax: i32 = 32;
/** Features of a block fill at most half of a first-level cache. */
const blockBytes: i32 = 16384;

/** Rows of a block: 4, 8, 16 or 32, by the length of a row alone, so that sums do not depend on the cuts of a chunk. */
function blockRowsOf(rowBytes: i32): i32 {
  let rows = blockRowsMax;
  while (rows > 4 && rows * rowBytes > blockBytes) rows >>= 1;
  return rows;
}

/** The sums of both vectors of doubles, or half of the sums of two of floats. */
function sumPair<T>(s: v128, t: v128): v128 {
  if (sizeof<T>() === 8) {
    return v128.add<f64>(v128.shuffle<f64>(s, t, 0, 2), v128.shuffle<f64>(s, t, 1, 3));
  }
  return v128.add<f32>(v128.shuffle<f32>(s, t, 0, 1, 4, 5), v128.shuffle<f32>(s, t, 2, 3, 6, 7));
}

/** The scores of two rows, side by side: two numbers at `target`. Rows are read in order, as prefetchers like it. */
function scoreTwo<T>(row: usize, weights: usize, bytes: usize, target: usize): void {
  let other = row + bytes;
  let s0 = v128.splat<T>(0);
  let s1 = s0;
  let t0 = s0;
  let t1 = s0;
  const end = row + bytes;
  const whole = row + (bytes & ~31);
  for (; row < whole; row += 32, other += 32, weights += 32) {
    const w0 = v128.load(weights);
    const w1 = v128.load(weights, 16);
    s0 = madd<T>(v128.load(row), w0, s0);
    s1 = madd<T>(v128.load(row, 16), w1, s1);
    t0 = madd<T>(v128.load(other), w0, t0);
    t1 = madd<T>(v128.load(other, 16), w1, t1);
  }
  if (row < end) {
    const w0 = v128.load(weights);
    s0 = madd<T>(v128.load(row), w0, s0);
    t0 = madd<T>(v128.load(other), w0, t0);
  }
  const sums = sumPair<T>(v128.add<T>(s0, s1), v128.add<T>(t0, t1));
  if (sizeof<T>() === 8) {
    v128.store(target, sums);
    return;
  }
  const pairs = v128.add<f32>(sums, v128.shuffle<f32>(sums, sums, 1, 0, 3, 2));
  v128.store64_lane(target, v128.shuffle<f32>(pairs, pairs, 0, 2, 0, 2), 0);
}

/** The score of one row, with the same bits. */
function scoreOne<T>(row: usize, weights: usize, bytes: usize): T {
  let s0 = v128.splat<T>(0);
  let s1 = s0;
  const end = row + bytes;
  const whole = row + (bytes & ~31);
  for (; row < whole; row += 32, weights += 32) {
    s0 = madd<T>(v128.load(row), v128.load(weights), s0);
    s1 = madd<T>(v128.load(row, 16), v128.load(weights, 16), s1);
  }
  if (row < end) s0 = madd<T>(v128.load(row), v128.load(weights), s0);
  return sumLanes<T>(v128.add<T>(s0, s1));
}

/** gradient += Σ slope · row over a block, a strip of columns at a time, whose sums stay in registers. */
function addBlock<T>(rows: usize, slopes: usize, count: i32, gradient: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    const strip = gradient + at;
    let g0 = v128.load(strip);
    let g1 = v128.load(strip, 16);
    let g2 = v128.load(strip, 32);
    let g3 = v128.load(strip, 48);
    let row = rows + at;
    let slope = slopes;
    for (let i = 0; i < count; i++) {
      const d = loadSplat<T>(slope);
      g0 = madd<T>(d, v128.load(row), g0);
      g1 = madd<T>(d, v128.load(row, 16), g1);
      g2 = madd<T>(d, v128.load(row, 32), g2);
      g3 = madd<T>(d, v128.load(row, 48), g3);
      row += bytes;
      slope += sizeof<T>();
    }
    v128.store(strip, g0);
    v128.store(strip, g1, 16);
    v128.store(strip, g2, 32);
    v128.store(strip, g3, 48);
  }
  for (; at < bytes; at += 16) addColumns<T>(rows + at, slopes, count, gradient + at, bytes);
}

/** The same for a strip of one vector: four chains, since one sum would wait for itself. */
function addColumns<T>(row: usize, slope: usize, count: i32, gradient: usize, bytes: usize): void {
  let g0 = v128.load(gradient);
  let g1 = v128.splat<T>(0);
  let g2 = g1;
  let g3 = g1;
  const row1 = bytes;
  const row2 = row1 + bytes;
  const row3 = row2 + bytes;
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    g0 = madd<T>(loadSplat<T>(slope), v128.load(row), g0);
    g1 = madd<T>(loadSplat<T>(slope + sizeof<T>()), v128.load(row + row1), g1);
    g2 = madd<T>(loadSplat<T>(slope + 2 * sizeof<T>()), v128.load(row + row2), g2);
    g3 = madd<T>(loadSplat<T>(slope + 3 * sizeof<T>()), v128.load(row + row3), g3);
    row += row3 + bytes;
    slope += 4 * sizeof<T>();
  }
  for (let i = whole; i < count; i++) {
    g0 = madd<T>(loadSplat<T>(slope), v128.load(row), g0);
    row += bytes;
    slope += sizeof<T>();
  }
  v128.store(gradient, v128.add<T>(v128.add<T>(g0, g1), v128.add<T>(g2, g3)));
}

/** The sum of all numbers in double precision. */
function sumWidened<T>(v: v128): f64 {
  if (sizeof<T>() === 8) return sumLanes<f64>(v);
  const low = f64x2.promote_low_f32x4(v);
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3));
  return sumLanes<f64>(v128.add<f64>(low, high));
}

/** Scores → slopes 2 (s − y) in place; adds the squares to `sum`. */
function squaredErrors<T>(scores: usize, wanted: usize, rows: i32, bias: T, sum: f64): f64 {
  const shift = v128.splat<T>(bias);
  let squares = v128.splat<f64>(0);
  const whole = rows - (rows % lanes<T>());
  for (let i = 0; i < whole; i += lanes<T>()) {
    const at = <usize>i * sizeof<T>();
    const score = v128.add<T>(v128.load(scores + at), shift);
    const difference = v128.sub<T>(score, v128.load(wanted + at));
    v128.store(scores + at, v128.add<T>(difference, difference));
    squares = addSquares<T>(squares, difference);
  }
  sum += sumLanes<f64>(squares);
  for (let i = whole; i < rows; i++) {
    const at = <usize>i * sizeof<T>();
    const difference = load<T>(scores + at) + bias - load<T>(wanted + at);
    sum += <f64>difference * <f64>difference;
    store<T>(scores + at, difference + difference);
  }
  return sum;
}

function addSquares<T>(sum: v128, x: v128): v128 {
  if (sizeof<T>() === 8) return madd<f64>(x, x, sum);
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
  return madd<f64>(high, high, madd<f64>(low, low, sum));
}

/** Multiplies 1 + e of two or four numbers into the two products. */
function multiplyOnePlus<T>(product: v128, e: v128): v128 {
  const one = v128.splat<f64>(1);
  if (sizeof<T>() === 8) return v128.mul<f64>(product, v128.add<f64>(one, e));
  const low = v128.add<f64>(one, f64x2.promote_low_f32x4(e));
  const high = v128.add<f64>(one, f64x2.promote_low_f32x4(v128.shuffle<f32>(e, e, 2, 3, 2, 3)));
  return v128.mul<f64>(product, v128.mul<f64>(low, high));
}

/**
 * Scores → slopes p − y in place; adds the log loss Σ max(z, 0) − z y + log(1 + e^−|z|) to `sum`. The logarithms of a
 * block are the one of their product, unless that is so near to 1 that digits would be lost. What lies behind the last
 * row up to a whole vector is overwritten and does not count.
 */
function logLosses<T>(scores: usize, wanted: usize, powers: usize, rows: i32, bias: T, sum: f64): f64 {
  const zero = v128.splat<T>(0);
  const shift = v128.splat<T>(bias);
  // In two rounds: the long chains of the exponentials overlap where nothing else is between them.
  for (let i = 0; i < rows; i += lanes<T>()) {
    const at = <usize>i * sizeof<T>();
    const z = v128.add<T>(v128.load(scores + at), shift);
    v128.store(scores + at, z);
    v128.store(powers + at, decay<T>(z));
  }
  let product = v128.splat<f64>(1);
  let margins = v128.splat<f64>(0);
  const whole = rows - (rows % lanes<T>());
  for (let i = 0; i < rows; i += lanes<T>()) {
    const at = <usize>i * sizeof<T>();
    const z = v128.load(scores + at);
    const y = v128.load(wanted + at);
    const power = v128.load(powers + at);
    const margin = v128.sub<T>(v128.pmax<T>(z, zero), v128.mul<T>(z, y));
    v128.store(scores + at, v128.sub<T>(sigmoidFrom<T>(z, power), y));
    if (i < whole) {
      product = multiplyOnePlus<T>(product, power);
      margins = addWidened<T>(margins, margin);
      continue;
    }
    for (let lane = 0; lane < rows - i; lane++) {
      // Lanes by number must be constants: through memory.
      const place = powers + at + <usize>lane * sizeof<T>();
      const e = <f64>load<T>(place);
      product = v128.mul<f64>(product, f64x2(1 + e, 1));
    }
    v128.store(powers + at + 16, margin);
    for (let lane = 0; lane < rows - i; lane++) {
      sum += <f64>load<T>(powers + at + 16 + <usize>lane * sizeof<T>());
    }
  }
  const all = v128.extract_lane<f64>(product, 0) * v128.extract_lane<f64>(product, 1);
  sum += sumLanes<f64>(margins);
  // NaN goes the long way too, and comes out of it.
  return all > 1.125 ? sum + logarithm(all) : sum + sumOfLogs<T>(powers, rows);
}

function addWidened<T>(sum: v128, x: v128): v128 {
  if (sizeof<T>() === 8) return v128.add<f64>(sum, x);
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
  return v128.add<f64>(v128.add<f64>(sum, low), high);
}

/** The sum of `count` numbers, in four chains. */
function sumOf<T>(at: usize, count: i32): f64 {
  let even = v128.splat<f64>(0);
  let odd = even;
  const whole = count & ~(2 * lanes<T>() - 1);
  for (let i = 0; i < whole; i += 2 * lanes<T>()) {
    even = addWidened<T>(even, v128.load(at));
    odd = addWidened<T>(odd, v128.load(at, 16));
    at += 32;
  }
  let sum = sumLanes<f64>(v128.add<f64>(even, odd));
  for (let i = whole; i < count; i++) {
    sum += <f64>load<T>(at);
    at += sizeof<T>();
  }
  return sum;
}

/** Σ log(1 + e), each to its last bits. */
function sumOfLogs<T>(powers: usize, rows: i32): f64 {
  let sum: f64 = 0;
  const whole = rows - (rows % lanes<T>());
  for (let i = 0; i < whole; i += lanes<T>()) {
    sum += sumWidened<T>(logOnePlus<T>(v128.load(powers + <usize>i * sizeof<T>())));
  }
  for (let i = whole; i < rows; i++) {
    const e = v128.splat<T>(load<T>(powers + <usize>i * sizeof<T>()));
    sum += <f64>v128.extract_lane<T>(logOnePlus<T>(e), 0);
  }
  return sum;
}

/** The address of what the scores of a block should be. */
function wantedOf<T>(regression: Regression, order: usize, first: i32, count: i32): usize {
  const values = regression.targets.values;
  if (order === 0) return values + <usize>first * sizeof<T>();
  const wanted = regression.wanted;
  for (let i = 0; i < count; i++) {
    const row = <usize>dataRow(order, first, i);
    store<T>(wanted + <usize>i * sizeof<T>(), load<T>(values + row * sizeof<T>()));
  }
  return wanted;
}

/**
 * `cost` and the cost of `count` rows, whose gradient is added if asked for. The same bits come out however rows are cut
 * into chunks of whole blocks. `rows` are the features of the first, one row behind the other; labels are found by
 * `order` and `first`.
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
  const scores = regression.scores;
  const weights = regression.weights;
  const biasGradient = regression.biasGradient;
  const bytes = <usize>regression.stride * sizeof<T>();
  const bias = regression.bias === 0 ? <T>0 : load<T>(regression.bias);
  const blockRows = blockRowsOf(<i32>bytes);
  for (let done = 0; done < count; done += blockRows) {
    const block = min(blockRows, count - done);
    const start = rows + <usize>done * bytes;
    const even = block & ~1;
    for (let i = 0; i < even; i += 2) {
      scoreTwo<T>(start + <usize>i * bytes, weights, bytes, scores + <usize>i * sizeof<T>());
    }
    if (even < block) {
      const last = <usize>even;
      store<T>(scores + last * sizeof<T>(), scoreOne<T>(start + last * bytes, weights, bytes));
    }
    const wanted = wantedOf<T>(regression, order, first + done, block);
    const powers = scores + 512;
    cost =
      regression.loss === binaryCrossEntropy
        ? logLosses<T>(scores, wanted, powers, block, bias, cost)
        : squaredErrors<T>(scores, wanted, block, bias, cost);
    if (!addsGradient) continue;
    addBlock<T>(start, scores, block, regression.gradient, bytes);
    if (biasGradient === 0) continue;
    store<T>(biasGradient, <T>(<f64>load<T>(biasGradient) + sumOf<T>(scores, block)));
  }
  return cost;
}
