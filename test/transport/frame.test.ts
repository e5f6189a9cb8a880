import fc from 'fast-check';
import { CorruptFrameError, LimitExceededError, MalformedDataError } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/transport/crc32c.ts';
import { decodeFrame, encodeFrame, splitFrames } from '../../src/transport/frame.ts';
import { type Bytes, nothing, patternOf } from './linkSupport.ts';

const head = { kind: 200, flags: 1, channel: 7, number: 123, totalLength: 5 };
const metadata = Uint8Array.of(9, 8, 7);
const payload = Uint8Array.of(1, 2, 3, 4, 5);
const whole = encodeFrame(head, metadata, payload);

/** With other bytes at a place, and the checksum of the header made to fit again. */
function changed(at: number, bytes: readonly number[]): Bytes {
  const frame = whole.slice();
  frame.set(bytes, at);
  const view = new DataView(frame.buffer, frame.byteOffset);
  const length = Math.min(view.getUint32(12, true), frame.length - 32);
  view.setUint32(28, crc32c(frame, 32, 32 + length, crc32c(frame, 0, 28)), true);
  return frame;
}

describe('a frame', () => {
  test('has the header that is documented', () => {
    const view = new DataView(whole.buffer, whole.byteOffset);
    expect([...whole.subarray(0, 2)].map((code) => String.fromCharCode(code)).join('')).toBe('MS');
    expect([view.getUint8(2), view.getUint8(3)]).toEqual([1, 200]);
    expect([view.getUint16(4, true), view.getUint16(6, true)]).toEqual([1, 7]);
    expect([8, 12, 16, 20].map((at) => view.getUint32(at, true))).toEqual([123, 3, 5, 5]);
    expect(view.getUint32(24, true)).toBe(crc32c(payload));
    expect(view.getUint32(28, true)).toBe(crc32c(metadata, 0, 3, crc32c(whole, 0, 28)));
    expect([...whole.subarray(32)]).toEqual([9, 8, 7, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]);
  });

  test('comes back with every field as it was', () => {
    const field = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
    const flags = fc.tuple(fc.nat(7), fc.nat(255)).map(([known, later]) => known | (later << 8));
    fc.assert(
      fc.property(
        fc.record({ kind: field(8), flags, channel: field(16), number: field(32), rest: fc.nat(2 ** 30) }),
        fc.uint8Array({ maxLength: 70 }),
        fc.uint8Array({ maxLength: 70 }),
        ({ rest, ...fields }, describing, carried) => {
          const given = { ...fields, totalLength: carried.length + rest };
          const bytes = encodeFrame(given, describing, carried);
          const { metadata: gotMetadata, payload: gotPayload, ...got } = decodeFrame(bytes);
          expect(got).toEqual(given);
          expect([...gotMetadata]).toEqual([...describing]);
          expect([...gotPayload]).toEqual([...carried]);
          expect((gotPayload.byteOffset - bytes.byteOffset) % 8).toBe(0);
        },
      ),
    );
  });

  test('cut off at any byte is malformed, alone and behind another', () => {
    for (let end = 0; end < whole.length; end++) {
      expect(() => decodeFrame(whole.slice(0, end))).toThrow(MalformedDataError);
      if (end === 0) continue;
      const both = new Uint8Array([...whole, ...whole.subarray(0, end)]);
      expect(() => splitFrames(both)).toThrow(MalformedDataError);
    }
    expect(() => decodeFrame(new Uint8Array([...whole, 0]))).toThrow(/announces 45/);
  });

  test('any bit that flips is found, but for those of the padding', () => {
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const at = bit >>> 3;
      if (at >= 35 && at < 40) continue;
      const frame = whole.slice();
      frame[at] = (frame[at] as number) ^ (1 << (bit & 7));
      expect(() => decodeFrame(frame), `bit ${bit}`).toThrow();
    }
  });

  test('a payload without a checksum is its transport’s to look after', () => {
    const frame = encodeFrame({ ...head, flags: 0 }, metadata, payload);
    frame[frame.length - 1] = 77;
    expect([...decodeFrame(frame).payload]).toEqual([1, 2, 3, 4, 77]);
    expect(new DataView(frame.buffer, frame.byteOffset).getUint32(24, true)).toBe(0);
  });
});

describe('each field of the header that is wrong, with a checksum that fits', () => {
  const max = [255, 255, 255, 255];
  test.each<[string, number, number[], new (message: string) => Error, RegExp]>([
    ['magic', 0, [0x4e], MalformedDataError, /not a mainstem frame/],
    ['magic, the other byte', 1, [0x54], MalformedDataError, /not a mainstem frame/],
    ['version 0', 2, [0], MalformedDataError, /frame version 0, expected 1/],
    ['a later version', 2, [2], MalformedDataError, /frame version 2, expected 1/],
    ['a critical flag', 4, [9], MalformedDataError, /flags 9, of which 7 are known/],
    ['all critical flags', 4, [255], MalformedDataError, /flags 255/],
    ['length of the metadata, extreme', 12, max, LimitExceededError, /4294967295 bytes of metadata/],
    ['length of the metadata, one too many', 12, [1, 0, 16, 0], LimitExceededError, /1048577 bytes/],
    ['length of the metadata, longer than the frame', 12, [200], MalformedDataError, /announces/],
    ['length of the payload, extreme', 16, max, MalformedDataError, /4294967295 of 5 bytes/],
    ['length of the payload, more than of the message', 16, [6], MalformedDataError, /6 of 5 bytes/],
    ['length of the payload, shorter than the frame', 16, [4], MalformedDataError, /announces 44/],
    ['length of the message, extreme', 20, max, LimitExceededError, /4294967295 of payload/],
    ['length of the message, one too many', 20, [1, 0, 0, 128], LimitExceededError, /2147483649 of/],
    ['length of the message, less than of this payload', 20, [4], MalformedDataError, /5 of 4 bytes/],
    ['checksum of the payload', 24, [0, 0, 0, 0], CorruptFrameError, /its payload/],
  ])('%s', (_name, at, bytes, type, message) => {
    const act = (): unknown => decodeFrame(changed(at, bytes));
    expect(act).toThrow(type);
    expect(act).toThrow(message);
  });

  test('a checksum of the header that does not fit', () => {
    const frame = whole.slice();
    frame[28] = (frame[28] as number) ^ 1;
    expect(() => decodeFrame(frame)).toThrow(CorruptFrameError);
  });

  test('flags from 256 on are overlooked: they are for later versions', () => {
    expect(decodeFrame(changed(5, [255])).flags).toBe(0xff01);
  });
});

describe('limits when sending', () => {
  test('metadata and messages that are too long are not made into frames', () => {
    const long = { length: 2 ** 20 + 1 } as Uint8Array;
    expect(() => encodeFrame({ ...head, totalLength: 0 }, long, nothing)).toThrow(LimitExceededError);
    expect(() => encodeFrame({ ...head, totalLength: 2 ** 31 + 1 }, nothing, payload)).toThrow(
      LimitExceededError,
    );
    expect(() => encodeFrame({ ...head, totalLength: 4 }, nothing, payload)).toThrow(MalformedDataError);
    expect(encodeFrame({ ...head, totalLength: 0 }, patternOf(2 ** 20), nothing)).toHaveLength(2 ** 20 + 32);
  });
});

test('frames that lie one behind the other come apart as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 8 }), (sizes) => {
      const frames = sizes.map(([m, p], number) =>
        encodeFrame({ ...head, number, totalLength: p }, patternOf(m), patternOf(p)),
      );
      const together = new Uint8Array(frames.flatMap((frame) => [...frame]));
      expect(splitFrames(together).map((bytes) => [...bytes])).toEqual(frames.map((bytes) => [...bytes]));
    }),
  );
});
