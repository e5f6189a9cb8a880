// Activations over whole arrays in place, and their slopes. Codes are those of src/kernels/wasm/codes.ts.
import { decay, expMinusOne, exponential, hyperbolicTangent, sigmoidFrom, softPlus } from './exponential';
import { lanes, largestLane, madd, sumLanes } from './simd';

export const identity: i32 = 0;
export const relu: i32 = 1;
export const leakyRelu: i32 = 2;
export const elu: i32 = 3;
export const tanh: i32 = 4;
export const sigmoid: i32 = 5;
export const softplus: i32 = 6;
export const silu: i32 = 7;
export const mish: i32 = 8;
export const gaussian: i32 = 9;
export const softmax: i32 = 10;

function splat<T>(value: f64): v128 {
  return v128.splat<T>(<T>value);
}

function isAboveZero<T>(x: v128): v128 {
  return v128.gt<T>(x, splat<T>(0));
}

function activated<T>(code: i32, z: v128): v128 {
  switch (code) {
    case relu:
      return v128.and(z, isAboveZero<T>(z));
    case leakyRelu:
      return v128.bitselect(z, v128.mul<T>(z, splat<T>(0.01)), isAboveZero<T>(z));
    case elu:
      return v128.bitselect(z, expMinusOne<T>(z), isAboveZero<T>(z));
    case tanh:
      return hyperbolicTangent<T>(z);
    case sigmoid:
      return sigmoidFrom<T>(z, decay<T>(z));
    case softplus:
      return softPlus<T>(z);
    case silu:
      return v128.mul<T>(z, sigmoidFrom<T>(z, decay<T>(z)));
    case mish:
      return v128.mul<T>(z, tanhOfSoftplus<T>(z));
    case gaussian:
      return exponential<T>(v128.neg<T>(v128.mul<T>(z, z)));
    default:
      return z;
  }
}

/** tanh(log(1 + e^z)) = (e² + 2e)/(e² + 2e + 2) with e = e^z, or with e^−|z| where that is the smaller. */
function tanhOfSoftplus<T>(z: v128): v128 {
  const e = decay<T>(z);
  const isPositive = v128.ge<T>(z, splat<T>(0));
  const two = splat<T>(2);
  // For z ≥ 0 both sides are multiplied by e^−2z.
  const negative = madd<T>(e, e, v128.add<T>(e, e));
  const positive = madd<T>(two, e, splat<T>(1));
  const above = v128.bitselect(positive, negative, isPositive);
  const rest = v128.bitselect(v128.mul<T>(two, v128.mul<T>(e, e)), two, isPositive);
  return v128.div<T>(above, v128.add<T>(above, rest));
}

/** The slope, given a and, for activations that are not monotonic, z. */
function slopeOf<T>(code: i32, a: v128, z: v128): v128 {
  const one = splat<T>(1);
  switch (code) {
    case leakyRelu:
      return v128.bitselect(one, splat<T>(0.01), isAboveZero<T>(a));
    case elu:
      return v128.bitselect(one, v128.add<T>(a, one), isAboveZero<T>(a));
    case tanh:
      return v128.sub<T>(one, v128.mul<T>(a, a));
    case sigmoid:
      return v128.mul<T>(a, v128.sub<T>(one, a));
    case softplus:
      return v128.neg<T>(expMinusOne<T>(v128.neg<T>(a)));
    case silu: {
      const s = sigmoidFrom<T>(z, decay<T>(z));
      return v128.mul<T>(s, madd<T>(z, v128.sub<T>(one, s), one));
    }
    case mish: {
      const t = tanhOfSoftplus<T>(z);
      const s = sigmoidFrom<T>(z, decay<T>(z));
      return madd<T>(v128.mul<T>(z, s), v128.sub<T>(one, v128.mul<T>(t, t)), t);
    }
    case gaussian: {
      const e = exponential<T>(v128.neg<T>(v128.mul<T>(z, z)));
      return v128.mul<T>(splat<T>(-2), v128.mul<T>(z, e));
    }
    default:
      return one;
  }
}

function applyTo<T>(code: i32, at: usize, bytes: usize): void {
  for (const end = at + bytes; at < end; at += 16) v128.store(at, activated<T>(code, v128.load(at)));
}

/** a(z) in place for rows of `columns` numbers, `row` bytes apart; what pads a row stays as it comes. */
export function activate<T>(code: i32, values: usize, rows: i32, columns: i32, row: usize): void {
  if (code === identity) return;
  if (code === softmax) {
    for (let i = 0; i < rows; i++) softmaxRow<T>(values + <usize>i * row, columns);
    return;
  }
  const bytes = <usize>rows * row;
  // A loop of its own, since the choice would cost more than the work.
  if (code === relu) rectify<T>(values, bytes);
  else applyTo<T>(code, values, bytes);
}

/** max(z, 0), and 0 for NaN. */
function rectify<T>(at: usize, bytes: usize): void {
  const zero = splat<T>(0);
  for (const end = at + bytes; at < end; at += 16) v128.store(at, v128.pmax<T>(zero, v128.load(at)));
}

/** delta ← delta ⊙ slope. */
export function multiplyBySlope<T>(
  code: i32,
  delta: usize,
  values: usize,
  inputs: usize,
  rows: i32,
  columns: i32,
  row: usize,
): void {
  if (code === identity) return;
  if (code === softmax) {
    for (let i = 0; i < rows; i++) {
      const at = <usize>i * row;
      softmaxRowBackward<T>(delta + at, values + at, columns);
    }
    return;
  }
  const bytes = <usize>rows * row;
  if (code === relu) {
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(delta + at, v128.and(v128.load(delta + at), isAboveZero<T>(v128.load(values + at))));
    }
    return;
  }
  for (let at: usize = 0; at < bytes; at += 16) {
    const slope = slopeOf<T>(code, v128.load(values + at), v128.load(inputs + at));
    v128.store(delta + at, v128.mul<T>(v128.load(delta + at), slope));
  }
}

/** The largest number of a row. A NaN may be passed over: what is made of the row is NaN all the same. */
export function largestOf<T>(at: usize, columns: i32): T {
  let largest = load<T>(at);
  let j = 1;
  if (columns >= lanes<T>()) {
    let most = v128.load(at);
    for (j = lanes<T>(); j + lanes<T>() <= columns; j += lanes<T>()) {
      most = v128.pmax<T>(most, v128.load(at + <usize>j * sizeof<T>()));
    }
    largest = largestLane<T>(most);
  }
  for (; j < columns; j++) {
    const x = load<T>(at + <usize>j * sizeof<T>());
    largest = x > largest ? x : largest;
  }
  return largest;
}

/** All bits of the first `count` lanes, none of the others. */
function firstLanes<T>(count: i32): v128 {
  if (sizeof<T>() === 4) return i32x4.lt_s(i32x4(0, 1, 2, 3), v128.splat<i32>(count));
  return i64x2.lt_s(i64x2(0, 1), v128.splat<i64>(<i64>count));
}

/** e^(z − largest) of a row in `target`, whose padding becomes 0; returns the sum. */
export function powersOfRow<T>(target: usize, source: usize, columns: i32, largest: T): T {
  const shift = v128.splat<T>(largest);
  let sum = v128.splat<T>(0);
  for (let j = 0; j < columns; j += lanes<T>()) {
    const at = <usize>j * sizeof<T>();
    let power = exponential<T>(v128.sub<T>(v128.load(source + at), shift));
    if (columns - j < lanes<T>()) power = v128.and(power, firstLanes<T>(columns - j));
    v128.store(target + at, power);
    sum = v128.add<T>(sum, power);
  }
  return sumLanes<T>(sum);
}

/** Multiplies a row, padding and all. */
export function scaleRow<T>(at: usize, columns: i32, factor: T): void {
  const vector = v128.splat<T>(factor);
  for (const end = at + <usize>columns * sizeof<T>(); at < end; at += 16) {
    v128.store(at, v128.mul<T>(v128.load(at), vector));
  }
}

function softmaxRow<T>(at: usize, columns: i32): void {
  const sum = powersOfRow<T>(at, at, columns, largestOf<T>(at, columns));
  scaleRow<T>(at, columns, <T>1 / sum);
}

/** The Jacobian of softmax: δz = a ⊙ (δa − Σ a δa). */
function softmaxRowBackward<T>(delta: usize, values: usize, columns: i32): void {
  let dot: T = 0;
  for (let j = 0; j < columns; j++) {
    const at = <usize>j * sizeof<T>();
    dot += load<T>(delta + at) * load<T>(values + at);
  }
  for (let j = 0; j < columns; j++) {
    const at = <usize>j * sizeof<T>();
    store<T>(delta + at, load<T>(values + at) * (load<T>(delta + at) - dot));
  }
}
