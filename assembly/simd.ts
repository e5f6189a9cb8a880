// 128-bit vectors of T, float or double, for code that is written once for both.

/** Numbers of T in a vector: 4 floats or 2 doubles. */
export function lanes<T>(): i32 {
  return 16 / sizeof<T>();
}

/** a·b + c: one rounding where the machine has it (the relaxed build), two elsewhere. */
export function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** The number at an address in every lane. */
export function loadSplat<T>(at: usize): v128 {
  if (sizeof<T>() === 4) return v128.load32_splat(at);
  return v128.load64_splat(at);
}

/** The sum of all lanes, in the order ((0 + 2) + (1 + 3)) of floats and 0 + 1 of doubles. */
export function sumLanes<T>(v: v128): T {
  if (sizeof<T>() === 8) return <T>(v128.extract_lane<f64>(v, 0) + v128.extract_lane<f64>(v, 1));
  const pairs = v128.add<f32>(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return <T>(v128.extract_lane<f32>(pairs, 0) + v128.extract_lane<f32>(pairs, 1));
}

/** The largest of all lanes; a NaN may be passed over. */
export function largestLane<T>(v: v128): T {
  if (sizeof<T>() === 8) {
    return <T>v128.extract_lane<f64>(v128.pmax<f64>(v, v128.shuffle<f64>(v, v, 1, 0)), 0);
  }
  const pairs = v128.pmax<f32>(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return <T>v128.extract_lane<f32>(v128.pmax<f32>(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}
