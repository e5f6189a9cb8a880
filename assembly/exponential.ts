// e^x, e^x − 1 and log(1 + x) on vectors: x = n log 2 + r with |r| ≤ ½ log 2, and Taylor's series of e^r − 1, whose first
// left-out term is below the last bit.
import { madd } from './simd';

// log 2 in two parts: the first has so few bits that n times it is exact (Cody and Waite 1980).
const log2High64: f64 = 0.69314718036912381649;
const log2Low64: f64 = 1.90821492927058770002e-10;
const log2High32: f32 = 0.693359375;
const log2Low32: f32 = -2.12194440054690583e-4;
const perLog2: f64 = 1.4426950408889634074;
const wholeShift: f64 = 6755399441055744.0 + 1023.0;
/** Beyond these e^x is no normal number. */
const lowest64: f64 = -708.39;
const highest64: f64 = 709.43;
const lowest32: f32 = -87.33;
const highest32: f32 = 88.37;

function constant<T>(value: f64): v128 {
  return v128.splat<T>(<T>value);
}

/** x within what has a normal power; NaN stays NaN. */
function clamp<T>(x: v128): v128 {
  const low = sizeof<T>() === 4 ? <f64>lowest32 : lowest64;
  const high = sizeof<T>() === 4 ? <f64>highest32 : highest64;
  return v128.pmin<T>(v128.pmax<T>(x, constant<T>(low)), constant<T>(high));
}

/** The whole number of log 2 in x. */
function wholePart<T>(x: v128): v128 {
  if (sizeof<T>() === 8) return v128.nearest<f64>(v128.mul<f64>(x, constantAt<f64>(perLog2At)));
  return v128.nearest<T>(v128.mul<T>(x, constant<T>(perLog2)));
}

/** 2^n for a whole n: n added to the bits of the exponent. */
function powerOfTwo<T>(n: v128): v128 {
  if (sizeof<T>() === 4) {
    const bits = i32x4.trunc_sat_f32x4_s(n);
    return i32x4.add(i32x4.shl(bits, 23), v128.splat<i32>(0x3f800000));
  }
  // 1.5·2^52 + 1023 + n has the exponent of 2^n in its lowest bits.
  return i64x2.shl(v128.add<f64>(n, constantAt<f64>(wholeShiftAt)), 52);
}

// Constants of series are read from memory: an engine makes a constant vector anew at each use, in three instructions.
const table64 = memory.data<f64>([
  0.5,
  1.0 / 6.0,
  1.0 / 24.0,
  1.0 / 120.0,
  1.0 / 720.0,
  1.0 / 5040.0,
  1.0 / 40320.0,
  1.0 / 362880.0,
  1.0 / 3628800.0,
  1.0 / 39916800.0,
  1.0 / 479001600.0,
  1.0 / 6227020800.0,
  perLog2,
  log2High64,
  log2Low64,
  lowest64,
  wholeShift,
]);
const perLog2At: usize = 12;
const log2HighAt: usize = 13;
const log2LowAt: usize = 14;
const lowestAt: usize = 15;
const wholeShiftAt: usize = 16;
const table32 = memory.data<f32>([0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0]);

/** An entry of the table in every lane: 1/(n + 2)! for n from 0; for doubles what is named above behind them. */
function constantAt<T>(n: usize): v128 {
  if (sizeof<T>() === 4) return v128.load32_splat(table32 + 4 * n);
  return v128.load64_splat(table64 + 8 * n);
}

/** e^r − 1 for |r| ≤ ½ log 2. */
function seriesOfExpm1<T>(x: v128, n: v128): v128 {
  if (sizeof<T>() === 4) {
    let r = v128.sub<f32>(x, v128.mul<f32>(n, v128.splat<f32>(log2High32)));
    r = v128.sub<f32>(r, v128.mul<f32>(n, v128.splat<f32>(log2Low32)));
    // Pairs of terms, whose sums need not wait for each other (Estrin).
    const r2 = v128.mul<f32>(r, r);
    const low = madd<f32>(r, constantAt<f32>(1), constantAt<f32>(0));
    const middle = madd<f32>(r, constantAt<f32>(3), constantAt<f32>(2));
    const high = madd<f32>(r, constantAt<f32>(5), constantAt<f32>(4));
    return madd<f32>(r2, madd<f32>(r2, madd<f32>(r2, high, middle), low), r);
  }
  let r = v128.sub<f64>(x, v128.mul<f64>(n, constantAt<f64>(log2HighAt)));
  r = v128.sub<f64>(r, v128.mul<f64>(n, constantAt<f64>(log2LowAt)));
  // Three short chains instead of a long one: sums of four terms each (Estrin).
  const r2 = v128.mul<f64>(r, r);
  const r4 = v128.mul<f64>(r2, r2);
  let low = madd<f64>(r, constantAt<f64>(1), constantAt<f64>(0));
  low = madd<f64>(r2, madd<f64>(r, constantAt<f64>(3), constantAt<f64>(2)), low);
  let middle = madd<f64>(r, constantAt<f64>(5), constantAt<f64>(4));
  middle = madd<f64>(r2, madd<f64>(r, constantAt<f64>(7), constantAt<f64>(6)), middle);
  let high = madd<f64>(r, constantAt<f64>(9), constantAt<f64>(8));
  high = madd<f64>(r2, madd<f64>(r, constantAt<f64>(11), constantAt<f64>(10)), high);
  const sum = madd<f64>(r4, madd<f64>(r4, high, middle), low);
  return madd<f64>(r2, sum, r);
}

/** e^x; 0 where that is no normal number. */
export function exponential<T>(x: v128): v128 {
  const inside = clamp<T>(x);
  const n = wholePart<T>(inside);
  const scale = powerOfTwo<T>(n);
  const power = madd<T>(scale, seriesOfExpm1<T>(inside, n), scale);
  const low = sizeof<T>() === 4 ? <f64>lowest32 : lowest64;
  return v128.andnot(power, v128.lt<T>(x, constant<T>(low)));
}

/** e^x − 1, to the last bits also of a small x. */
export function expMinusOne<T>(x: v128): v128 {
  const inside = clamp<T>(x);
  const n = wholePart<T>(inside);
  const scale = powerOfTwo<T>(n);
  return madd<T>(scale, seriesOfExpm1<T>(inside, n), v128.sub<T>(scale, constant<T>(1)));
}

/**
 * log(1 + x) for 0 ≤ x ≤ 1: 2 artanh(s) with s = x/(2 + x), or beyond √2 − 1 half of log 2 and the rest, where
 * |s| ≤ 0.172 and the series is s + s³/3 + s⁵/5 …
 */
export function logOnePlus<T>(x: v128): v128 {
  const isHigh = v128.gt<T>(x, constant<T>(0.4142135623730950488));
  const root = constant<T>(1.4142135623730950488);
  const one = constant<T>(1);
  const plusOne = v128.add<T>(one, x);
  const above = v128.bitselect(v128.sub<T>(plusOne, root), x, isHigh);
  const below = v128.add<T>(plusOne, v128.bitselect(root, one, isHigh));
  const s = v128.div<T>(above, below);
  const q = v128.mul<T>(s, s);
  const sum = sizeof<T>() === 4 ? artanhTerms32(q) : artanhTerms64(q);
  const twice = v128.add<T>(s, s);
  const offset = v128.and(constant<T>(0.34657359027997265471), isHigh);
  return v128.add<T>(madd<T>(v128.mul<T>(twice, q), sum, twice), offset);
}

/** 1/3 + q/5 + q²/7 … */
function artanhTerms32(q: v128): v128 {
  let sum = v128.splat<f32>(1.0 / 11.0);
  sum = madd<f32>(sum, q, v128.splat<f32>(1.0 / 9.0));
  sum = madd<f32>(sum, q, v128.splat<f32>(1.0 / 7.0));
  sum = madd<f32>(sum, q, v128.splat<f32>(1.0 / 5.0));
  return madd<f32>(sum, q, v128.splat<f32>(1.0 / 3.0));
}

function artanhTerms64(q: v128): v128 {
  const q2 = v128.mul<f64>(q, q);
  const q4 = v128.mul<f64>(q2, q2);
  let low = madd<f64>(q, v128.splat<f64>(1.0 / 5.0), v128.splat<f64>(1.0 / 3.0));
  low = madd<f64>(q2, madd<f64>(q, v128.splat<f64>(1.0 / 9.0), v128.splat<f64>(1.0 / 7.0)), low);
  let middle = madd<f64>(q, v128.splat<f64>(1.0 / 13.0), v128.splat<f64>(1.0 / 11.0));
  middle = madd<f64>(q2, madd<f64>(q, v128.splat<f64>(1.0 / 17.0), v128.splat<f64>(1.0 / 15.0)), middle);
  const high = madd<f64>(q, v128.splat<f64>(1.0 / 21.0), v128.splat<f64>(1.0 / 19.0));
  return madd<f64>(q4, madd<f64>(q4, high, middle), low);
}

/** log x for a normal x above 0: e log 2 + log m with m between √½ and √2. NaN where x is not finite. */
export function logarithm(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  // The exponent of x/√½, so that m is as near to 1 as it can be.
  const exponent = (bits - 0x3fe6a09e667f3bcd) >> 52;
  const m = reinterpret<f64>(bits - (exponent << 52));
  const s = (m - 1) / (m + 1);
  const q = s * s;
  const sum = v128.extract_lane<f64>(artanhTerms64(v128.splat<f64>(q)), 0);
  const e = <f64>exponent;
  // The bits of NaN and infinity would be taken for those of a number.
  return x - x + e * log2High64 + (2 * s + (2 * s * q * sum + e * log2Low64));
}

/** The logistic sigmoid of x, given e^−|x|. */
export function sigmoidFrom<T>(x: v128, power: v128): v128 {
  const one = constant<T>(1);
  const isNegative = v128.lt<T>(x, constant<T>(0));
  return v128.div<T>(v128.bitselect(power, one, isNegative), v128.add<T>(one, power));
}

/** e^−|x|, for which half of the bounds need no look. */
export function decay<T>(x: v128): v128 {
  const low = sizeof<T>() === 4 ? v128.splat<f32>(lowest32) : constantAt<f64>(lowestAt);
  const negative = v128.neg<T>(v128.abs<T>(x));
  const inside = v128.pmax<T>(negative, low);
  const n = wholePart<T>(inside);
  const scale = powerOfTwo<T>(n);
  const power = madd<T>(scale, seriesOfExpm1<T>(inside, n), scale);
  return v128.andnot(power, v128.lt<T>(negative, low));
}

/** tanh x = E/(E + 2) with E = e^2x − 1. */
export function hyperbolicTangent<T>(x: v128): v128 {
  const bound = constant<T>(22);
  const inside = v128.pmax<T>(v128.pmin<T>(x, bound), v128.neg<T>(bound));
  const e = expMinusOne<T>(v128.add<T>(inside, inside));
  return v128.div<T>(e, v128.add<T>(e, constant<T>(2)));
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^−|x|). */
export function softPlus<T>(x: v128): v128 {
  return v128.add<T>(v128.pmax<T>(x, constant<T>(0)), logOnePlus<T>(decay<T>(x)));
}
