// Steps of the built-in update rules over a stretch of values. Codes and settings are those of src/kernels/wasm/codes.ts.
import { lanes, madd } from './simd';

export const gradientDescent: i32 = 0;
export const momentum: i32 = 1;
export const nesterov: i32 = 2;
export const adaGrad: i32 = 3;
export const rmsProp: i32 = 4;
export const adam: i32 = 5;

/** A rule with its numbers; `first` and `second` mean what each rule says below. */
@unmanaged
export class Rule {
  code: i32;
  /** 1: RMSProp has a velocity too. */
  hasVelocity: i32;
  rate: f64;
  /** momentum: μ; rmsProp: decay; adam: β₁. */
  first: f64;
  /** rmsProp: momentum; adam: β₂. */
  second: f64;
  epsilon: f64;
  /** adam: 1/(1 − β₁^t) and 1/(1 − β₂^t). */
  firstCorrection: f64;
  secondCorrection: f64;
  /** adamW: rate · λ. */
  weightDecay: f64;
}

function splat<T>(value: f64): v128 {
  return v128.splat<T>(<T>value);
}

/** values −= rate · gradient. */
function descend<T>(values: usize, gradient: usize, bytes: usize, rate: f64, scale: v128): void {
  const step = splat<T>(-rate);
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = v128.mul<T>(v128.load(gradient + at), scale);
    v128.store(values + at, madd<T>(step, g, v128.load(values + at)));
  }
}

/** v ← μ v + g; values −= rate · v, or with Nesterov's look ahead rate · (g + μ v). */
function accelerate<T>(
  rule: Rule,
  values: usize,
  gradient: usize,
  velocity: usize,
  bytes: usize,
  scale: v128,
): void {
  const step = splat<T>(-rule.rate);
  const kept = splat<T>(rule.first);
  const looksAhead = rule.code === nesterov;
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = v128.mul<T>(v128.load(gradient + at), scale);
    const v = madd<T>(kept, v128.load(velocity + at), g);
    v128.store(velocity + at, v);
    const direction = looksAhead ? madd<T>(kept, v, g) : v;
    v128.store(values + at, madd<T>(step, direction, v128.load(values + at)));
  }
}

/** s ← s + g²; values −= rate · g/(√s + ε). */
function stepAdaGrad<T>(
  rule: Rule,
  values: usize,
  gradient: usize,
  squares: usize,
  bytes: usize,
  scale: v128,
): void {
  const rate = splat<T>(rule.rate);
  const epsilon = splat<T>(rule.epsilon);
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = v128.mul<T>(v128.load(gradient + at), scale);
    const s = madd<T>(g, g, v128.load(squares + at));
    v128.store(squares + at, s);
    const step = v128.div<T>(v128.mul<T>(rate, g), v128.add<T>(v128.sqrt<T>(s), epsilon));
    v128.store(values + at, v128.sub<T>(v128.load(values + at), step));
  }
}

/** s ← d s + (1 − d) g²; v ← μ v + g/(√s + ε); values −= rate · v. */
function stepRmsProp<T>(
  rule: Rule,
  values: usize,
  gradient: usize,
  squares: usize,
  velocity: usize,
  bytes: usize,
  scale: v128,
): void {
  const kept = splat<T>(rule.first);
  const taken = splat<T>(1 - rule.first);
  const epsilon = splat<T>(rule.epsilon);
  const rate = splat<T>(-rule.rate);
  const speed = splat<T>(rule.second);
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = v128.mul<T>(v128.load(gradient + at), scale);
    const s = madd<T>(kept, v128.load(squares + at), v128.mul<T>(v128.mul<T>(taken, g), g));
    v128.store(squares + at, s);
    let v = v128.div<T>(g, v128.add<T>(v128.sqrt<T>(s), epsilon));
    if (rule.hasVelocity !== 0) {
      v = madd<T>(speed, v128.load(velocity + at), v);
      v128.store(velocity + at, v);
    }
    v128.store(values + at, madd<T>(rate, v, v128.load(values + at)));
  }
}

/** Adam, after the decay of AdamW. */
function stepAdam<T>(
  rule: Rule,
  values: usize,
  gradient: usize,
  means: usize,
  squares: usize,
  bytes: usize,
  scale: v128,
): void {
  const kept = splat<T>(rule.first);
  const taken = splat<T>(1 - rule.first);
  const keptSquares = splat<T>(rule.second);
  const takenSquares = splat<T>(1 - rule.second);
  const epsilon = splat<T>(rule.epsilon);
  const rate = splat<T>(rule.rate * rule.firstCorrection);
  const correction = splat<T>(rule.secondCorrection);
  const weightDecay = splat<T>(-rule.weightDecay);
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = v128.mul<T>(v128.load(gradient + at), scale);
    const m = madd<T>(kept, v128.load(means + at), v128.mul<T>(taken, g));
    const v = madd<T>(keptSquares, v128.load(squares + at), v128.mul<T>(v128.mul<T>(takenSquares, g), g));
    v128.store(means + at, m);
    v128.store(squares + at, v);
    const root = v128.add<T>(v128.sqrt<T>(v128.mul<T>(v, correction)), epsilon);
    const value = v128.load(values + at);
    const decayed = madd<T>(weightDecay, value, value);
    v128.store(values + at, v128.sub<T>(decayed, v128.div<T>(v128.mul<T>(rate, m), root)));
  }
}

/**
 * One step over `length` numbers, a multiple of the lanes, against `factor` times the gradient. Slots are addresses, 0
 * where the rule has none.
 */
export function takeStep<T>(
  rule: Rule,
  values: usize,
  gradient: usize,
  firstSlot: usize,
  secondSlot: usize,
  length: i32,
  factor: f64,
): void {
  const bytes = <usize>length * sizeof<T>();
  const scale = splat<T>(factor);
  switch (rule.code) {
    case adam:
      return stepAdam<T>(rule, values, gradient, firstSlot, secondSlot, bytes, scale);
    case momentum:
    case nesterov:
      return accelerate<T>(rule, values, gradient, firstSlot, bytes, scale);
    case adaGrad:
      return stepAdaGrad<T>(rule, values, gradient, firstSlot, bytes, scale);
    case rmsProp:
      return stepRmsProp<T>(rule, values, gradient, firstSlot, secondSlot, bytes, scale);
    default:
      return descend<T>(values, gradient, bytes, rule.rate, scale);
  }
}

/** The largest magnitude of `length` numbers, NaN if any is. */
function largestMagnitude<T>(at: usize, length: i32): f64 {
  let largest = v128.splat<T>(0);
  for (const end = at + <usize>length * sizeof<T>(); at < end; at += 16) {
    largest = v128.max<T>(largest, v128.abs<T>(v128.load(at)));
  }
  let result = <f64>v128.extract_lane<T>(largest, 0);
  result = max<f64>(result, <f64>v128.extract_lane<T>(largest, 1));
  if (lanes<T>() === 4) {
    result = max<f64>(result, <f64>v128.extract_lane<f32>(largest, 2));
    result = max<f64>(result, <f64>v128.extract_lane<f32>(largest, 3));
  }
  return result;
}

/** Σ (x/scale)² of `length` numbers, in double precision. */
function sumOfSquares<T>(at: usize, length: i32, scale: f64): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < length; i++) {
    const x = <f64>load<T>(at + <usize>i * sizeof<T>()) / scale;
    sum += x * x;
  }
  return sum;
}

/** Largest magnitude in one stretch of a gradient; with `scale`, Σ (g/scale)² instead. */
export function measure<T>(at: usize, length: i32, scale: f64): f64 {
  return scale === 0 ? largestMagnitude<T>(at, length) : sumOfSquares<T>(at, length, scale);
}

/** Numbers cut off at ±limit. */
export function clipValues<T>(at: usize, length: i32, limit: f64): void {
  const high = splat<T>(limit);
  const low = splat<T>(-limit);
  for (const end = at + <usize>length * sizeof<T>(); at < end; at += 16) {
    v128.store(at, v128.max<T>(low, v128.min<T>(high, v128.load(at))));
  }
}

/** x ← x/divisor · factor: divided first, since the quotient of the two may be below the smallest number. */
export function rescale<T>(at: usize, length: i32, divisor: f64, factor: f64): void {
  const down = splat<T>(divisor);
  const up = splat<T>(factor);
  for (const end = at + <usize>length * sizeof<T>(); at < end; at += 16) {
    v128.store(at, v128.mul<T>(v128.div<T>(v128.load(at), down), up));
  }
}
