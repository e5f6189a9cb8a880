// Sums over one or two arrays, in doubles whatever the arrays hold. Lengths are multiples of 8, filled up with zeros.

/** Two numbers of T from the place of the i-th pair, as doubles. */
function pair<T>(at: usize, i: i32): v128 {
  if (sizeof<T>() === 4) return f64x2.promote_low_f32x4(v128.load64_zero(at + (i << 3)));
  return v128.load(at + (i << 4));
}

function total(a: v128, b: v128, c: v128, d: v128): f64 {
  const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

function plusProduct(sum: v128, x: v128, y: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(x, y, sum);
  return f64x2.add(sum, f64x2.mul(x, y));
}

function dot<T>(x: usize, y: usize, n: i32): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const step = 8 * sizeof<T>();
  for (const end = x + n * sizeof<T>(); x < end; x += step, y += step) {
    a = plusProduct(a, pair<T>(x, 0), pair<T>(y, 0));
    b = plusProduct(b, pair<T>(x, 1), pair<T>(y, 1));
    c = plusProduct(c, pair<T>(x, 2), pair<T>(y, 2));
    d = plusProduct(d, pair<T>(x, 3), pair<T>(y, 3));
  }
  return total(a, b, c, d);
}

/** Σ x y. */
export function dot32(x: usize, y: usize, n: i32): f64 {
  return dot<f32>(x, y, n);
}

export function dot64(x: usize, y: usize, n: i32): f64 {
  return dot<f64>(x, y, n);
}

function largest<T>(x: usize, n: i32): f64 {
  let a = v128.splat<T>(<T>0);
  let b = a;
  for (const end = x + n * sizeof<T>(); x < end; x += 32) {
    a = v128.max<T>(a, v128.abs<T>(v128.load(x)));
    b = v128.max<T>(b, v128.abs<T>(v128.load(x, 16)));
  }
  a = v128.max<T>(a, b);
  if (sizeof<T>() === 8) return max(f64x2.extract_lane(a, 0), f64x2.extract_lane(a, 1));
  const low = max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1));
  return max(low, max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)));
}

/** The largest |x|; NaN where there is one. */
export function largest32(x: usize, n: i32): f64 {
  return largest<f32>(x, n);
}

export function largest64(x: usize, n: i32): f64 {
  return largest<f64>(x, n);
}

/** Σ x in floats, four chains: what reading costs, to compare others with. */
export function sum32(x: usize, n: i32): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = x + ((<usize>n) << 2); x < end; x += 64) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    c = f32x4.add(c, v128.load(x, 32));
    d = f32x4.add(d, v128.load(x, 48));
  }
  a = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  const low = f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1);
  return low + f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3);
}

/** target = x − y in doubles, y being doubles. */
function subtract<T>(target: usize, x: usize, y: usize, n: i32): void {
  for (const end = target + ((<usize>n) << 3); target < end; target += 16, x += 2 * sizeof<T>(), y += 16) {
    v128.store(target, f64x2.sub(pair<T>(x, 0), v128.load(y)));
  }
}

export function subtract32(target: usize, x: usize, y: usize, n: i32): void {
  subtract<f32>(target, x, y, n);
}

export function subtract64(target: usize, x: usize, y: usize, n: i32): void {
  subtract<f64>(target, x, y, n);
}

/** Σ (x − y)². */
function squaredDistance(x: usize, y: usize, n: i32): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = x + ((<usize>n) << 3); x < end; x += 64, y += 64) {
    const p = f64x2.sub(v128.load(x), v128.load(y));
    const q = f64x2.sub(v128.load(x, 16), v128.load(y, 16));
    const r = f64x2.sub(v128.load(x, 32), v128.load(y, 32));
    const s = f64x2.sub(v128.load(x, 48), v128.load(y, 48));
    a = plusProduct(a, p, p);
    b = plusProduct(b, q, q);
    c = plusProduct(c, r, r);
    d = plusProduct(d, s, s);
  }
  return total(a, b, c, d);
}

/** distances[j] = ‖row − othersⱼ‖² for `count` rows of n doubles, `stride` bytes apart. */
export function squaredDistances(
  distances: usize,
  row: usize,
  others: usize,
  stride: usize,
  count: i32,
  n: i32,
): void {
  for (const end = distances + ((<usize>count) << 3); distances < end; distances += 8, others += stride) {
    store<f64>(distances, squaredDistance(row, others, n));
  }
}
