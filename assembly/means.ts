// Weighted means of many children. Blocks begin at multiples of 16 bytes and hold a multiple of 8 numbers; what fills
// the last eight up is zero. `table` is a list of addresses, `weights` one of doubles, in the order of the children.

/** Two floats as doubles. */
function widened(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** Four doubles as floats. */
function narrowed(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

function plusProduct(sum: v128, weight: v128, x: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(weight, x, sum);
  return f64x2.add(sum, f64x2.mul(weight, x));
}

/** Bits that are 0 where all of four vectors are finite. */
function differencesFromThemselves(a: v128, b: v128, c: v128, d: v128): v128 {
  const low = v128.or(f64x2.sub(a, a), f64x2.sub(b, b));
  return v128.or(low, v128.or(f64x2.sub(c, c), f64x2.sub(d, d)));
}

/**
 * sums += Σ w θ over the float32 children of a table, from `offset` bytes into each; the first group finds no sums.
 * Each child is one long stream, which is what the machine's prefetcher follows.
 */
export function addProducts32(
  table: usize,
  weights: usize,
  count: i32,
  sums: usize,
  offset: usize,
  n: i32,
  isFirst: bool,
): void {
  const end = table + ((<usize>count) << 2);
  for (const stop = offset + ((<usize>n) << 2); offset < stop; offset += 32, sums += 64) {
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let d = a;
    if (!isFirst) {
      a = v128.load(sums);
      b = v128.load(sums, 16);
      c = v128.load(sums, 32);
      d = v128.load(sums, 48);
    }
    for (let entry = table, w = weights; entry < end; entry += 4, w += 8) {
      const x = <usize>load<u32>(entry) + offset;
      const weight = v128.load64_splat(w);
      a = plusProduct(a, weight, widened(x));
      b = plusProduct(b, weight, widened(x + 8));
      c = plusProduct(c, weight, widened(x + 16));
      d = plusProduct(d, weight, widened(x + 24));
    }
    v128.store(sums, a);
    v128.store(sums, b, 16);
    v128.store(sums, c, 32);
    v128.store(sums, d, 48);
  }
}

/** The same with the last children: rounds to floats at `target`. 0 where all sums are finite. */
export function finishProducts32(
  table: usize,
  weights: usize,
  count: i32,
  sums: usize,
  offset: usize,
  n: i32,
  isFirst: bool,
  target: usize,
): i32 {
  const end = table + ((<usize>count) << 2);
  let odd = f64x2.splat(0);
  for (const stop = offset + ((<usize>n) << 2); offset < stop; offset += 32, sums += 64, target += 32) {
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let d = a;
    if (!isFirst) {
      a = v128.load(sums);
      b = v128.load(sums, 16);
      c = v128.load(sums, 32);
      d = v128.load(sums, 48);
    }
    for (let entry = table, w = weights; entry < end; entry += 4, w += 8) {
      const x = <usize>load<u32>(entry) + offset;
      const weight = v128.load64_splat(w);
      a = plusProduct(a, weight, widened(x));
      b = plusProduct(b, weight, widened(x + 8));
      c = plusProduct(c, weight, widened(x + 16));
      d = plusProduct(d, weight, widened(x + 24));
    }
    odd = v128.or(odd, differencesFromThemselves(a, b, c, d));
    v128.store(target, narrowed(a, b));
    v128.store(target, narrowed(c, d), 16);
  }
  return v128.any_true(odd) ? 1 : 0;
}

/** The i-th pair of numbers at an address as doubles. */
function pair<T>(at: usize, i: usize): v128 {
  return sizeof<T>() === 4 ? widened(at + (i << 3)) : v128.load(at + (i << 4));
}

/**
 * sums += Σ w (θ − reference) over the children of a table, from `offset` bytes into each. Sums and reference are
 * doubles; the first group finds no sums.
 */
function addDifferences<T>(
  table: usize,
  weights: usize,
  count: i32,
  sums: usize,
  reference: usize,
  offset: usize,
  n: i32,
  isFirst: bool,
): void {
  const end = table + ((<usize>count) << 2);
  const step: usize = 8 * sizeof<T>();
  for (const stop = sums + ((<usize>n) << 3); sums < stop; sums += 64, reference += 64, offset += step) {
    const p = v128.load(reference);
    const q = v128.load(reference, 16);
    const r = v128.load(reference, 32);
    const s = v128.load(reference, 48);
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let d = a;
    if (!isFirst) {
      a = v128.load(sums);
      b = v128.load(sums, 16);
      c = v128.load(sums, 32);
      d = v128.load(sums, 48);
    }
    for (let entry = table, w = weights; entry < end; entry += 4, w += 8) {
      const x = <usize>load<u32>(entry) + offset;
      const weight = v128.load64_splat(w);
      a = plusProduct(a, weight, f64x2.sub(pair<T>(x, 0), p));
      b = plusProduct(b, weight, f64x2.sub(pair<T>(x, 1), q));
      c = plusProduct(c, weight, f64x2.sub(pair<T>(x, 2), r));
      d = plusProduct(d, weight, f64x2.sub(pair<T>(x, 3), s));
    }
    v128.store(sums, a);
    v128.store(sums, b, 16);
    v128.store(sums, c, 32);
    v128.store(sums, d, 48);
  }
}

export function addDifferences32(
  table: usize,
  weights: usize,
  count: i32,
  sums: usize,
  reference: usize,
  offset: usize,
  n: i32,
  isFirst: bool,
): void {
  addDifferences<f32>(table, weights, count, sums, reference, offset, n, isFirst);
}

export function addDifferences64(
  table: usize,
  weights: usize,
  count: i32,
  sums: usize,
  reference: usize,
  offset: usize,
  n: i32,
  isFirst: bool,
): void {
  addDifferences<f64>(table, weights, count, sums, reference, offset, n, isFirst);
}

/** target = reference + sums / total, in doubles. 0 where all are finite. */
export function finishDifferences(target: usize, sums: usize, reference: usize, total: f64, n: i32): i32 {
  const divisor = f64x2.splat(total);
  let odd = f64x2.splat(0);
  for (const end = target + ((<usize>n) << 3); target < end; target += 16, sums += 16, reference += 16) {
    const mean = f64x2.add(v128.load(reference), f64x2.div(v128.load(sums), divisor));
    odd = v128.or(odd, f64x2.sub(mean, mean));
    v128.store(target, mean);
  }
  return v128.any_true(odd) ? 1 : 0;
}

/** n floats as doubles. */
export function widen(target: usize, source: usize, n: i32): void {
  for (const end = target + ((<usize>n) << 3); target < end; target += 16, source += 8) {
    v128.store(target, widened(source));
  }
}

/** n doubles, rounded to floats. */
export function narrow(target: usize, source: usize, n: i32): void {
  for (const end = target + ((<usize>n) << 2); target < end; target += 16, source += 32) {
    v128.store(target, narrowed(v128.load(source), v128.load(source, 16)));
  }
}
