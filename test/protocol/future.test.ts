import { readFileSync } from 'node:fs';
import { Encoder } from '@msgpack/msgpack';
import { beforeEach, expect, test } from 'vitest';
import { unpackMessage } from '../../src/protocol/codec.ts';
import { crc32c } from '../../src/transport/crc32c.ts';
import { decodeFrame } from '../../src/transport/frame.ts';
import { firstMain } from './fuzz/conversations.ts';
import { type Bytes, type Draft, draftOf, writeDraft } from './fuzz/drafts.ts';
import { FuzzTarget, type Line } from './fuzz/FuzzTarget.ts';
import { fieldsOf, frameOf, helloOf } from './speaker.ts';

// A made-up version of years from now: it says more than this one knows, and this one understands the rest.

const encoder = new Encoder();
const golden = (
  JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as { type: string; hex: string }[]
).map(({ type, hex }) => [type, Uint8Array.from(Buffer.from(hex, 'hex'))] as const);

const additions: readonly unknown[] = [null, 'future', -1.5, ['a', ['list', [true]]], 2 ** 60];

/** With fields at the end of the metadata that this version does not know, and a flag that it may overlook. */
function fromTheFuture(draft: Draft): Draft {
  const metadata = encoder.encode([...fieldsOf(draft.kind, draft.metadata), ...additions]);
  return { ...draft, metadata, flags: draft.flags | 0x4100 };
}

test.each(golden)('%s with more fields than are known is read as it is today', (_type, bytes) => {
  const today = decodeFrame(bytes);
  const { kind, metadata, payload } = decodeFrame(writeDraft(fromTheFuture(draftOf(bytes)), 0));
  expect(unpackMessage(kind, metadata, payload)).toEqual(
    unpackMessage(today.kind, today.metadata, today.payload),
  );
});

let target: FuzzTarget;
let line: Line;
const tensors = firstMain.layout.tensors.map(({ name, shape }) => ({ name, shape }));
const { fingerprint } = firstMain.layout;
const conversation = [
  draftOf(frameOf(helloOf({ protocolMin: 1, protocolMax: 9, dtypes: ['bfloat16', 'float32'] as never }))),
  draftOf(frameOf({ type: 'layout', index: 0, fingerprint, tensors, architecture: null })),
  draftOf(
    frameOf({
      type: 'update',
      layout: 0,
      dtype: 'float32',
      sequence: 1,
      sampleCount: 1,
      baseVersion: 1,
      isPacked: false,
      payload: new Uint8Array(12),
    }),
  ),
];

beforeEach(() => {
  target = new FuzzTarget();
  line = target.open();
});

const say = (draft: Draft): void => line.bring(writeDraft(draft, line.next));

test('a later child, with kinds that nobody knows in between, is served', async () => {
  for (const draft of conversation) {
    say(fromTheFuture(draft));
    // Of messages, of the link, and on channels of their own.
    for (const kind of [2, 15, 30, 255])
      say({ ...draft, kind, metadata: Uint8Array.of(0xc1), payload: new Uint8Array(0), totalLength: 0 });
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(line.isClosed).toBe(false);
  expect(target.counts.get('answer: welcome')).toBe(1);
  expect(target.counts.get('answer: receipt applied')).toBe(1);
});

test('a later child that speaks nothing older is refused, and told which versions there are', () => {
  say(draftOf(frameOf(helloOf({ protocolMin: 2, protocolMax: 9 }))));
  expect(line.isClosed).toBe(true);
  expect(target.counts.get('answer: refusal CONNECTION_REFUSED')).toBe(1);
});

/** A byte of a frame becomes another, and the checksum fits. */
function changed(at: number, value: number): Bytes {
  const bytes = writeDraft(conversation[1] as Draft, 1);
  bytes[at] = value;
  const end = 32 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(
    28,
    crc32c(bytes, 32, end, crc32c(bytes, 0, 28)),
    true,
  );
  return bytes;
}

test.each([
  ['a version of the frame that is not known', 2, 2],
  ['version 0', 2, 0],
  ...[8, 16, 32, 64, 128].map((flag) => [`the critical flag ${flag}`, 4, flag] as const),
] as const)('%s ends the connection, and the sender is told', (_name, at, value) => {
  say(conversation[0] as Draft);
  line.bring(changed(at, value));
  expect(line.isClosed).toBe(true);
  expect(target.counts.get('answer: refusal MALFORMED_DATA')).toBe(1);
});
