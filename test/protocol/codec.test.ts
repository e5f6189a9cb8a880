import { Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { CorruptFrameError, MalformedDataError, ParameterLayout } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { packMessage, unpackMessage } from '../../src/protocol/codec.ts';
import { LayoutCatalog } from '../../src/protocol/LayoutCatalog.ts';
import type { LayoutMessage, Message } from '../../src/protocol/messages.ts';
import { bytesToValues, valuesToBytes } from '../../src/protocol/tensorBytes.ts';
import { crc32c } from '../../src/transport/crc32c.ts';
import { decodeFrame, encodeFrame, splitFrames } from '../../src/transport/frame.ts';
import { fieldsOf, frameOf, helloOf, messageIn } from './speaker.ts';

const error = { code: 'X', message: 'y' };
const messages: Message[] = [
  helloOf({
    federation: 'arena/aim',
    childId: 'kind é 1',
    layout: { tensors: [{ name: 'weights', shape: [2, 3] }], architecture: { classes: ['a'] } },
    token: 'secret',
  }),
  {
    type: 'welcome',
    protocol: 1,
    kind: 'gradients',
    instance: 'abc',
    epoch: 2,
    isResumed: true,
    version: 3,
    sharedTensors: ['weights', 'layers.*'],
    codec: 'none',
    compression: null,
  },
  { type: 'refusal', error },
  {
    type: 'layout',
    index: 3,
    fingerprint: 'ab',
    tensors: [{ name: 'weights', shape: [2, 3] }],
    architecture: { model: 'm' },
  },
  {
    type: 'update',
    layout: 3,
    dtype: 'float32',
    sequence: 9,
    sampleCount: null,
    baseVersion: 4,
    isPacked: false,
    payload: Uint8Array.of(1, 2, 3, 4),
  },
  { type: 'receipt', first: 9, last: 12, status: 'refused', version: 1, error },
  { type: 'receipt', first: 9, last: 12, status: 'applied', version: 1, error: null },
  { type: 'committed', first: 9, last: 2 ** 40 },
  { type: 'rejected', sequence: 9, error },
  { type: 'asked', version: 2 ** 40 },
  {
    type: 'main',
    layout: 0,
    dtype: 'float64',
    version: 7,
    base: null,
    runs: null,
    isPacked: false,
    payload: new Uint8Array(16),
  },
  {
    type: 'main',
    layout: 0,
    dtype: 'float32',
    version: 8,
    base: 7,
    runs: [3, 1],
    isPacked: false,
    payload: new Uint8Array(4),
  },
  {
    type: 'main',
    layout: 0,
    dtype: 'float32',
    version: 9,
    base: 8,
    runs: null,
    isPacked: true,
    payload: new Uint8Array(3),
  },
  { type: 'leave' },
  { type: 'report', number: 3, subject: 'evaluation', version: 7, content: { rows: 5 } },
  { type: 'reported', number: 3, error: null },
  { type: 'goodbye', returnAfterMs: 500 },
];
const named = messages.map((message) => [message.type, message] as const);
const encoder = new Encoder();

function reread(message: Message): Message | undefined {
  const { kind, metadata, payload } = packMessage(message);
  return unpackMessage(kind, metadata, payload);
}

describe('messages', () => {
  test.each(named)('%s comes back as it was', (_type, message) => {
    expect(reread(message)).toEqual(message);
    expect(messageIn(frameOf(message))).toEqual(message);
  });

  test.each(named)('%s cut off at every byte is a typed error', (_type, message) => {
    const bytes = frameOf(message);
    for (let end = 0; end < bytes.length; end++)
      expect(() => decodeFrame(bytes.slice(0, end))).toThrow(MalformedDataError);
    const { kind, metadata, payload } = packMessage(message);
    for (let end = 0; end < metadata.length; end++)
      expect(() => unpackMessage(kind, metadata.slice(0, end), payload)).toThrow(MalformedDataError);
  });

  test.each(
    named.filter(([type]) => type !== 'leave'),
  )('%s with a field missing, or of another kind, is refused by name', (type, message) => {
    const { kind, metadata, payload } = packMessage(message);
    const names = Object.keys(message).filter((name) => name !== 'type' && name !== 'payload');
    const values = fieldsOf(kind, metadata);
    expect(values.length).toBe(names.length);
    for (let at = 0; at < names.length; at++) {
      for (const bad of [{}, -1, 0.5, [[]], [[1]]]) {
        const broken = values.map((value, i) => (i === at ? bad : value));
        // A fraction of a row is legal, as a weight.
        if (names[at] === 'sampleCount' && bad === 0.5) continue;
        // A layout without tensors.
        if (type === 'hello' && names[at] === 'layout' && Array.isArray(bad)) continue;
        // MessagePack maps are refused as a whole.
        expect(() => unpackMessage(kind, encoder.encode(broken), payload)).toThrow(MalformedDataError);
      }
      // Younger than the rest of its message: a coordinator may leave it out.
      if (['runs', 'isPacked', 'compression'].includes(names[at] as string)) continue;
      expect(() => unpackMessage(kind, encoder.encode(values.slice(0, at)), payload)).toThrow(
        `${type}.${names[at]} is undefined`,
      );
    }
  });

  test('fields that a later version adds are skipped, and so are its messages', () => {
    const { kind, payload } = packMessage({ type: 'committed', first: 5, last: 6 });
    const later = encoder.encode([5, 6, 'future', [1, 2]]);
    expect(unpackMessage(kind, later, payload)).toEqual({ type: 'committed', first: 5, last: 6 });
    expect(unpackMessage(199, later, payload)).toBeUndefined();
    expect(() => unpackMessage(kind, later, new Uint8Array(1))).toThrow(/no payload/);
    expect(() => unpackMessage(kind, encoder.encode(5), payload)).toThrow(/expected a list/);
  });

  test('maps, binary values and nesting without end are no metadata', () => {
    const { kind, payload } = packMessage({ type: 'committed', first: 5, last: 6 });
    const refused = (metadata: Uint8Array<ArrayBuffer>) =>
      expect(() => unpackMessage(kind, metadata, payload)).toThrow(MalformedDataError);
    refused(encoder.encode([{ first: 5 }, 6]));
    refused(encoder.encode([Uint8Array.of(5), 6]));
    refused(new Uint8Array(1 << 20).fill(0x91));
    refused(Uint8Array.of(0xc1));
    refused(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff));
  });

  test('a key named __proto__ in JSON pollutes nothing', () => {
    const { kind, payload } = packMessage(messages.find(({ type }) => type === 'report') as Message);
    const metadata = encoder.encode([3, 0, 7, '{"__proto__": {"polluted": 1}}']);
    expect(unpackMessage(kind, metadata, payload)).toMatchObject({ type: 'report', number: 3 });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(() => unpackMessage(kind, encoder.encode([3, 0, 7, '{']), payload)).toThrow(/should be JSON/);
  });
});

describe('frames', () => {
  const head = { kind: 17, flags: 0, channel: 3, number: 2 ** 32 - 1 };

  test('any metadata and payload come back, and the payload is aligned to 8', () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.nat(65_535),
        bytes,
        bytes,
        fc.boolean(),
        (kind, channel, metadata, payload, sum) => {
          const flags = sum ? 1 : 0;
          const given = { kind, flags, channel, number: 2 ** 31 + 7, totalLength: payload.length };
          const own = new Uint8Array(payload);
          const encoded = encodeFrame(given, new Uint8Array(metadata), own);
          const frame = decodeFrame(encoded);
          expect(frame).toMatchObject(given);
          expect(Array.from(frame.metadata)).toEqual(Array.from(metadata));
          expect(Array.from(frame.payload)).toEqual(Array.from(payload));
          expect((frame.payload.byteOffset - encoded.byteOffset) % 8).toBe(0);
        },
      ),
    );
  });

  test('a bit that changes in the header or the metadata, or in a payload with a checksum, is found', () => {
    const payload = Uint8Array.of(1, 2, 3);
    const whole = encodeFrame({ ...head, flags: 1, totalLength: 3 }, Uint8Array.of(9, 8), payload);
    const padding = new Set([34, 35, 36, 37, 38, 39]);
    for (let at = 0; at < whole.length; at++) {
      if (padding.has(at)) continue;
      const bytes = whole.slice();
      bytes[at] = (bytes[at] as number) ^ 4;
      expect(() => decodeFrame(bytes), `byte ${at}`).toThrow();
    }
  });

  test('flags below 256 that are not known are refused, those above overlooked', () => {
    const flagged = (flags: number) =>
      decodeFrame(encodeFrame({ ...head, flags, totalLength: 0 }, new Uint8Array(0), new Uint8Array(0)));
    expect(() => flagged(8)).toThrow(/flags 8/);
    expect(flagged(256 + 2048).flags).toBe(256 + 2048);
  });

  test('an announced giant is refused before anything is allocated for it', () => {
    for (const at of [12, 16, 20]) {
      const bytes = frameOf({ type: 'leave' });
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, 0xffff_ffff, true);
      expect(() => decodeFrame(bytes)).toThrow(/at most|of 0 bytes/);
    }
  });

  test('other magic, other version, another checksum', () => {
    const change = (at: number, value: number): Uint8Array<ArrayBuffer> => {
      const bytes = frameOf({ type: 'leave' });
      bytes[at] = value;
      return bytes;
    };
    expect(() => decodeFrame(change(0, 0))).toThrow(/not a mainstem frame/);
    expect(() => decodeFrame(change(2, 2))).toThrow(/frame version 2, expected 1/);
    expect(() => decodeFrame(change(8, 77))).toThrow(CorruptFrameError);
  });

  test('frames one behind the other come apart again, and a torn one counts for none', () => {
    const frames = messages.map((message, number) => frameOf(message, number));
    const together = new Uint8Array(frames.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const frame of frames) {
      together.set(frame, at);
      at += frame.length;
    }
    expect(splitFrames(together).map(messageIn)).toEqual(messages);
    expect(() => splitFrames(together.subarray(0, together.length - 1))).toThrow(MalformedDataError);
    expect(splitFrames(new Uint8Array(0))).toEqual([]);
  });
});

describe('crc32c', () => {
  test('has the values of RFC 3720, B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(new Uint8Array(32).map((_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  test('goes on from what came before, at any place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (bytes, cut) => {
        const at = Math.min(cut, bytes.length);
        expect(crc32c(bytes, at, bytes.length, crc32c(bytes, 0, at))).toBe(crc32c(bytes));
      }),
    );
  });
});

describe('tensors as bytes', () => {
  test('float32 and float64 come back bit for bit, from any offset', () => {
    fc.assert(
      fc.property(fc.float64Array({ maxLength: 20 }), fc.nat(7), (numbers, shift) => {
        for (const values of [Float64Array.from(numbers), Float32Array.from(numbers)]) {
          const bytes = valuesToBytes(values);
          const shifted = new Uint8Array(bytes.length + shift);
          shifted.set(bytes, shift);
          const dtype = values instanceof Float32Array ? 'float32' : 'float64';
          expect(bytesToValues(shifted.subarray(shift), dtype, values.length)).toEqual(values);
        }
      }),
    );
  });

  test('they are little endian', () => {
    expect(Array.from(valuesToBytes(Float32Array.of(1)))).toEqual([0, 0, 128, 63]);
  });
});

describe('layouts of a conversation', () => {
  const layout = new ParameterLayout([{ name: 'weights', shape: [2] }], { model: 'm' });

  test('are announced once and then known by their index', () => {
    const sender = new LayoutCatalog();
    const receiver = new LayoutCatalog();
    const announced: LayoutMessage[] = [];
    const announce = (message: LayoutMessage): void => void announced.push(message);
    expect(sender.indexOf(layout, announce)).toBe(0);
    expect(sender.indexOf(layout, announce)).toBe(0);
    expect(announced).toHaveLength(1);
    receiver.receive(announced[0] as LayoutMessage);
    expect(receiver.require(0).fingerprint).toBe(layout.fingerprint);
    expect(receiver.require(0).architecture).toEqual({ model: 'm' });
    expect(() => receiver.require(1)).toThrow(/was not announced/);
    expect(() => receiver.receive(announced[0] as LayoutMessage)).toThrow(/each once/);
  });

  test('a layout that could not be announced is announced the next time', () => {
    const sender = new LayoutCatalog();
    expect(() =>
      sender.indexOf(layout, () => {
        throw new Error('full');
      }),
    ).toThrow('full');
    const announced: LayoutMessage[] = [];
    sender.indexOf(layout, (message) => announced.push(message));
    expect(announced).toHaveLength(1);
  });

  test('have a limit', () => {
    const receiver = new LayoutCatalog();
    const sender = new LayoutCatalog();
    const announce = (size: number): void => {
      const own = new ParameterLayout([{ name: 'weights', shape: [size] }]);
      sender.indexOf(own, (message) => receiver.receive(message));
    };
    for (let size = 1; size <= 16; size++) announce(size);
    expect(() => announce(17)).toThrow(/at most 16/);
  });
});
