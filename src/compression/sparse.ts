import { MalformedDataError } from '../errors.ts';
import type { Random } from '../random.ts';
import { seededRandom } from '../random.ts';
import { readRice, riceBits, riceParameter, writeRice } from './bits.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { readBfloat16, readFloat32, writeBfloat16, writeFloat32 } from './dense.ts';

/** How the values of a sparse segment travel; the place in the list is their code. */
export const sparseValueTypes = ['float32', 'bfloat16'] as const;
export type SparseValueType = (typeof sparseValueTypes)[number];

/** Values at these places, in ascending order; all others are 0. */
export function writeSparse(
  values: Float32Array,
  places: Uint32Array,
  writer: ByteWriter,
  type: SparseValueType,
): void {
  const k = riceParameter(values.length, places.length);
  writer.varint(places.length);
  writer.byte(k);
  const bytes = Math.ceil(riceBits(places, k) / 8);
  writer.varint(bytes);
  writeRice(places, k, writer.room(bytes));
  writeValuesAt(values, places, writer, type);
}

export function readSparse(reader: ByteReader, values: Float32Array): void {
  const count = readCount(reader, values.length);
  const k = reader.byte();
  if (k > 31) throw new MalformedDataError(`a packed payload has gaps of ${k} low bits, expected at most 31`);
  const bits = reader.bytes(reader.varint());
  const places = new Uint32Array(count);
  readRice(bits, k, values.length, places);
  readValuesAt(reader, values, places);
}

/** The same, of places that both ends draw from a seed: only the seed travels. Values are multiplied by `factor`. */
export function writeRandomPlaces(
  values: Float32Array,
  { count, factor, type }: { count: number; factor: number; type: SparseValueType },
  writer: ByteWriter,
  random: Random,
): void {
  const seed = Math.floor(random.next() * 2 ** 32);
  const places = drawPlaces(values.length, count, seed);
  writer.varint(count);
  writer.varint(seed);
  writeValuesAt(factor === 1 ? values : values.map((value) => factor * value), places, writer, type);
}

export function readRandomPlaces(reader: ByteReader, values: Float32Array): void {
  const count = readCount(reader, values.length);
  const seed = reader.varint();
  readValuesAt(reader, values, drawPlaces(values.length, count, seed));
}

/** `count` of `length` places, each set of them as likely as any other, in ascending order (Knuth, algorithm S). */
function drawPlaces(length: number, count: number, seed: number): Uint32Array {
  const random = seededRandom(seed);
  const places = new Uint32Array(count);
  for (let place = 0, taken = 0; taken < count; place++) {
    if (random.next() * (length - place) < count - taken) places[taken++] = place;
  }
  return places;
}

function writeValuesAt(
  values: Float32Array,
  places: Uint32Array,
  writer: ByteWriter,
  type: SparseValueType,
): void {
  const picked = new Float32Array(places.length);
  for (let i = 0; i < places.length; i++) picked[i] = values[places[i] as number] as number;
  writer.byte(sparseValueTypes.indexOf(type));
  if (type === 'bfloat16') writeBfloat16(picked, writer);
  else writeFloat32(picked, writer);
}

function readValuesAt(reader: ByteReader, values: Float32Array, places: Uint32Array): void {
  const type = sparseValueTypes[reader.byte()];
  if (type === undefined) throw new MalformedDataError('a packed payload has values of an unknown type');
  const picked = new Float32Array(places.length);
  if (type === 'bfloat16') readBfloat16(reader, picked);
  else readFloat32(reader, picked);
  values.fill(0);
  for (let i = 0; i < places.length; i++) values[places[i] as number] = picked[i] as number;
}

/** Each value takes two bytes at least: a number that cannot be true is refused before anything is allocated for it. */
function readCount(reader: ByteReader, length: number): number {
  const count = reader.varint();
  if (count <= length && 2 * count <= reader.rest) return count;
  throw new MalformedDataError(
    `a packed payload has ${count} of ${length} values in ${reader.rest} bytes, expected fewer`,
  );
}
