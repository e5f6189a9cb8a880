import { decode, Encoder } from '@msgpack/msgpack';
import type { Random } from 'mainstem';
import { type Bytes, type Draft, inPieces, seal } from './drafts.ts';

const encoder = new Encoder({ maxDepth: 5_000 });

export const below = (random: Random, count: number): number => Math.floor(random.next() * count);
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T;
}

/** Numbers at which things change. */
const edges = [
  0, 1, 2, 7, 8, 15, 16, 255, 256, 1_023, 1_025, 4_097, 65_535, 131_072, 131_073, 1_048_576, 1_048_577,
  0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff,
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** Values that a field may meet. */
const values: readonly unknown[] = [
  null,
  true,
  false,
  -1,
  -0,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  2 ** 63,
  1e308,
  '',
  'x'.repeat(256),
  'x'.repeat(257),
  '\ud800',
  '\0',
  '__proto__',
  'constructor',
  'anonymous#1',
  'default',
  [],
  [[]],
  [null],
  [[null, null]],
  [['weights', [2, 1]]],
  [['weights', [-1]]],
  [['weights', [2 ** 30, 2 ** 30]]],
  [['__proto__', [3]]],
  [['', []]],
  [
    ['a', [1]],
    ['a', [1]],
  ],
  ['CODE', 'message'],
  { a: 1 },
  { __proto__: 1 },
  Uint8Array.of(1, 2, 3),
  nested(60),
  new Array(4_097).fill(0),
  '{}',
  '[]',
  'null',
  '{',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  `{"a":${'['.repeat(500)}${']'.repeat(500)}}`,
  '{"rows":1e400}',
  '{"model":"LinearRegression"}',
];

/** A field of the metadata becomes another, goes, comes, or changes its place. */
function mutateFields(draft: Draft, random: Random): void {
  let list: unknown;
  try {
    list = decode(draft.metadata);
  } catch {
    return;
  }
  if (!Array.isArray(list)) return;
  let target: unknown[] = list;
  // Into a list inside, now and then.
  while (random.next() < 0.3) {
    const inner = target.filter(Array.isArray) as unknown[][];
    if (inner.length === 0) break;
    target = pick(random, inner);
  }
  const at = below(random, target.length + 1);
  const other = below(random, target.length + 1);
  switch (below(random, 6)) {
    case 0:
      target.splice(at, 1);
      break;
    case 1:
      target.splice(at, 0, pick(random, values));
      break;
    case 2:
      [target[at], target[other]] = [target[other], target[at]];
      break;
    case 3:
      target[at] = pick(random, edges) * (random.next() < 0.1 ? -1 : 1);
      break;
    default:
      target[at] = pick(random, values);
  }
  draft.metadata = encoder.encode(list);
}

function changeBytes(bytes: Bytes, random: Random): Bytes {
  const at = below(random, bytes.length);
  const copy = bytes.slice();
  switch (below(random, 5)) {
    case 0:
      copy[at] = below(random, 256);
      return copy;
    case 1:
      return copy.slice(0, at);
    case 2:
      return Uint8Array.from([...copy.subarray(0, at), pick(random, edges) & 255, ...copy.subarray(at)]);
    case 3:
      return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(below(random, copy.length))]);
    default:
      if (copy.length > 0) copy[at] = (copy[at] as number) ^ (1 << below(random, 8));
      return copy;
  }
}

/** Something about a frame becomes wrong, and its checksums fit all the same. */
export function mutateDraft(draft: Draft, random: Random): void {
  switch (below(random, 10)) {
    case 0:
      draft.kind = below(random, 32);
      return;
    case 1:
      draft.flags ^= 1 << below(random, 16);
      return;
    case 2:
      draft.channel = random.next() < 0.7 ? below(random, 4) : pick(random, edges) & 0xffff;
      return;
    case 3:
      draft.number = pick(random, edges);
      return;
    case 4:
      draft.totalLength = pick(random, edges);
      return;
    case 5:
      draft.metadata = changeBytes(draft.metadata, random);
      return;
    case 6:
      draft.payload = changeBytes(draft.payload, random);
      if (random.next() < 0.8) draft.totalLength = draft.payload.length;
      return;
    default:
      mutateFields(draft, random);
  }
}

/** Bytes of a frame change, half of the time so that the checksum of the header still fits. */
export function mutateBytes(bytes: Bytes, random: Random): Bytes {
  let changed: Bytes;
  if (random.next() < 0.3 && bytes.length >= 32) {
    changed = bytes.slice();
    const view = new DataView(changed.buffer, changed.byteOffset);
    view.setUint32(pick(random, [8, 12, 16, 20, 24, 28]), pick(random, edges), true);
  } else changed = changeBytes(bytes, random);
  if (random.next() < 0.5) seal(changed);
  return changed;
}

/** The order of a conversation changes: frames go, come again, change places, or come from another. */
export function mutateOrder(drafts: Draft[], others: readonly (readonly Draft[])[], random: Random): Draft[] {
  const at = below(random, drafts.length);
  const draft = drafts[at];
  if (draft === undefined) return drafts;
  switch (below(random, 8)) {
    case 0:
      drafts.splice(at, 1);
      return drafts;
    case 1:
      drafts.splice(below(random, drafts.length), 0, { ...draft });
      return drafts;
    case 2: {
      // Under the number that it had.
      const again = drafts.slice(at).map((one, i) => ({ ...one, number: at + i }));
      return [...drafts, ...again];
    }
    case 3:
      return [...drafts.slice(0, at), ...drafts.map((one) => ({ ...one }))];
    case 4: {
      const other = pick(random, others);
      const start = below(random, other.length);
      const part = other.slice(start, start + 1 + below(random, 3)).map((one) => ({ ...one }));
      drafts.splice(at, random.next() < 0.5 ? 0 : part.length, ...part);
      return drafts;
    }
    case 5: {
      const bytes = pick(random, [1, 1, 3, 8, 11]);
      drafts.splice(at, 1, ...(draft.payload.length > 0 ? inPieces(draft, bytes) : [draft]));
      return drafts;
    }
    case 6:
      return drafts.slice(0, at);
    default: {
      const channel = below(random, 3);
      // All of it, in another conversation of the same connection, between the frames of the first.
      return drafts.flatMap((one) => [one, { ...one, channel }]);
    }
  }
}
