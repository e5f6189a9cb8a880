import {
  BrokenConnectionError,
  ConnectionClosedError,
  CorruptFrameError,
  LimitExceededError,
  MalformedDataError,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { linkLimits } from '../../src/limits.ts';
import { encodeFrame } from '../../src/transport/frame.ts';
import { Heart } from '../../src/transport/Heart.ts';
import { Link } from '../../src/transport/Link.ts';
import { acceptingLink, FakeConnection, listenTo, nothing } from './linkSupport.ts';

const byte = (value: number): Uint8Array<ArrayBuffer> => Uint8Array.of(value);

function openLink() {
  const connection = new FakeConnection();
  const ends: unknown[] = [];
  const link = new Link(connection, {
    heart: new Heart(new VirtualClock(), 10_000),
    ended: (error) => ends.push(error),
  });
  return { connection, link, ends };
}

describe('numbers', () => {
  test('each end counts its frames from 0, whatever they are and whoever sends them', () => {
    const { connection, link } = openLink();
    const [a, b] = [link.open(), link.open()];
    a.send(16, byte(1));
    b.send(17, nothing, byte(2));
    link.announceBusy(500);
    a.close();
    expect(connection.sent.map(({ number, channel, kind }) => [number, channel, kind])).toEqual([
      [0, 0, 16],
      [1, 1, 17],
      [2, 0, 0],
      [3, 0, 1],
    ]);
  });

  test('a frame that comes again is dropped, and the conversation goes on', () => {
    const { connection, heard, ends } = acceptingLink();
    for (const number of [0, 1, 1, 0, 2, 2]) connection.bringFrame({ number }, byte(number));
    expect(heard[0]?.messages.map(({ metadata }) => metadata[0])).toEqual([0, 1, 2]);
    expect(ends).toEqual([]);
  });

  test('where a frame is missing the connection is given up, for all conversations', () => {
    const { connection, heard, ends } = acceptingLink();
    connection.bringFrame({ number: 0, channel: 0 });
    connection.bringFrame({ number: 1, channel: 1 });
    connection.bringFrame({ number: 3, channel: 0 });
    for (const { failures, ends: closes } of heard) {
      expect(failures).toEqual([]);
      expect(closes).toEqual([expect.any(BrokenConnectionError)]);
    }
    expect(heard[0]?.ends[0]?.message).toBe('frame 2 is missing, got 3');
    expect(ends).toHaveLength(1);
    expect(connection.isClosed).toBe(true);
    // And it stays so.
    connection.bringFrame({ number: 2, channel: 0 });
    connection.end();
    expect(heard[0]?.messages).toHaveLength(1);
    expect(ends).toHaveLength(1);
  });
});

describe('what is no frame', () => {
  const frame = (flags = 0): Uint8Array<ArrayBuffer> =>
    encodeFrame({ kind: 16, flags, channel: 0, number: 1, totalLength: 2 }, byte(1), Uint8Array.of(5, 6));

  test('a wrong checksum ends the connection as a broken one: nobody is to blame', () => {
    for (const [at, bytes] of [
      [28, frame()],
      [33 + 8, frame(1)],
    ] as const) {
      const { connection, heard } = acceptingLink();
      connection.bringFrame({ number: 0 });
      bytes[at] = (bytes[at] as number) ^ 64;
      connection.bring(bytes);
      expect(heard[0]).toMatchObject({ failures: [], ends: [expect.any(CorruptFrameError)] });
      expect(connection.isClosed).toBe(true);
    }
  });

  test.each<[string, () => Uint8Array<ArrayBuffer>]>([
    ['bytes without sense', () => byte(0xc1)],
    ['nothing at all', () => nothing],
    ['a version of the frame that is not known', () => frame().fill(9, 2, 3)],
    ['a critical flag that is not known', () => frame(64)],
  ])('%s: each conversation may say so, and then the connection ends', (_name, bytes) => {
    const { connection, heard, ends } = acceptingLink();
    connection.bringFrame({ number: 0, channel: 0 });
    connection.bringFrame({ number: 1, channel: 4 });
    connection.bring(bytes());
    for (const one of heard) expect(one.failures).toEqual([expect.any(MalformedDataError)]);
    expect(ends).toEqual([expect.any(MalformedDataError)]);
    expect(connection.isClosed).toBe(true);
  });

  test('flags from 256 on, and kinds of the link that are not known, are overlooked', () => {
    const { connection, heard, ends } = acceptingLink();
    connection.bringFrame({ flags: 0xff00 }, byte(1));
    for (let kind = 2; kind < 16; kind++) connection.bringFrame({ kind, channel: 9 }, byte(2), byte(3));
    connection.bringFrame({}, byte(4));
    expect(heard).toHaveLength(1);
    expect(heard[0]?.messages.map(({ metadata }) => metadata)).toEqual([[1], [4]]);
    expect(ends).toEqual([]);
  });
});

describe('conversations', () => {
  test('begin with a frame on a new number, numbers only grow, and what is late is dropped', () => {
    const { connection, channels } = acceptingLink();
    connection.bringFrame({ channel: 5 });
    connection.bringFrame({ channel: 3 });
    connection.bringFrame({ channel: 65_535 });
    connection.bringFrame({ kind: 1, channel: 5 });
    connection.bringFrame({ channel: 5 });
    expect(channels.map(({ number }) => number)).toEqual([5, 65_535]);
    expect(connection.isClosed).toBe(false);
  });

  test('a piece from the middle of a message begins none', () => {
    const { connection, channels } = acceptingLink();
    connection.bringFrame({ flags: 4, totalLength: 10 }, nothing, byte(1));
    expect(channels).toEqual([]);
  });

  test('a child’s end takes none from the other', () => {
    const { connection, link } = openLink();
    const heard = listenTo(link.open());
    connection.bringFrame({ channel: 1 });
    connection.bringFrame({ channel: 0 }, byte(7));
    expect(heard.messages.map(({ metadata }) => metadata)).toEqual([[7]]);
  });

  test('there are so many at once and not one more', () => {
    const { connection, heard, ends } = acceptingLink();
    const { channelsMax } = linkLimits;
    for (let channel = 0; channel < channelsMax; channel++) connection.bringFrame({ channel });
    expect(connection.isClosed).toBe(false);
    connection.bringFrame({ channel: channelsMax });
    expect(heard).toHaveLength(channelsMax);
    expect(ends[0]?.message).toMatch(/more than 4096 conversations/);
    expect(connection.isClosed).toBe(true);
  });

  test('numbers run out, and then the connection takes no more', () => {
    const { link } = openLink();
    link.open();
    for (let number = 1; number <= linkLimits.channelNumberMax; number++) link.open().close();
    expect(() => link.open()).toThrow(BrokenConnectionError);
  });

  test('the last that ends takes the connection with it, whoever ends it', () => {
    const { connection, heard } = acceptingLink();
    connection.bringFrame({ channel: 0 });
    connection.bringFrame({ channel: 1 });
    connection.bringFrame({ kind: 1, channel: 0 });
    expect(heard[0]?.ends).toEqual([undefined]);
    expect(connection.isClosed).toBe(false);
    connection.bringFrame({ kind: 1, channel: 1 });
    expect(connection.isClosed).toBe(true);
    expect(heard[1]?.ends).toEqual([undefined]);
    const near = openLink();
    near.link.open().close();
    expect(near.connection.sent.map(({ kind }) => kind)).toEqual([1]);
    expect(near.connection.isClosed).toBe(true);
  });

  test('what was sent before the close goes out before the end, when there is room', () => {
    const { connection, link } = openLink();
    const channel = link.open();
    connection.bufferedBytes = linkLimits.highWaterBytes + 1;
    channel.send(16, byte(1));
    channel.send(16, byte(2));
    channel.close();
    expect(connection.sent).toEqual([]);
    expect(connection.isClosed).toBe(false);
    connection.drain();
    expect(connection.sent.map(({ kind, metadata }) => [kind, ...metadata])).toEqual([[16, 1], [16, 2], [1]]);
    expect(connection.isClosed).toBe(true);
  });
});

describe('the contract of a channel', () => {
  test('no handler is called from inside send, close or announceBusy, whatever the connection does', () => {
    for (const failure of [undefined, new LimitExceededError('full'), new ConnectionClosedError('gone')]) {
      const { connection, link, ends } = openLink();
      const channels = [link.open(), link.open()];
      const heard = channels.map((channel) => listenTo(channel));
      if (failure !== undefined)
        connection.send = () => {
          throw failure;
        };
      const calls = (): unknown =>
        heard.map(({ messages, failures, drains, ends: closes }) => [messages, failures, drains, closes]);
      const before = JSON.stringify(calls());
      for (const channel of channels) {
        channel.send(16, byte(1));
        channel.announceBusy(100);
      }
      expect(JSON.stringify(calls())).toBe(before);
      channels[0]?.close();
      expect(JSON.stringify(calls())).toBe(before);
      expect(ends).toEqual([]);
      if (failure === undefined) continue;
      // Sending has failed: the connection is closed, and its end says why.
      expect(connection.isClosed).toBe(true);
      connection.end();
      expect(heard[1]?.ends).toEqual([failure]);
      expect(ends).toEqual([failure]);
    }
  });

  test('a channel that is closed hears nothing more, and sends nothing more', () => {
    const { connection, link } = openLink();
    const [channel, other] = [link.open(), link.open()];
    const heard = listenTo(channel);
    channel.close();
    channel.close();
    expect(() => channel.send(16, nothing)).toThrow(ConnectionClosedError);
    channel.announceBusy(5);
    connection.bringFrame({ channel: 0 });
    connection.drain();
    connection.end();
    expect(heard).toEqual({ messages: [], failures: [], ends: [], drains: 0 });
    expect(connection.sent.map(({ kind }) => kind)).toEqual([1]);
    expect(() => other.send(16, nothing)).toThrow(ConnectionClosedError);
    expect(() => link.open()).toThrow(BrokenConnectionError);
  });

  test('a conversation may be closed, and others, from inside a handler', () => {
    const { connection, channels, heard } = acceptingLink();
    connection.bringFrame({ channel: 0 });
    connection.bringFrame({ channel: 1 });
    channels[0]?.receive({
      message: () => {
        for (const channel of channels) channel.close();
      },
      failed() {},
      drained() {},
      closed() {},
    });
    connection.bringFrame({ channel: 0 });
    connection.bringFrame({ channel: 1 });
    expect(heard[1]?.messages).toHaveLength(1);
    expect(connection.sent.map(({ kind, channel }) => [kind, channel])).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  test('whoever sends hears when little waits', () => {
    const { connection, link } = openLink();
    const channel = link.open();
    const heard = listenTo(channel);
    expect(channel.isIdle).toBe(true);
    connection.bufferedBytes = linkLimits.lowWaterBytes + 1;
    expect(channel.isIdle).toBe(false);
    connection.drain();
    expect(heard.drains).toBe(1);
    expect(channel.isIdle).toBe(true);
  });

  test('so many messages wait, and so many bytes, and not more', () => {
    const { connection, link } = openLink();
    connection.bufferedBytes = linkLimits.highWaterBytes + 1;
    const channel = link.open();
    const huge = { length: linkLimits.queuedBytesMax } as Uint8Array<ArrayBuffer>;
    channel.send(16, byte(1));
    expect(() => channel.send(16, nothing, huge)).toThrow(LimitExceededError);
    for (let i = 1; i < linkLimits.queuedMessagesMax; i++) channel.send(16, nothing);
    expect(() => channel.send(16, nothing)).toThrow(/4096 messages/);
    connection.drain();
    expect(connection.sent).toHaveLength(linkLimits.queuedMessagesMax);
  });
});
