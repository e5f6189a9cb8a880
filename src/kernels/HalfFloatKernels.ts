import { referenceHalfFloats } from './referenceHalfFloats.ts';
import { selectedBuild } from './selection.ts';
import { wasmHalfFloats } from './wasm/wasmHalfFloats.ts';

/**
 * float32 as 16 bits and back. Rounds to the nearest, ties to even; what is beyond the largest becomes infinite; NaN
 * stays NaN, of whatever payload. Arrays are of one length.
 */
export interface HalfFloatKernels {
  /** IEEE 754 binary16: 11 significant bits, up to 65,504, in steps of 2⁻²⁴ next to 0. */
  encodeFloat16(values: Float32Array, codes: Uint16Array): void;
  decodeFloat16(codes: Uint16Array, values: Float32Array): void;
  /** bfloat16: the upper half of a float32, 8 significant bits and its whole range. */
  encodeBfloat16(values: Float32Array, codes: Uint16Array): void;
  decodeBfloat16(codes: Uint16Array, values: Float32Array): void;
}

/** The kernels that are selected. */
export function halfFloatKernels(): HalfFloatKernels {
  const build = selectedBuild();
  return build === undefined ? referenceHalfFloats : wasmHalfFloats(build);
}
