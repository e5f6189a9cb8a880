// float32 to 16-bit floats and back, eight numbers a turn. Lengths are multiples of 8.

/** Four floats as float16 in the low half of each lane: to the nearest, ties to even. */
function toHalf(x: v128): v128 {
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  // The exponent's bias goes from 127 to 15, after a carry where what is cut off rounds up.
  const carried = i32x4.add(i32x4.add(magnitude, odd), i32x4.splat(0xfff - 0x38000000));
  const normal = i32x4.shr_u(carried, 13);
  // Beside 0.5 the unit in the last place is that of subnormal halves: adding it rounds.
  const small = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  const isNan = i32x4.gt_s(magnitude, i32x4.splat(0x7f800000));
  const large = v128.or(i32x4.splat(0x7c00), v128.and(isNan, i32x4.splat(0x200)));
  let half = v128.bitselect(small, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  half = v128.bitselect(large, half, i32x4.ge_s(magnitude, i32x4.splat(0x477ff000)));
  return v128.or(half, v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000)));
}

function fromHalf(half: v128): v128 {
  const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
  const magnitude = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
  // 0x77800000 are the bits of 2¹¹², which is the difference of the biases; the product is right for subnormal halves too.
  const finite = f32x4.mul(magnitude, i32x4.splat(0x77800000));
  const infinite = v128.or(magnitude, i32x4.splat(0x7f800000));
  const isBelow = i32x4.lt_s(magnitude, i32x4.splat(0x0f800000));
  return v128.or(sign, v128.bitselect(finite, infinite, isBelow));
}

/** Four floats as bfloat16 in the low half of each lane: to the nearest, ties to even. */
function toBrain(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(x, odd), i32x4.splat(0x7fff)), 16);
  const isNan = i32x4.gt_s(v128.and(x, i32x4.splat(0x7fffffff)), i32x4.splat(0x7f800000));
  const nan = v128.or(v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000)), i32x4.splat(0x7fc0));
  return v128.bitselect(nan, rounded, isNan);
}

export function encodeFloat16(codes: usize, values: usize, n: i32): void {
  for (const end = codes + ((<usize>n) << 1); codes < end; codes += 16, values += 32) {
    v128.store(codes, i16x8.narrow_i32x4_u(toHalf(v128.load(values)), toHalf(v128.load(values, 16))));
  }
}

export function decodeFloat16(values: usize, codes: usize, n: i32): void {
  for (const end = codes + ((<usize>n) << 1); codes < end; codes += 16, values += 32) {
    const eight = v128.load(codes);
    v128.store(values, fromHalf(i32x4.extend_low_i16x8_u(eight)));
    v128.store(values, fromHalf(i32x4.extend_high_i16x8_u(eight)), 16);
  }
}

export function encodeBfloat16(codes: usize, values: usize, n: i32): void {
  for (const end = codes + ((<usize>n) << 1); codes < end; codes += 16, values += 32) {
    v128.store(codes, i16x8.narrow_i32x4_u(toBrain(v128.load(values)), toBrain(v128.load(values, 16))));
  }
}

export function decodeBfloat16(values: usize, codes: usize, n: i32): void {
  for (const end = codes + ((<usize>n) << 1); codes < end; codes += 16, values += 32) {
    const eight = v128.load(codes);
    v128.store(values, i32x4.shl(i32x4.extend_low_i16x8_u(eight), 16));
    v128.store(values, i32x4.shl(i32x4.extend_high_i16x8_u(eight), 16), 16);
  }
}
