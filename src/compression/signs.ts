import { MalformedDataError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { blockCount, readBlockLength, readScales, writeScales } from './scales.ts';

/**
 * One bit a value: its sign, times the mean magnitude of its block (EF-SignSGD, Karimireddy and others 2019, section 4).
 * Of no use without error feedback.
 */
export function writeOneBit(values: Float32Array, writer: ByteWriter, blockLength: number): void {
  const { length } = values;
  const scales = new Float32Array(blockCount(length, blockLength));
  for (let block = 0, start = 0; start < length; block++, start += blockLength) {
    const end = Math.min(length, start + blockLength);
    let sum = 0;
    for (let i = start; i < end; i++) sum += Math.abs(values[i] as number);
    scales[block] = sum / (end - start);
  }
  writeScales(writer, blockLength, scales);
  const bits = writer.room(Math.ceil(length / 8));
  for (let at = 0, start = 0; start < length; at++, start += 8) {
    const end = Math.min(length, start + 8);
    let packed = 0;
    for (let i = start; i < end; i++) if ((values[i] as number) >= 0) packed |= 1 << (i - start);
    bits[at] = packed;
  }
}

export function readOneBit(reader: ByteReader, values: Float32Array): void {
  const { length } = values;
  const blockLength = readBlockLength(reader);
  const scales = readScales(reader, blockCount(length, blockLength));
  const bits = reader.bytes(Math.ceil(length / 8));
  for (let block = 0, start = 0; start < length; block++, start += blockLength) {
    const scale = scales[block] as number;
    const end = Math.min(length, start + blockLength);
    for (let i = start; i < end; i++) values[i] = ((bits[i >> 3] as number) >> (i & 7)) & 1 ? scale : -scale;
  }
}

/** Five of three values in a byte: 3⁵ = 243. */
const tritsPerByte = 5;

/**
 * −s, 0 or s, s being the largest magnitude of the block: s · sign with probability |value| / s, so that the expected
 * value is the value (TernGrad, Wen and others 2017). 1.6 bits a value.
 */
export function writeTernary(
  values: Float32Array,
  writer: ByteWriter,
  blockLength: number,
  random: Random,
): void {
  const { length } = values;
  const scales = new Float32Array(blockCount(length, blockLength));
  for (let block = 0, start = 0; start < length; block++, start += blockLength) {
    const end = Math.min(length, start + blockLength);
    let largest = 0;
    for (let i = start; i < end; i++) {
      const magnitude = Math.abs(values[i] as number);
      if (magnitude > largest) largest = magnitude;
    }
    scales[block] = largest;
  }
  writeScales(writer, blockLength, scales);
  const bytes = writer.room(Math.ceil(length / tritsPerByte));
  for (let byte = 0, start = 0; start < length; byte++, start += tritsPerByte) {
    let packed = 0;
    for (let i = Math.min(length, start + tritsPerByte) - 1; i >= start; i--) {
      const value = values[i] as number;
      const scale = scales[Math.floor(i / blockLength)] as number;
      const isKept = random.next() * scale < Math.abs(value);
      packed = 3 * packed + (isKept ? Math.sign(value) + 1 : 1);
    }
    bytes[byte] = packed;
  }
}

export function readTernary(reader: ByteReader, values: Float32Array): void {
  const { length } = values;
  const blockLength = readBlockLength(reader);
  const scales = readScales(reader, blockCount(length, blockLength));
  const bytes = reader.bytes(Math.ceil(length / tritsPerByte));
  for (let byte = 0, start = 0; start < length; byte++, start += tritsPerByte) {
    let packed = bytes[byte] as number;
    const end = Math.min(length, start + tritsPerByte);
    for (let i = start; i < end; i++) {
      values[i] = ((packed % 3) - 1) * (scales[Math.floor(i / blockLength)] as number);
      packed = Math.floor(packed / 3);
    }
    if (packed > 0) throw new MalformedDataError(`a packed payload has ${bytes[byte]} for five of −1, 0, 1`);
  }
}
