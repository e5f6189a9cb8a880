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
  for (let i = start; i < end; i++) {
    // x − x is 0 for every finite x and NaN for the others.
    if ((values[i] as number) - (values[i] as number) !== 0) return i;
  }
  return -1;
}
