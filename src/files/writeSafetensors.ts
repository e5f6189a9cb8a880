import { fileChunkBytes, safetensorsLimits } from '../limits.ts';
import { checkOptions, expecting } from '../models/options.ts';
import { bytesOf, swapOnBigEndian } from '../parameters/littleEndian.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { requireModelParameters } from '../parameters/ModelParameters.ts';
import type { TensorSlot } from '../parameters/ParameterLayout.ts';
import { show } from '../show.ts';
import type { WritableHandle } from './byteSources.ts';
import { writeFully } from './byteSources.ts';
import { metadataOf } from './parametersMetadata.ts';
import { SafetensorsError } from './SafetensorsError.ts';
import { lengthBytes } from './safetensorsHeader.ts';

/** What is written besides the parameters. */
export interface SafetensorsWriteOptions {
  /** More strings for `__metadata__`, by key. None unless given. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const checks = {
  metadata: expecting(
    'an object of strings by key',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
};

/**
 * Parameters as the bytes of a safetensors file, with what `readSafetensors` needs to give them back as they are:
 * a model can be made again from the file alone. Values may be NaN or infinite. Throws SafetensorsError for a name
 * that is no Unicode text, or that the format keeps for itself.
 */
export function writeSafetensors(
  parameters: ModelParameters,
  options: SafetensorsWriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const { head, slots } = plan(parameters, options);
  const { values } = parameters;
  const bytes = new Uint8Array(head.length + values.byteLength);
  bytes.set(head);
  let at = head.length;
  for (const { offset, size } of slots) {
    const part = bytesOf(values.subarray(offset, offset + size));
    bytes.set(part, at);
    at += part.length;
  }
  swapOnBigEndian(bytes.subarray(head.length), values.BYTES_PER_ELEMENT);
  return bytes;
}

/**
 * Writes the same bytes to an open file, from its start, piece by piece: the file is never in memory as a whole.
 * Resolves with their number. The parameters must not change meanwhile. What the file had behind them stays, and
 * spoils it: open it empty.
 */
export async function writeSafetensorsTo(
  sink: WritableHandle,
  parameters: ModelParameters,
  options: SafetensorsWriteOptions = {},
): Promise<number> {
  const { head, slots } = plan(parameters, options);
  const { values } = parameters;
  const size = values.BYTES_PER_ELEMENT;
  await writeFully(sink, head, 0);
  let at = head.length;
  for (const slot of slots) {
    const end = slot.offset + slot.size;
    for (let start = slot.offset; start < end; start += fileChunkBytes / size) {
      const part = values.slice(start, Math.min(start + fileChunkBytes / size, end));
      await writeFully(sink, swapOnBigEndian(bytesOf(part), size), at);
      at += part.byteLength;
    }
  }
  return at;
}

/**
 * Length and header, and the tensors in the order of the file. The format wants larger types first, then names in
 * the order of their code points; parameters have one type.
 */
function plan(
  parameters: ModelParameters,
  options: SafetensorsWriteOptions,
): { head: Uint8Array<ArrayBuffer>; slots: readonly TensorSlot[] } {
  const { layout, dtype, values } = requireModelParameters(parameters);
  const { metadata = {} } = checkOptions<SafetensorsWriteOptions>(options, checks);
  const slots = [...layout.tensors].sort((a, b) => compareCodePoints(a.name, b.name));
  const entries = [`"__metadata__":${objectText(metadataOf(parameters, metadata))}`];
  let begin = 0;
  for (const { name, shape, size } of slots) {
    const end = begin + size * values.BYTES_PER_ELEMENT;
    const type = dtype === 'float32' ? 'F32' : 'F64';
    if (name === '__metadata__') {
      throw new SafetensorsError('INVALID_NAME', `a tensor is called ${name}, a name that the format keeps`);
    }
    entries.push(
      `${textOf(name)}:{"dtype":"${type}","shape":${JSON.stringify(shape)},"data_offsets":[${begin},${end}]}`,
    );
    begin = end;
  }
  return { head: headOf(`{${entries.join(',')}}`), slots };
}

/** The length of the header and the header, filled up with spaces so that the numbers start at a multiple of 8. */
function headOf(json: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  const { headerBytesMax } = safetensorsLimits;
  if (length > headerBytesMax) {
    throw new SafetensorsError(
      'HEADER_TOO_LARGE',
      `the header would have ${length} bytes, at most ${headerBytesMax} are allowed`,
    );
  }
  const head = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(text, lengthBytes);
  return head;
}

function objectText(map: ReadonlyMap<string, string>): string {
  return `{${Array.from(map, ([key, value]) => `${textOf(key)}:${textOf(value)}`).join(',')}}`;
}

const loneSurrogate = /\p{Surrogate}/u;

function textOf(name: string): string {
  if (loneSurrogate.test(name)) {
    throw new SafetensorsError(
      'INVALID_NAME',
      `${show(name)} has half of a surrogate pair: it is no Unicode text`,
    );
  }
  return JSON.stringify(name);
}

/** The order of UTF-8 bytes. UTF-16 puts what lies beyond 16 bits too early, in front of U+E000 to U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  const first = [...a];
  const second = [...b];
  for (let i = 0; i < Math.min(first.length, second.length); i++) {
    const difference =
      ((first[i] as string).codePointAt(0) ?? 0) - ((second[i] as string).codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return first.length - second.length;
}
