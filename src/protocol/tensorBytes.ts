import { MalformedDataError } from '../errors.ts';
import { bytesOf, isLittleEndian, swapOnBigEndian } from '../parameters/littleEndian.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { BufferPool } from '../transport/BufferPool.ts';

/** Values as little-endian bytes: a view where the machine is little endian, which nearly all are. */
export function valuesToBytes(values: Values): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(values);
  return isLittleEndian ? bytes : swapOnBigEndian(bytes.slice(), values.BYTES_PER_ELEMENT);
}

/**
 * Values from little-endian bytes: always a copy, so that it is aligned and the receiver's own; in a buffer of the pool
 * where there is one.
 */
export function bytesToValues(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: DataType,
  length: number,
  pool?: BufferPool,
): Values {
  const expected = length * (dtype === 'float32' ? 4 : 8);
  if (bytes.length !== expected) {
    throw new MalformedDataError(
      `got ${bytes.length} bytes for ${length} values of ${dtype}, expected ${expected}`,
    );
  }
  const values = pool === undefined ? createValues(dtype, length) : valuesFrom(pool, dtype, length);
  const target = bytesOf(values);
  target.set(bytes);
  swapOnBigEndian(target, values.BYTES_PER_ELEMENT);
  return values;
}

/** Room for so many values in a buffer of the pool; what is in it is left from before. */
export function valuesFrom(pool: BufferPool, dtype: DataType, length: number): Values {
  const { buffer } = pool.take(length * (dtype === 'float32' ? 4 : 8));
  return dtype === 'float32' ? new Float32Array(buffer, 0, length) : new Float64Array(buffer, 0, length);
}
