import { largestMagnitudes } from '../kernels/topK.ts';
import type { TensorSlot } from '../parameters/ParameterLayout.ts';
import type { Random } from '../random.ts';
import { ByteWriter } from './bytes.ts';
import { writeBfloat16, writeFloat16, writeFloat32 } from './dense.ts';
import { writeLowRank } from './lowRank.ts';
import { writeInt4, writeInt8 } from './quantised.ts';
import type { SegmentForm } from './segments.ts';
import { beginSegment } from './segments.ts';
import type { ResolvedSettings } from './settings.ts';
import { writeOneBit, writeTernary } from './signs.ts';
import { writeRandomPlaces, writeSparse } from './sparse.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What is packed, and how. */
export interface Packing {
  readonly values: Float32Array<ArrayBuffer>;
  readonly tensors: readonly TensorSlot[];
  readonly settings: ResolvedSettings;
  readonly random: Random;
  /** For powerSGD: the second factor of each tensor, changed in place. */
  readonly factors: readonly (Float32Array | undefined)[];
}

/** In `auto`, what is smaller than this is not worth anything but fewer digits. */
const smallTensor = 64;

/** The payload of these values. */
export function pack(packing: Packing): Bytes {
  const { values, tensors, settings } = packing;
  const writer = new ByteWriter(64 + values.length);
  switch (settings.codec) {
    case 'none':
      packAll(packing, writer, 'float32');
      break;
    case 'float16':
    case 'bfloat16':
      packAll(packing, writer, settings.codec);
      break;
    case 'topK':
    case 'threshold':
    case 'randomK':
      packSparse(packing, writer);
      break;
    default:
      for (const [index, tensor] of tensors.entries())
        if (tensor.size > 0) packTensor(packing, index, tensor, writer);
  }
  return writer.finish();
}

/** All values in one segment. */
function packAll({ values }: Packing, writer: ByteWriter, form: 'float32' | 'float16' | 'bfloat16'): void {
  if (values.length === 0) return;
  beginSegment(writer, form, values.length);
  const write = form === 'float32' ? writeFloat32 : form === 'float16' ? writeFloat16 : writeBfloat16;
  write(values, writer);
}

/** Values are chosen from all tensors together. */
function packSparse({ values, settings, random }: Packing, writer: ByteWriter): void {
  const { length } = values;
  if (length === 0) return;
  const { codec, share, threshold, errorFeedback, values: type } = settings;
  const count = Math.max(1, Math.round(share * length));
  if (codec === 'randomK') {
    beginSegment(writer, 'randomPlaces', length);
    const factor = errorFeedback ? 1 : length / count;
    writeRandomPlaces(values, { count, factor, type }, writer, random);
    return;
  }
  beginSegment(writer, 'sparse', length);
  const places = codec === 'topK' ? largestMagnitudes(values, count) : placesFrom(values, threshold);
  writeSparse(values, places, writer, type);
}

function placesFrom(values: Float32Array, threshold: number): Uint32Array {
  let count = 0;
  for (const value of values) if (Math.abs(value) >= threshold) count++;
  const places = new Uint32Array(count);
  let taken = 0;
  for (let i = 0; taken < count; i++) if (Math.abs(values[i] as number) >= threshold) places[taken++] = i;
  return places;
}

function packTensor(packing: Packing, index: number, tensor: TensorSlot, writer: ByteWriter): void {
  const { offset, size } = tensor;
  const { settings, random, factors } = packing;
  const values = packing.values.subarray(offset, offset + size);
  const { blockLength } = settings;
  const form = formOf(settings, tensor);
  beginSegment(writer, form, size);
  const rounding = settings.rounding === 'stochastic' ? random : undefined;
  if (form === 'int8') writeInt8(values, writer, blockLength, rounding);
  else if (form === 'int4') writeInt4(values, writer, blockLength, rounding);
  else if (form === 'oneBit') writeOneBit(values, writer, blockLength);
  else if (form === 'ternary') writeTernary(values, writer, blockLength, random);
  else if (form === 'lowRank') {
    const { rows } = matrixOf(tensor);
    const q = factors[index] as Float32Array;
    writeLowRank(values, { rows, rank: settings.rank, q }, writer, random);
  } else writeBfloat16(values, writer);
}

function formOf({ codec, rank, targetMs }: ResolvedSettings, tensor: TensorSlot): SegmentForm {
  if (codec === 'powerSGD') return isWorthLowRank(tensor, rank) ? 'lowRank' : 'bfloat16';
  if (targetMs > 0 && tensor.size < smallTensor) return 'bfloat16';
  return codec as 'int8' | 'int4' | 'oneBit' | 'ternary';
}

/** A tensor as a matrix: its first dimension against all others. */
function matrixOf({ shape, size }: TensorSlot): { rows: number; columns: number } {
  const rows = shape[0] ?? 1;
  return { rows, columns: rows === 0 ? 0 : size / rows };
}

/** Whether two thin matrices are at most half of the tensor as it is. */
export function isWorthLowRank(tensor: TensorSlot, rank: number): boolean {
  const { rows, columns } = matrixOf(tensor);
  return rank <= Math.min(rows, columns) && 2 * rank * (rows + columns) <= tensor.size;
}

/** Values of the second factor of a tensor. */
export function factorLength(tensor: TensorSlot, rank: number): number {
  return matrixOf(tensor).columns * rank;
}
