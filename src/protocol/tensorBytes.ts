import { MalformedDataError } from '../errors.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Values as little-endian bytes: a view where the machine is little endian, which nearly all are. */
export function valuesToBytes(values: Values): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return isLittleEndian ? bytes : swapped(bytes, values.BYTES_PER_ELEMENT);
}

/** Values from little-endian bytes: always a copy, so that it is aligned and the receiver's own. */
export function bytesToValues(bytes: Uint8Array<ArrayBuffer>, dtype: DataType, length: number): Values {
  const expected = length * (dtype === 'float32' ? 4 : 8);
  if (bytes.length !== expected) {
    throw new MalformedDataError(
      `got ${bytes.length} bytes for ${length} values of ${dtype}, expected ${expected}`,
    );
  }
  const values = createValues(dtype, length);
  const target = new Uint8Array(values.buffer);
  target.set(isLittleEndian ? bytes : swapped(bytes, values.BYTES_PER_ELEMENT));
  return values;
}

function swapped(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const result = bytes.slice();
  for (let start = 0; start < result.length; start += size) result.subarray(start, start + size).reverse();
  return result;
}
