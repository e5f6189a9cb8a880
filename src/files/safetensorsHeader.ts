import { safetensorsLimits } from '../limits.ts';
import { show } from '../show.ts';
import type { HeaderJson, HeaderJsonObject } from './headerJson.ts';
import { readHeaderJson } from './headerJson.ts';
import { SafetensorsError } from './SafetensorsError.ts';
import type { SafetensorsType } from './safetensorsTypes.ts';
import { safetensorsBits } from './safetensorsTypes.ts';

/** What the header says of a tensor. `byteOffset` counts from the start of the file. */
export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: SafetensorsType;
  /** Sizes of the axes, row-major; `[]` is a single number. */
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A header, checked. Tensors are in the order of their bytes. */
export interface SafetensorsHeader {
  readonly tensors: readonly SafetensorsTensor[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** How large a header may be. */
export interface SafetensorsLimits {
  /** Bytes of the header, 100,000,000. Set it lower for what comes over a network. */
  readonly headerBytesMax: number;
  /** Tensors in one file, 65,536. */
  readonly tensorsMax: number;
}

/** Bytes in front of the header: its length, as an unsigned 64-bit number. */
export const lengthBytes = 8;

const metadataKey = '__metadata__';

/** The length of the header from the first 8 bytes of a file of `fileBytes` bytes. Throws SafetensorsError. */
export function readHeaderLength(
  bytes: Uint8Array,
  fileBytes: number,
  { headerBytesMax }: SafetensorsLimits = safetensorsLimits,
): number {
  if (bytes.length < lengthBytes) {
    throw new SafetensorsError(
      'HEADER_TOO_SMALL',
      `the file has ${fileBytes} bytes, expected at least ${lengthBytes}`,
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(headerBytesMax)) {
    throw new SafetensorsError(
      'HEADER_TOO_LARGE',
      `the header has ${length} bytes, at most ${headerBytesMax} are allowed`,
    );
  }
  if (Number(length) + lengthBytes > fileBytes) {
    throw new SafetensorsError(
      'INVALID_HEADER_LENGTH',
      `the header has ${length} bytes, only ${fileBytes - lengthBytes} follow its length`,
    );
  }
  return Number(length);
}

/**
 * Reads the bytes of a header and checks it against the whole: every byte of the file behind it belongs to one
 * tensor. Throws SafetensorsError.
 */
export function readHeader(
  bytes: Uint8Array,
  fileBytes: number,
  limits: SafetensorsLimits = safetensorsLimits,
): SafetensorsHeader {
  const json = readHeaderJson(decodeHeader(bytes));
  // The text begins with {, so that it is an object or was refused.
  const entries = new Map(json as HeaderJsonObject);
  const metadata = readMetadata(entries.get(metadataKey));
  entries.delete(metadataKey);
  if (entries.size > limits.tensorsMax) {
    throw new SafetensorsError(
      'TOO_MANY_TENSORS',
      `the file has ${entries.size} tensors, at most ${limits.tensorsMax} are allowed`,
    );
  }
  const tensors = Array.from(entries, ([name, entry]) => readEntry(name, entry)).sort(
    (a, b) => a.begin - b.begin || a.end - b.end,
  );
  const dataStart = lengthBytes + bytes.length;
  const dataBytes = checkTensors(tensors);
  if (dataStart + dataBytes !== fileBytes) {
    throw new SafetensorsError(
      'METADATA_INCOMPLETE_BUFFER',
      `the tensors end at byte ${dataStart + dataBytes}, the file at byte ${fileBytes}`,
    );
  }
  return {
    metadata,
    tensors: tensors.map(({ name, dtype, shape, begin, end }) => ({
      name,
      dtype,
      shape,
      byteOffset: dataStart + begin,
      byteLength: end - begin,
    })),
  };
}

// ignoreBOM keeps a byte order mark, so that a header that begins with one does not begin with {.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeHeader(bytes: Uint8Array): string {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new SafetensorsError('INVALID_HEADER_UTF8', 'the header is no UTF-8 text', { cause });
  }
  if (!text.startsWith('{')) {
    throw new SafetensorsError(
      'INVALID_HEADER_START',
      `the header begins with ${show(text.slice(0, 1))}, expected {`,
    );
  }
  return text;
}

function readMetadata(json: HeaderJson | undefined): ReadonlyMap<string, string> {
  if (json === undefined) return new Map();
  if (!(json instanceof Map)) {
    throw new SafetensorsError('INVALID_METADATA', `${metadataKey} is no object of strings`);
  }
  const metadata = new Map<string, string>();
  for (const [key, value] of json as HeaderJsonObject) {
    if (typeof value !== 'string') {
      throw new SafetensorsError(
        'INVALID_METADATA',
        `${metadataKey} has ${describe(value)} at ${show(key)}, expected a string`,
      );
    }
    metadata.set(key, value);
  }
  return metadata;
}

/** An entry of the header. `begin` and `end` count bytes from the first of all tensors. */
interface Entry {
  readonly name: string;
  readonly dtype: SafetensorsType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const entryKeys = ['dtype', 'shape', 'data_offsets'];

function readEntry(name: string, json: HeaderJson): Entry {
  const wrong = (what: string): SafetensorsError =>
    new SafetensorsError('TENSOR_INVALID_INFO', `tensor ${show(name)} ${what}`);
  if (!(json instanceof Map)) throw wrong(`is ${describe(json)}, expected { ${entryKeys.join(', ')} }`);
  const entry = json as HeaderJsonObject;
  const unknown = [...entry.keys()].find((key) => !entryKeys.includes(key));
  if (unknown !== undefined) throw wrong(`has the key ${show(unknown)}, expected ${entryKeys.join(', ')}`);
  const dtype = entry.get('dtype');
  if (typeof dtype !== 'string') throw wrong(`has no dtype, expected a name such as "F32"`);
  if (!Object.hasOwn(safetensorsBits, dtype)) {
    throw new SafetensorsError(
      'UNKNOWN_DTYPE',
      `tensor ${show(name)} has dtype ${show(dtype)}, which the format does not know`,
    );
  }
  const shape = entry.get('shape');
  if (!isWholeNumbers(shape)) throw wrong('has no shape, expected a list of whole numbers, 0 or more');
  const offsets = entry.get('data_offsets');
  if (!isWholeNumbers(offsets) || offsets.length !== 2) {
    throw wrong('has no data_offsets, expected two whole numbers, 0 or more');
  }
  const [begin, end] = offsets as readonly [number, number];
  return { name, dtype: dtype as SafetensorsType, shape, begin, end };
}

function isWholeNumbers(json: HeaderJson | undefined): json is readonly number[] {
  return Array.isArray(json) && json.every((number) => Number.isSafeInteger(number) && number >= 0);
}

/** Checks that the tensors follow each other without a hole and fill their bytes; returns where the last ends. */
function checkTensors(entries: readonly Entry[]): number {
  let next = 0;
  for (const { name, dtype, shape, begin, end } of entries) {
    if (begin !== next || end < begin) {
      throw new SafetensorsError(
        'INVALID_OFFSET',
        `tensor ${show(name)} lies at bytes ${begin} to ${end}, expected it to begin at ${next}`,
      );
    }
    const bits = countBits(name, shape, safetensorsBits[dtype]);
    if (bits % 8 !== 0) {
      throw new SafetensorsError(
        'MISALIGNED_SLICE',
        `tensor ${show(name)} has ${bits} bits, expected whole bytes`,
      );
    }
    if (bits / 8 !== end - begin) {
      throw new SafetensorsError(
        'TENSOR_INVALID_INFO',
        `tensor ${show(name)} lies in ${end - begin} bytes, expected ${bits / 8} for ${dtype} [${shape.join('×')}]`,
      );
    }
    next = end;
  }
  return next;
}

function countBits(name: string, shape: readonly number[], bitsEach: number): number {
  let bits = bitsEach;
  for (const axis of shape) {
    bits *= axis;
    if (bits > Number.MAX_SAFE_INTEGER) {
      throw new SafetensorsError(
        'VALIDATION_OVERFLOW',
        `tensor ${show(name)} has shape [${shape.slice(0, 8).join('×')}], too many values to count`,
      );
    }
  }
  return bits;
}

function describe(json: HeaderJson): string {
  return json instanceof Map ? 'an object' : show(json);
}
