import { dequantiseInt4, dequantiseInt8, quantiseInt4, quantiseInt8 } from '../kernels/quantise.ts';
import type { Random } from '../random.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { blockCount, readBlockLength, readScales, writeScales } from './scales.ts';

/** Where random numbers come from; undefined: rounded to the nearest. */
type Rounding = Random | undefined;

/** 8 bits a value and a scale for each block; with `random` the expected value is the value (QSGD, Alistarh and others 2017). */
export function writeInt8(
  values: Float32Array,
  writer: ByteWriter,
  blockLength: number,
  random: Rounding,
): void {
  const scales = new Float32Array(blockCount(values.length, blockLength));
  const codes = new Int8Array(values.length);
  quantiseInt8(values, codes, scales, optionsFor(values.length, blockLength, random));
  writeScales(writer, blockLength, scales);
  writer.room(codes.length).set(new Uint8Array(codes.buffer));
}

export function readInt8(reader: ByteReader, values: Float32Array<ArrayBuffer>): void {
  const blockLength = readBlockLength(reader);
  const scales = readScales(reader, blockCount(values.length, blockLength));
  const bytes = reader.bytes(values.length);
  dequantiseInt8(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length), scales, values, blockLength);
}

/** The same with 4 bits. */
export function writeInt4(
  values: Float32Array,
  writer: ByteWriter,
  blockLength: number,
  random: Rounding,
): void {
  const scales = new Float32Array(blockCount(values.length, blockLength));
  const codes = new Uint8Array(Math.ceil(values.length / 2));
  quantiseInt4(values, codes, scales, optionsFor(values.length, blockLength, random));
  writeScales(writer, blockLength, scales);
  writer.room(codes.length).set(codes);
}

export function readInt4(reader: ByteReader, values: Float32Array<ArrayBuffer>): void {
  const blockLength = readBlockLength(reader);
  const scales = readScales(reader, blockCount(values.length, blockLength));
  dequantiseInt4(reader.bytes(Math.ceil(values.length / 2)), scales, values, blockLength);
}

function optionsFor(
  length: number,
  blockLength: number,
  random: Rounding,
): { blockLength: number; randoms?: Float64Array } {
  if (random === undefined) return { blockLength };
  const randoms = new Float64Array(length);
  for (let i = 0; i < length; i++) randoms[i] = random.next();
  return { blockLength, randoms };
}
