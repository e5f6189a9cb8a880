import { MalformedDataError } from '../errors.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Blocks of so many values, the last of which may be shorter. */
export function blockCount(length: number, blockLength: number): number {
  return Math.ceil(length / blockLength);
}

/** How many values share a scale, and the scales. */
export function writeScales(writer: ByteWriter, blockLength: number, scales: Float32Array): void {
  writer.varint(blockLength);
  for (const scale of scales) writer.float32(scale);
}

/** Throws MalformedDataError for a block of nothing. */
export function readBlockLength(reader: ByteReader): number {
  const blockLength = reader.varint();
  if (blockLength > 0) return blockLength;
  throw new MalformedDataError('a packed payload has blocks of 0 values, expected 1 or more');
}

export function readScales(reader: ByteReader, count: number): Float32Array {
  // Before anything is allocated for them.
  if (4 * count > reader.rest)
    throw new MalformedDataError(`a packed payload has ${reader.rest} bytes left, expected ${count} scales`);
  const scales = new Float32Array(count);
  for (let i = 0; i < count; i++) scales[i] = reader.float32();
  return scales;
}
