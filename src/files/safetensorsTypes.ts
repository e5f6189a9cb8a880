/** A type of number as a safetensors header names it. */
export type SafetensorsType =
  | 'BOOL'
  | `${'U' | 'I'}${8 | 16 | 32 | 64}`
  | 'F16'
  | 'BF16'
  | 'F32'
  | 'F64'
  | 'C64'
  | 'F8_E5M2'
  | 'F8_E4M3'
  | 'F8_E8M0'
  | 'F8_E5M2FNUZ'
  | 'F8_E4M3FNUZ'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'F4';

/** How many bits a number of each type takes. */
export const safetensorsBits: Readonly<Record<SafetensorsType, number>> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  I16: 16,
  U16: 16,
  I32: 32,
  U32: 32,
  I64: 64,
  U64: 64,
  F16: 16,
  BF16: 16,
  F32: 32,
  F64: 64,
  C64: 64,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E5M2FNUZ: 8,
  F8_E4M3FNUZ: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
};

/** Reads the number that starts at a byte of the view, little endian. */
type Decoder = (view: DataView, at: number) => number;

/** 2^−24, the smallest float16 above 0. */
const tinyFloat16 = 2 ** -24;

/** IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10. */
function float16(view: DataView, at: number): number {
  const bits = view.getUint16(at, true);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * tinyFloat16;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

const scratch = new DataView(new ArrayBuffer(4));

/** bfloat16 is the upper half of a float32. */
function bfloat16(view: DataView, at: number): number {
  scratch.setUint32(0, view.getUint16(at, true) << 16);
  return scratch.getFloat32(0);
}

/** How the numbers that mainstem understands are read. I64 and U64 are rounded beyond 2^53. */
export const safetensorsDecoders: Readonly<Partial<Record<SafetensorsType, Decoder>>> = {
  U8: (view, at) => view.getUint8(at),
  I8: (view, at) => view.getInt8(at),
  I16: (view, at) => view.getInt16(at, true),
  U16: (view, at) => view.getUint16(at, true),
  I32: (view, at) => view.getInt32(at, true),
  U32: (view, at) => view.getUint32(at, true),
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  U64: (view, at) => Number(view.getBigUint64(at, true)),
  F16: float16,
  BF16: bfloat16,
  F32: (view, at) => view.getFloat32(at, true),
  F64: (view, at) => view.getFloat64(at, true),
};
