// Whole numbers of 8 or 4 bits, with one scale for each block of values: code · scale is within half a step of the
// value, or within one step where the rounding is stochastic.

/** Codes from −127 to 127; −128 is not used, so that the range is symmetric. */
const int8Largest = 127;
/** Codes from −7 to 7, two in a byte, the first in its lower half, as code + 8. */
const int4Largest = 7;

/**
 * How codes are rounded: to the nearest, ties to even, or with `randoms`, one in [0, 1) for each value, up with the
 * probability of what is cut off: then the expected code · scale is the value (Alistarh and others 2017).
 */
export interface QuantiseOptions {
  /** Values that share a scale; the last block may be shorter. */
  readonly blockLength: number;
  readonly randoms?: ArrayLike<number>;
}

/**
 * Fills one code for each value and one scale, its largest magnitude / 127, for each block. Values are finite, and of
 * a magnitude that float32 can hold. A block of zeros, or of numbers so small that its scale is 0, has codes 0.
 */
export function quantiseInt8(
  values: ArrayLike<number>,
  codes: Int8Array,
  scales: Float32Array,
  { blockLength, randoms }: QuantiseOptions,
): void {
  for (let block = 0, start = 0; start < values.length; block++, start += blockLength) {
    const end = Math.min(values.length, start + blockLength);
    const scale = scaleOf(values, start, end, int8Largest);
    scales[block] = scale;
    for (let i = start; i < end; i++)
      codes[i] = codeOf(values[i] as number, scale, int8Largest, randoms?.[i]);
  }
}

/** values[i] = codes[i] · its scale. */
export function dequantiseInt8(
  codes: Int8Array,
  scales: Float32Array,
  values: Float32Array | Float64Array,
  blockLength: number,
): void {
  for (let block = 0, start = 0; start < values.length; block++, start += blockLength) {
    const end = Math.min(values.length, start + blockLength);
    const scale = scales[block] as number;
    for (let i = start; i < end; i++) values[i] = (codes[i] as number) * scale;
  }
}

/** The same with 4 bits: scales are the largest magnitude / 7; `codes` has a byte for each two values. */
export function quantiseInt4(
  values: ArrayLike<number>,
  codes: Uint8Array,
  scales: Float32Array,
  { blockLength, randoms }: QuantiseOptions,
): void {
  codes.fill(0);
  for (let block = 0, start = 0; start < values.length; block++, start += blockLength) {
    const end = Math.min(values.length, start + blockLength);
    const scale = scaleOf(values, start, end, int4Largest);
    scales[block] = scale;
    for (let i = start; i < end; i++) {
      const code = codeOf(values[i] as number, scale, int4Largest, randoms?.[i]) + 8;
      codes[i >> 1] = (codes[i >> 1] as number) | (code << (4 * (i & 1)));
    }
  }
}

/** values[i] = its code · its scale. */
export function dequantiseInt4(
  codes: Uint8Array,
  scales: Float32Array,
  values: Float32Array | Float64Array,
  blockLength: number,
): void {
  for (let block = 0, start = 0; start < values.length; block++, start += blockLength) {
    const end = Math.min(values.length, start + blockLength);
    const scale = scales[block] as number;
    for (let i = start; i < end; i++) {
      const code = ((codes[i >> 1] as number) >> (4 * (i & 1))) & 15;
      values[i] = (code - 8) * scale;
    }
  }
}

function scaleOf(values: ArrayLike<number>, start: number, end: number, largestCode: number): number {
  let largest = 0;
  for (let i = start; i < end; i++) {
    const magnitude = Math.abs(values[i] as number);
    if (magnitude > largest) largest = magnitude;
  }
  const scale = Math.fround(largest / largestCode);
  // Next to the largest float a scale that was rounded up would make infinity of the largest code.
  return Number.isFinite(Math.fround(scale * largestCode)) ? scale : Math.fround(scale * (1 - 2 ** -23));
}

// Adding it leaves no binary places, so that the sum is rounded to a whole number, ties to even.
const roundingTerm = 1.5 * 2 ** 52;

function codeOf(value: number, scale: number, largest: number, random: number | undefined): number {
  if (scale === 0) return 0;
  const steps = value / scale;
  const code = random === undefined ? steps + roundingTerm - roundingTerm : Math.floor(steps + random);
  // The scale is a float: rounded down, it makes the largest value a little more than the largest code.
  return Math.max(-largest, Math.min(largest, code));
}
