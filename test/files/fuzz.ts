import type { Random } from 'mainstem';
import { isMainstemError, ModelParameters, seededRandom } from 'mainstem';
import { openSafetensors, writeSafetensors } from 'mainstem/files';
import { readHeader, readHeaderLength } from '../../src/files/safetensorsHeader.ts';
import { fileOf, headerOf } from './support.ts';

/** How many mutated files were taken, and how many refused for each reason. */
export type FuzzOutcome = Map<string, number>;

const seeds: readonly Uint8Array<ArrayBuffer>[] = [
  writeSafetensors(
    ModelParameters.fromArrays(
      { weights: [[1, 2]], bias: [3, 4] },
      { architecture: { model: 'LinearRegression' }, sampleCount: 4, dtype: 'float32' },
    ),
  ),
  fileOf(
    headerOf([
      { name: 'a', dtype: 'F16', shape: [2, 2], bytes: 8 },
      { name: 'b', dtype: 'F4', shape: [4], bytes: 2 },
      { name: '', dtype: 'U8', shape: [], bytes: 1 },
    ]),
    new Uint8Array(11),
  ),
  fileOf('{"a\\u00e9":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"__metadata__":{"k":"v"}}   '),
];

const tokens = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  '\\',
  '\\u',
  '-',
  '0',
  '1',
  '9007199254740993',
  '1e9',
  '.0',
];
const words = [
  'null',
  'true',
  '""',
  '"__proto__"',
  '"__metadata__"',
  '"shape"',
  '"F64"',
  '"BOOL"',
  ' ',
  '\n',
  '\0',
];
const pieces = [...tokens, ...words, '\ud83d\ude00'].map((text) => new TextEncoder().encode(text));

const below = (random: Random, count: number): number => Math.floor(random.next() * count);

/** One change: a byte, a piece put in, taken out, doubled or moved; sometimes of the length or the end. */
function mutate(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const at = below(random, bytes.length);
  const end = Math.min(bytes.length, at + 1 + below(random, 12));
  const other = below(random, bytes.length);
  switch (below(random, 7)) {
    case 0:
      return splice(bytes, at, at + 1, Uint8Array.of(below(random, 256)));
    case 1:
      return splice(bytes, at, at + 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << below(random, 8))));
    case 2:
      return splice(bytes, at, at, pieces[below(random, pieces.length)] as Uint8Array);
    case 3:
      return splice(bytes, at, end, pieces[below(random, pieces.length)] as Uint8Array);
    case 4:
      return splice(bytes, at, end, new Uint8Array(0));
    case 5:
      return splice(bytes, other, other, bytes.slice(at, end));
    default:
      return bytes.slice(0, at);
  }
}

function splice(bytes: Uint8Array, start: number, end: number, piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length - (end - start) + piece.length);
  result.set(bytes.subarray(0, start));
  result.set(piece, start);
  result.set(bytes.subarray(end), start + piece.length);
  return result;
}

/** Half of the time the length in front is made to fit, or hardly anything would come further than it. */
function fitLength(bytes: Uint8Array<ArrayBuffer>, before: Uint8Array, random: Random): void {
  if (bytes.length < 8 || random.next() < 0.25) return;
  const data = before.length - 8 - Number(new DataView(before.buffer).getBigUint64(0, true));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, bytes.length - 8 - data)), true);
}

/**
 * Reads `count` mutated files, one to four changes each. Throws where reading ends in anything but a header that
 * keeps its promises or a MainstemError. What is valid is read as a whole as well.
 */
export async function fuzzSafetensors(count: number, seed: number): Promise<FuzzOutcome> {
  const random = seededRandom(seed);
  const outcome: FuzzOutcome = new Map();
  for (let run = 0; run < count; run++) {
    const original = seeds[run % seeds.length] as Uint8Array<ArrayBuffer>;
    let bytes = original;
    for (let changes = below(random, 4); changes >= 0 && bytes.length > 0; changes--)
      bytes = mutate(bytes, random);
    // A mutation may have changed nothing; the seed itself must stay.
    bytes = bytes.slice();
    fitLength(bytes, original, random);
    let result = readOnly(bytes);
    if (result === 'valid') result = await readWhole(bytes);
    outcome.set(result, (outcome.get(result) ?? 0) + 1);
  }
  return outcome;
}

function readOnly(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    const length = readHeaderLength(bytes.subarray(0, 8), bytes.length);
    const { tensors } = readHeader(bytes.subarray(8, 8 + length), bytes.length);
    let next = 8 + length;
    for (const { byteOffset, byteLength } of tensors) {
      if (byteOffset !== next || byteLength < 0) throw new Error(`a hole at ${next}: ${describe(bytes)}`);
      next += byteLength;
    }
    if (next !== bytes.length) throw new Error(`bytes left over: ${describe(bytes)}`);
    return 'valid';
  } catch (error) {
    if (isMainstemError(error)) return error.code;
    throw new Error(`not an error of mainstem for ${describe(bytes)}`, { cause: error });
  }
}

async function readWhole(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  try {
    const file = await openSafetensors(bytes);
    await file.readParameters({ dtype: 'float64' });
    return 'valid and read';
  } catch (error) {
    if (isMainstemError(error)) return `valid, read: ${error.code}`;
    throw new Error(`not an error of mainstem for ${describe(bytes)}`, { cause: error });
  }
}

function describe(bytes: Uint8Array): string {
  return JSON.stringify(String.fromCharCode(...bytes));
}
