import { halfFloatKernels } from '../kernels/HalfFloatKernels.ts';
import { bytesOf, swapOnBigEndian } from '../parameters/littleEndian.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

const float16Largest = 65_504;
const bfloat16Largest = 2 ** 127 * (2 - 2 ** -7);

/** Every value as it is. */
export function writeFloat32(values: Float32Array, writer: ByteWriter): void {
  const room = writer.room(4 * values.length);
  room.set(new Uint8Array(values.buffer, values.byteOffset, room.length));
  swapOnBigEndian(room, 4);
}

export function readFloat32(reader: ByteReader, values: Float32Array): void {
  const bytes = reader.bytes(4 * values.length).slice();
  swapOnBigEndian(bytes, 4);
  values.set(new Float32Array(bytes.buffer));
}

/** IEEE 754 binary16, to the nearest. What is too large becomes the largest, not infinite: error feedback has the rest. */
export function writeFloat16(values: Float32Array, writer: ByteWriter): void {
  writeHalf(clamp(values, float16Largest), writer, (from, to) => halfFloatKernels().encodeFloat16(from, to));
}

export function readFloat16(reader: ByteReader, values: Float32Array): void {
  readHalf(reader, values, (from, to) => halfFloatKernels().decodeFloat16(from, to));
}

/** The upper half of a float32, to the nearest: its whole range, 8 significant bits. */
export function writeBfloat16(values: Float32Array, writer: ByteWriter): void {
  writeHalf(clamp(values, bfloat16Largest), writer, (from, to) =>
    halfFloatKernels().encodeBfloat16(from, to),
  );
}

export function readBfloat16(reader: ByteReader, values: Float32Array): void {
  readHalf(reader, values, (from, to) => halfFloatKernels().decodeBfloat16(from, to));
}

function writeHalf(
  values: Float32Array,
  writer: ByteWriter,
  encode: (values: Float32Array, codes: Uint16Array) => void,
): void {
  const codes = new Uint16Array(values.length);
  encode(values, codes);
  writer.room(codes.byteLength).set(swapOnBigEndian(bytesOf(codes), 2));
}

function readHalf(
  reader: ByteReader,
  values: Float32Array,
  decode: (codes: Uint16Array, values: Float32Array) => void,
): void {
  const bytes = reader.bytes(2 * values.length).slice();
  swapOnBigEndian(bytes, 2);
  decode(new Uint16Array(bytes.buffer), values);
}

function clamp(values: Float32Array, largest: number): Float32Array {
  // Nearly always there is nothing to do: no copy then.
  let isWithin = true;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i] as number) > largest) isWithin = false;
  if (isWithin) return values;
  return values.map((value) => Math.max(-largest, Math.min(largest, value)));
}
