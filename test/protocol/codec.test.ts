import fc from 'fast-check';
import { MalformedDataError, ParameterLayout } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../src/protocol/codec.ts';
import { LayoutCatalog } from '../../src/protocol/LayoutCatalog.ts';
import type { LayoutMessage, Message } from '../../src/protocol/messages.ts';
import { bytesToValues, valuesToBytes } from '../../src/protocol/tensorBytes.ts';
import { decodeFrame, encodeFrame } from '../../src/transport/frame.ts';

const error = { code: 'X', message: 'y' };
const messages: Message[] = [
  {
    type: 'hello',
    protocol: 1,
    federation: 'arena/aim',
    childId: 'kind é 1',
    layout: { tensors: [{ name: 'weights', shape: [2, 3] }], architecture: null },
  },
  { type: 'welcome', kind: 'gradients', version: 3, epoch: 2, sharedTensors: ['weights', 'layers.*'] },
  { type: 'refusal', error },
  {
    type: 'layout',
    fingerprint: 'ab',
    tensors: [{ name: 'weights', shape: [2, 3] }],
    architecture: { model: 'm' },
  },
  {
    type: 'update',
    fingerprint: 'ab',
    dtype: 'float32',
    sequence: 9,
    sampleCount: null,
    baseVersion: 4,
    payload: Uint8Array.of(1, 2, 3, 4),
  },
  { type: 'receipt', sequence: 9, status: 'refused', version: 1, error },
  { type: 'committed', sequence: 9 },
  { type: 'rejected', sequence: 9, error },
  { type: 'main', fingerprint: 'ab', dtype: 'float64', version: 7, payload: new Uint8Array(16) },
  { type: 'leave' },
  { type: 'report', number: 3, subject: 'evaluation', version: 7, content: { rows: 5 } },
  { type: 'reported', number: 3, error: null },
];

describe('messages', () => {
  test.each(
    messages.map((message) => [message.type, message] as const),
  )('%s comes back as it was', (_type, message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  test.each(
    messages.map((message) => [message.type, message] as const),
  )('%s cut off at every byte is a typed error', (_type, message) => {
    const bytes = encodeMessage(message);
    for (let end = 0; end < bytes.length; end++)
      expect(() => decodeMessage(bytes.slice(0, end))).toThrow(MalformedDataError);
  });

  test.each(
    messages.filter(({ type }) => type !== 'leave').map((message) => [message.type, message] as const),
  )('%s with a field missing, or of another kind, is refused by name', (type, message) => {
    const { payload, ...fields } = { payload: undefined, ...message } as Record<string, unknown>;
    for (const name of Object.keys(fields).filter((key) => key !== 'type')) {
      for (const bad of [undefined, {}, -1]) {
        // Any object is legal there.
        if (['architecture', 'content'].includes(name) && typeof bad === 'object') continue;
        const broken = { ...fields, [name]: bad, ...(payload === undefined ? {} : { payload }) };
        expect(() => decodeMessage(encodeMessage(broken as never))).toThrow(`${type}.${name} is`);
      }
    }
  });

  test('unknown fields are skipped, unknown kinds and stray payloads refused', () => {
    const known = decodeFrame(encodeMessage({ type: 'committed', sequence: 5 }));
    expect(decodeMessage(encodeFrame(known.kind, { sequence: 5, future: true }))).toEqual({
      type: 'committed',
      sequence: 5,
    });
    expect(() => decodeMessage(encodeFrame(99, {}))).toThrow(/kind 99 is unknown/);
    expect(() => decodeMessage(encodeFrame(known.kind, { sequence: 5 }, new Uint8Array(1)))).toThrow(
      /no payload/,
    );
    expect(() => decodeMessage(encodeFrame(known.kind, [5]))).toThrow(/no object/);
  });

  test('a key named __proto__ is a key like any other', () => {
    const { kind } = decodeFrame(encodeMessage({ type: 'committed', sequence: 5 }));
    const bytes = encodeFrame(kind, JSON.parse('{"__proto__": {"sequence": 5}}'));
    expect(() => decodeMessage(bytes)).toThrow(/committed.sequence/);
  });
});

describe('frames', () => {
  test('any metadata and payload come back, and the payload is aligned to 8', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.jsonValue(), fc.uint8Array(), (kind, metadata, payload) => {
        const bytes = encodeFrame(kind, metadata, payload);
        const frame = decodeFrame(bytes);
        expect(frame.kind).toBe(kind);
        expect(frame.metadata).toEqual(JSON.parse(JSON.stringify(metadata)));
        expect(Array.from(frame.payload)).toEqual(Array.from(payload));
        expect(frame.payload.byteOffset % 8).toBe(0);
      }),
    );
  });

  test('an announced giant is refused before anything is allocated for it', () => {
    const bytes = encodeFrame(1, {});
    new DataView(bytes.buffer).setUint32(8, 0xffff_ffff, true);
    expect(() => decodeFrame(bytes)).toThrow(/at most/);
  });

  test('other magic, other version, metadata that is no JSON', () => {
    const change = (at: number, value: number): Uint8Array<ArrayBuffer> => {
      const bytes = encodeFrame(1, { a: 1 });
      bytes[at] = value;
      return bytes;
    };
    expect(() => decodeFrame(change(0, 0))).toThrow(/not a mainstem frame/);
    expect(() => decodeFrame(change(2, 2))).toThrow(/frame version 2, expected 1/);
    expect(() => decodeFrame(change(12, 0xff))).toThrow(/not JSON/);
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

describe('layouts of a connection', () => {
  const layout = new ParameterLayout([{ name: 'weights', shape: [2] }], { model: 'm' });

  test('are announced once and known by their fingerprint', () => {
    const sender = new LayoutCatalog();
    const receiver = new LayoutCatalog();
    receiver.receive(sender.announcement(layout) as LayoutMessage);
    sender.markSent(layout);
    expect(sender.announcement(layout)).toBeUndefined();
    const received = receiver.require(layout.fingerprint);
    expect(received.fingerprint).toBe(layout.fingerprint);
    expect(received.architecture).toEqual({ model: 'm' });
    expect(() => receiver.require('other')).toThrow(/was not announced/);
  });

  test('have a limit', () => {
    const receiver = new LayoutCatalog();
    const announce = (size: number): LayoutMessage =>
      new LayoutCatalog().announcement(
        new ParameterLayout([{ name: 'weights', shape: [size] }]),
      ) as LayoutMessage;
    for (let size = 1; size <= 16; size++) receiver.receive(announce(size));
    expect(() => receiver.receive(announce(17))).toThrow(/more than 16 layouts/);
  });
});
