import { ParameterLayout, type Random, seededRandom } from 'mainstem';
import type { CodecOption, Compressor } from 'mainstem/compression';
import { compression } from 'mainstem/compression';
import { packedBytesMax } from '../../src/compression/Compression.ts';

/** A matrix large enough for every codec, a vector, and tensors of one value and of none. */
export const layout: ParameterLayout = new ParameterLayout([
  { name: 'weights', shape: [40, 30] },
  { name: 'bias', shape: [30] },
  { name: 'one', shape: [1] },
  { name: 'none', shape: [0, 3] },
]);

export const codecs: readonly CodecOption[] = [
  'float16',
  'bfloat16',
  'int8',
  'int4',
  { codec: 'int8', rounding: 'nearest', blockLength: 100 },
  { codec: 'int4', errorFeedback: true },
  'oneBit',
  { codec: 'oneBit', errorFeedback: false, blockLength: 64 },
  'ternary',
  'topK',
  { codec: 'topK', share: 1, values: 'float32' },
  { codec: 'topK', share: 0.1, momentum: 0.9, warmUpUpdates: 4 },
  { codec: 'threshold', threshold: 0.5 },
  'randomK',
  { codec: 'randomK', share: 0.2, errorFeedback: false },
  'powerSGD',
  { codec: 'powerSGD', rank: 5 },
  'auto',
];

export function nameOf(option: CodecOption): string {
  return typeof option === 'string' ? option : JSON.stringify(option);
}

/** A child's compressor of this kind. */
export function compressorOf(updates: CodecOption, of: ParameterLayout = layout, seed = 1): Compressor {
  const compressor = compression({ updates }).compressUpdates('"none"', of, seededRandom(seed));
  if (compressor === undefined) throw new Error(`${nameOf(updates)} compresses nothing`);
  return compressor;
}

/** What whoever reads a payload gets, which must be what the sender says of it. */
export function reread(payload: Uint8Array<ArrayBuffer>, of: ParameterLayout = layout): Float32Array {
  if (payload.length > packedBytesMax(of)) throw new Error(`${payload.length} bytes are more than announced`);
  const values = new Float32Array(of.length).fill(Number.NaN);
  compression().read(payload, values);
  return values;
}

export function normals(random: Random, length: number): Float64Array<ArrayBuffer> {
  const draw = (): number =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return new Float64Array(length).map(draw);
}

export function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
}

export function minus(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array<ArrayBuffer> {
  return Float64Array.from(a).map((value, i) => value - (b[i] as number));
}
