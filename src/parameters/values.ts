import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';

/** How numbers are kept: 4 or 8 bytes each. */
export type DataType = 'float32' | 'float64';

/** A flat array of numbers in an ordinary ArrayBuffer. */
export type Values = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A new array of zeros. */
export function createValues(dtype: DataType, length: number): Values {
  return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/** The dtype of an array. */
export function dataTypeOf(values: Values): DataType {
  return values instanceof Float32Array ? 'float32' : 'float64';
}

/** Throws InvalidOptionError unless `dtype` names a type of number. */
export function checkDataType(dtype: unknown): DataType {
  if (dtype === 'float32' || dtype === 'float64') return dtype;
  throw new InvalidOptionError(`dtype is ${show(dtype)}, expected 'float32' or 'float64'`);
}

/** The index of the first NaN or Infinity from `start` to before `end`, or −1. */
export function findNonFinite(values: ArrayLike<number>, start = 0, end: number = values.length): number {
  const hasOnlyFinite =
    values instanceof Float32Array
      ? isSumOfFloatsFinite
      : values instanceof Float64Array
        ? isSumOfDoublesFinite
        : undefined;
  if (hasOnlyFinite === undefined || end - start < 32) return scanForNonFinite(values, start, end);
  for (let from = start; from < end; from += valuesPerBlock) {
    const to = Math.min(end, from + valuesPerBlock);
    if (hasOnlyFinite(values as never, from, to)) continue;
    // Doubles that are finite may add up to more than a double holds: then nothing is found here.
    const index = scanForNonFinite(values, from, to);
    if (index >= 0) return index;
  }
  return -1;
}

/** Few enough to be still in the cache when one of them has to be looked for. */
const valuesPerBlock = 4_096;

function scanForNonFinite(values: ArrayLike<number>, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    // x − x is 0 for every finite x and NaN for the others.
    if ((values[i] as number) - (values[i] as number) !== 0) return i;
  }
  return -1;
}

// A sum with a NaN or an Infinity in it is never finite, and eight values a turn in four chains need no test of their
// own. The loop is written twice: one that has met both kinds of array takes twice as long for either.

function isSumOfFloatsFinite(values: Float32Array, start: number, end: number): boolean {
  const whole = end - ((end - start) % 8);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = start; i < whole; i += 8) {
    a += (values[i] as number) + (values[i + 4] as number);
    b += (values[i + 1] as number) + (values[i + 5] as number);
    c += (values[i + 2] as number) + (values[i + 6] as number);
    d += (values[i + 3] as number) + (values[i + 7] as number);
  }
  for (let i = whole; i < end; i++) a += values[i] as number;
  return Number.isFinite(a + b + (c + d));
}

function isSumOfDoublesFinite(values: Float64Array, start: number, end: number): boolean {
  const whole = end - ((end - start) % 8);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = start; i < whole; i += 8) {
    a += (values[i] as number) + (values[i + 4] as number);
    b += (values[i + 1] as number) + (values[i + 5] as number);
    c += (values[i + 2] as number) + (values[i + 6] as number);
    d += (values[i + 3] as number) + (values[i + 7] as number);
  }
  for (let i = whole; i < end; i++) a += values[i] as number;
  return Number.isFinite(a + b + (c + d));
}
