import type { HalfFloatKernels } from './HalfFloatKernels.ts';

/** 16-bit floats in plain TypeScript, on the bits. */
export const referenceHalfFloats: HalfFloatKernels = {
  encodeFloat16(values, codes) {
    const bits = bitsOf(values);
    for (let i = 0; i < bits.length; i++) codes[i] = float16Of(bits[i] as number);
  },

  decodeFloat16(codes, values) {
    const bits = bitsOf(values);
    for (let i = 0; i < bits.length; i++) bits[i] = fromFloat16(codes[i] as number);
  },

  encodeBfloat16(values, codes) {
    const bits = bitsOf(values);
    for (let i = 0; i < bits.length; i++) codes[i] = bfloat16Of(bits[i] as number);
  },

  decodeBfloat16(codes, values) {
    const bits = bitsOf(values);
    for (let i = 0; i < bits.length; i++) bits[i] = (codes[i] as number) << 16;
  },
};

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** The bits of a float32 as those of the nearest float16. */
function float16Of(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65,520, half a unit above the largest, and all beyond.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const odd = (magnitude >>> 13) & 1;
    return sign | ((magnitude + 0xfff + odd - 0x38000000) >>> 13);
  }
  // Subnormal: the significand in steps of 2⁻²⁴. Below half a step nothing is left.
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign;
  const shift = 126 - exponent;
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const steps = significand >>> shift;
  const rest = significand & (2 ** shift - 1);
  const half = 2 ** (shift - 1);
  const isUp = rest > half || (rest === half && (steps & 1) === 1);
  return sign | (isUp ? steps + 1 : steps);
}

/** The bits of a float16 as those of the float32 of the same value. */
function fromFloat16(code: number): number {
  const sign = (code & 0x8000) << 16;
  const exponent = (code >>> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // The leading bit of a subnormal moves to its hidden place.
  const zeros = Math.clz32(fraction) - 21;
  return sign | ((113 - zeros) << 23) | (((fraction << zeros) & 0x3ff) << 13);
}

/** The bits of a float32 as those of the nearest bfloat16. */
function bfloat16Of(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
