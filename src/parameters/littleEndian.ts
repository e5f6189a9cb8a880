/** Whether this machine keeps numbers in the order of files and frames. */
export const isLittleEndian: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes of an array of numbers, in the order of the machine: a view. */
export function bytesOf(values: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Turns numbers of `size` bytes each from the order of files (little endian) into that of the machine, in place,
 * or back. Nearly all machines are little endian: nothing is to do.
 */
export function swapOnBigEndian(
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
  swaps: boolean = !isLittleEndian,
): Uint8Array<ArrayBuffer> {
  if (!swaps) return bytes;
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
  return bytes;
}
