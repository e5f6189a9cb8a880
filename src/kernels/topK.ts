import { isLittleEndian } from '../parameters/littleEndian.ts';
import type { Values } from '../parameters/values.ts';

// A number without its sign, read as an integer, grows with its magnitude. It is looked at 11 bits at a time.
const digitBits = 11;
const digits = 2 ** digitBits;

/**
 * The places of the k values of largest magnitude, in ascending order; of equal ones the first. NaN counts as larger
 * than everything. k is cut to the number of values. A radix selection on the bits: six passes at most, whatever the
 * values, where quickselect can be led to quadratic time; passes after the first see only what shares all digits
 * with the k-th largest.
 */
export function largestMagnitudes(values: Values, k: number): Uint32Array<ArrayBuffer> {
  const count = Math.min(k, values.length);
  const places = new Uint32Array(Math.max(0, count));
  if (!(count > 0)) return places;
  if (count === values.length) return places.map((_, place) => place);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);
  const words = values instanceof Float32Array ? [{ stride: 1, offset: 0 }] : wordsOfDoubles();
  return select(bits, words, values.length, places);
}

/** Where a 32-bit word of each number lies. */
interface Word {
  readonly stride: number;
  readonly offset: number;
}

/** The high word of doubles, then the low one. */
function wordsOfDoubles(): Word[] {
  const high = isLittleEndian ? 1 : 0;
  return [
    { stride: 2, offset: high },
    { stride: 2, offset: 1 - high },
  ];
}

/** Goes down to the k-th largest digit by digit, and takes what is above it on the way. */
function select(
  bits: Uint32Array,
  words: readonly Word[],
  length: number,
  places: Uint32Array<ArrayBuffer>,
): Uint32Array<ArrayBuffer> {
  let candidates: Uint32Array | undefined;
  let taken = 0;
  for (const [index, word] of words.entries()) {
    // The sign does not count, so that the first word has 31 bits: digits of 11, 11 and 9 (10 in the second word).
    const mask = index === 0 ? 0x7fffffff : 0xffffffff;
    for (let top = index === 0 ? 31 : 32; top > 0; top -= digitBits) {
      const shift = Math.max(0, top - digitBits);
      const digitOf = { ...word, mask, shift, digitMask: 2 ** (top - shift) - 1 };
      const histogram = countDigits(bits, digitOf, candidates, length);
      const { digit, above } = findDigit(histogram, places.length - taken);
      const rest = new Uint32Array(histogram[digit] as number);
      takeAbove(bits, digitOf, candidates, length, digit, places, taken, rest);
      taken += above;
      candidates = rest;
      if (taken + rest.length === places.length) break;
    }
  }
  // All that is left is equal: the first come first.
  places.set((candidates as Uint32Array).subarray(0, places.length - taken), taken);
  return places.sort();
}

/** One digit of each number. */
interface Digit extends Word {
  readonly mask: number;
  readonly shift: number;
  readonly digitMask: number;
}

function countDigits(
  bits: Uint32Array,
  { stride, offset, mask, shift, digitMask }: Digit,
  candidates: Uint32Array | undefined,
  length: number,
): Uint32Array {
  const histogram = new Uint32Array(digits);
  const count = candidates?.length ?? length;
  for (let i = 0; i < count; i++) {
    const place = candidates === undefined ? i : (candidates[i] as number);
    const digit = (((bits[stride * place + offset] as number) & mask) >>> shift) & digitMask;
    histogram[digit] = (histogram[digit] as number) + 1;
  }
  return histogram;
}

/** The digit of the `wanted`-th largest, and how many have a larger one. */
function findDigit(histogram: Uint32Array, wanted: number): { digit: number; above: number } {
  let above = 0;
  let digit = histogram.length - 1;
  while (above + (histogram[digit] as number) < wanted) {
    above += histogram[digit] as number;
    digit--;
  }
  return { digit, above };
}

/** Puts those with a larger digit into `places`, from `taken` on, and those with this one into `rest`, in order. */
function takeAbove(
  bits: Uint32Array,
  { stride, offset, mask, shift, digitMask }: Digit,
  candidates: Uint32Array | undefined,
  length: number,
  wanted: number,
  places: Uint32Array,
  taken: number,
  rest: Uint32Array,
): void {
  const count = candidates?.length ?? length;
  let at = taken;
  let left = 0;
  for (let i = 0; i < count; i++) {
    const place = candidates === undefined ? i : (candidates[i] as number);
    const digit = (((bits[stride * place + offset] as number) & mask) >>> shift) & digitMask;
    if (digit > wanted) places[at++] = place;
    else if (digit === wanted) rest[left++] = place;
  }
}
