import fc from 'fast-check';
import {
  BrokenConnectionError,
  CorruptFrameError,
  InProcessTransport,
  LimitExceededError,
  type MainstemError,
  MalformedDataError,
  type Transport,
} from 'mainstem';
import { VirtualClock, VirtualNetwork } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { linkLimits } from '../../src/limits.ts';
import { ByteBudget } from '../../src/transport/ByteBudget.ts';
import type { Frame } from '../../src/transport/frame.ts';
import { Heart } from '../../src/transport/Heart.ts';
import { Link } from '../../src/transport/Link.ts';
import { settle } from '../coordinators/helpers.ts';
import {
  acceptingLink,
  type Bytes,
  FakeConnection,
  type Heard,
  listenTo,
  nothing,
  patternOf,
  tapped,
} from './linkSupport.ts';

const { chunkBytes } = linkLimits;
const more = 2;
const continues = 4;

describe('large messages', () => {
  test('travel in pieces: metadata with the first, the total with each, flags that say where one is', () => {
    const connection = new FakeConnection();
    const channel = new Link(connection, { heart: new Heart(new VirtualClock(), 10_000) }).open();
    const payload = patternOf(2 * chunkBytes + 3);
    channel.send(20, Uint8Array.of(5), payload);
    channel.send(21, Uint8Array.of(6), patternOf(chunkBytes));
    expect(
      connection.sent.map(({ kind, flags, metadata, payload: part, totalLength }) => [
        kind,
        flags,
        [...metadata],
        part.length,
        totalLength,
      ]),
    ).toEqual([
      [20, more, [5], chunkBytes, payload.length],
      [20, more | continues, [], chunkBytes, payload.length],
      [20, continues, [], 3, payload.length],
      [21, 0, [6], chunkBytes, chunkBytes],
    ]);
  });

  test('come together again from pieces of any lengths, and give their room back', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.array(fc.nat(60), { maxLength: 20 }), (length, cuts) => {
        const { connection, heard, budget } = acceptingLink();
        const payload = patternOf(length);
        const ends = [...new Set([...cuts.filter((cut) => cut < length), length])].sort((a, b) => a - b);
        let start = 0;
        for (const [at, end] of ends.entries()) {
          const flags = (at > 0 ? continues : 0) | (end < length ? more : 0);
          const part = payload.slice(start, end);
          connection.bringFrame({ kind: 20, flags, totalLength: length }, Uint8Array.of(at), part);
          start = end;
        }
        expect(heard[0]?.messages).toEqual([{ kind: 20, metadata: [0], payload }]);
        expect(budget.taken).toBe(0);
      }),
    );
  });
});

/** Both ends of a link over a transport, with what was sent in both directions. */
async function linked(transport: Transport, clock = new VirtualClock()) {
  const wire: Frame[] = [];
  const far: Heard[] = [];
  await transport.listen((connection) => {
    new Link(connection, {
      heart: new Heart(clock, linkLimits.heartbeatMs),
      accept: (channel) => far.push(listenTo(channel)),
    });
  });
  const connection = await tapped(transport, (frame) => wire.push(frame)).connect();
  const heart = new Heart(clock, linkLimits.heartbeatMs);
  return { near: new Link(connection, { heart }), far, wire, clock };
}

describe('interleaving: 20 MB on their way', () => {
  const payload = patternOf(20_000_000);
  const pieces = Math.ceil(payload.length / chunkBytes);

  test('in process, small messages of another conversation pass between the pieces', async () => {
    const { near, far, wire } = await linked(new InProcessTransport());
    const [large, small] = [near.open(), near.open()];
    large.send(20, Uint8Array.of(1), payload);
    for (let i = 0; i < 10; i++) small.send(21, Uint8Array.of(i));
    for (let turn = 0; turn < 50; turn++) await settle();
    const order = wire.map(({ channel, kind }) => `${channel}:${kind}`);
    expect(order.filter((entry) => entry === '0:20')).toHaveLength(pieces);
    const lastSmall = order.lastIndexOf('1:21');
    // What was in the network already, and then a frame of each in turn.
    const ahead = Math.ceil(linkLimits.highWaterBytes / chunkBytes) + 1;
    expect(order.slice(0, lastSmall).filter((entry) => entry === '0:20').length).toBeLessThanOrEqual(
      ahead + 10,
    );
    expect(far.map(({ messages }) => messages.length).sort()).toEqual([1, 10]);
    const whole = far.find(({ messages }) => messages.length === 1);
    expect(Buffer.compare(whole?.messages[0]?.payload as Bytes, payload)).toBe(0);
  });

  test('over a slow network, heartbeats pass between the pieces as well', async () => {
    // Each frame takes 3 s: the whole takes minutes, and both ends hear from each other all the time.
    const network = new VirtualNetwork({ faults: { delayMs: 3_000 } });
    const { near, far, wire, clock } = await linked(network.transport('coordinator'), network.clock);
    const [large, small] = [near.open(), near.open()];
    large.send(20, nothing, payload);
    small.send(21, nothing);
    clock.schedule(() => near.announceBusy(1_000), 20_000);
    clock.schedule(() => small.send(22, nothing), 40_000);
    expect(await network.settle()).toBe('quiet');
    const kinds = wire.map(({ kind }) => kind);
    const first = kinds.indexOf(20);
    const last = kinds.lastIndexOf(20);
    for (const kind of [0, 21, 22]) {
      expect(kinds.indexOf(kind), `kind ${kind}`).toBeGreaterThan(first);
      expect(kinds.indexOf(kind), `kind ${kind}`).toBeLessThan(last);
    }
    expect(wire.map(({ number }) => number)).toEqual(wire.map((_, at) => at));
    expect(clock.now()).toBeGreaterThan(60_000);
    expect(far.map(({ ends }) => ends)).toEqual([[], []]);
    const whole = far[0]?.messages[0]?.payload as Bytes;
    expect(Buffer.compare(whole, payload)).toBe(0);
  });
});

describe('on a network that breaks its promises', () => {
  async function sent(faults: { duplicate?: number; drop?: number; reorder?: number }, count = 200) {
    const network = new VirtualNetwork({ seed: 5, faults });
    const { near, far } = await linked(network.transport('coordinator'), network.clock);
    const channel = near.open();
    const own = listenTo(channel);
    for (let i = 0; i < count; i++) channel.send(16, Uint8Array.of(i & 255), patternOf(i * 2_000));
    await network.settle();
    return { heard: far[0], own };
  }

  test('frames that come twice count once', async () => {
    const { heard } = await sent({ duplicate: 0.3 });
    expect(heard?.messages.map(({ metadata }) => metadata[0])).toEqual(
      Array.from({ length: 200 }, (_, i) => i),
    );
    expect(heard?.ends).toEqual([]);
  });

  test.each([
    ['one is missing', { drop: 0.02 }],
    ['they come in another order', { reorder: 0.1 }],
  ])('%s: the connection ends, at both ends, and what came before is whole', async (_name, faults) => {
    const { heard, own } = await sent(faults);
    expect(heard?.ends).toEqual([expect.any(BrokenConnectionError)]);
    expect(own.ends).toHaveLength(1);
    const got = heard?.messages.map(({ metadata }) => metadata[0]) ?? [];
    expect(got.length).toBeLessThan(200);
    expect(got).toEqual(got.map((_, i) => i));
  });

  test('with checksums of payloads a byte that changes ends it; without, the transport has looked after it', () => {
    for (const hasPayloadChecksums of [true, false]) {
      const sender = new FakeConnection();
      const receiver = acceptingLink();
      const send = sender.send.bind(sender);
      sender.send = (bytes) => {
        send(bytes);
        const damaged = bytes.slice();
        damaged[damaged.length - 1] = (damaged[damaged.length - 1] as number) ^ 1;
        receiver.connection.bring(damaged);
      };
      const heart = new Heart(new VirtualClock(), 10_000);
      new Link(sender, { heart, hasPayloadChecksums }).open().send(16, nothing, patternOf(50));
      // The conversation begins with a frame that is read, so there is none here where it is not.
      expect(receiver.heard).toHaveLength(hasPayloadChecksums ? 0 : 1);
      expect(receiver.ends).toEqual(hasPayloadChecksums ? [expect.any(CorruptFrameError)] : []);
    }
  });
});

describe('what a stranger may not do', () => {
  type Act = (bring: FakeConnection['bringFrame']) => void;
  test.each<[string, new (message: string) => MainstemError, RegExp, Act]>([
    [
      'announce more than is allowed here',
      LimitExceededError,
      /announces 1001 bytes, at most 1000/,
      (bring) => bring({ flags: more, totalLength: 1_001 }),
    ],
    [
      'announce a giant',
      LimitExceededError,
      /announces 2147483648 bytes/,
      (bring) => bring({ flags: more, totalLength: 2 ** 31 }, nothing, patternOf(1)),
    ],
    [
      'announce more than it sends',
      MalformedDataError,
      /a message of 1000 bytes has 5/,
      (bring) => bring({ totalLength: 1_000 }, nothing, patternOf(5)),
    ],
    [
      'say that more comes where nothing more can',
      MalformedDataError,
      /5 of 5 bytes/,
      (bring) => bring({ flags: more }, nothing, patternOf(5)),
    ],
    [
      'end a message before its end',
      MalformedDataError,
      /20 of 30 bytes/,
      (bring) => {
        bring({ flags: more, totalLength: 30 }, nothing, patternOf(10));
        bring({ flags: continues, totalLength: 30 }, nothing, patternOf(10));
      },
    ],
    [
      'send more than it has announced',
      MalformedDataError,
      /35 of 30 bytes/,
      (bring) => {
        bring({ flags: more, totalLength: 30 }, nothing, patternOf(10));
        bring({ flags: continues, totalLength: 30 }, nothing, patternOf(25));
      },
    ],
    [
      'change the total on the way',
      MalformedDataError,
      /pieces that do not fit/,
      (bring) => {
        bring({ flags: more, totalLength: 30 }, nothing, patternOf(10));
        bring({ flags: continues, totalLength: 20 }, nothing, patternOf(10));
      },
    ],
    [
      'change the kind on the way',
      MalformedDataError,
      /pieces that do not fit/,
      (bring) => {
        bring({ kind: 20, flags: more, totalLength: 30 }, nothing, patternOf(10));
        bring({ kind: 24, flags: continues, totalLength: 30 }, nothing, patternOf(20));
      },
    ],
    [
      'begin a message inside another',
      MalformedDataError,
      /a message inside another/,
      (bring) => {
        bring({ flags: more, totalLength: 30 }, nothing, patternOf(10));
        bring({}, nothing, patternOf(3));
      },
    ],
    [
      'go on with what has not begun',
      MalformedDataError,
      /without its beginning/,
      (bring) => {
        bring({});
        bring({ flags: continues, totalLength: 3 }, nothing, patternOf(3));
      },
    ],
  ])('%s', (_name, type, message, act) => {
    const { connection, heard, budget, ends } = acceptingLink({ payloadBytesMax: 1_000 });
    act(connection.bringFrame.bind(connection));
    expect(heard[0]?.failures).toEqual([expect.any(type)]);
    expect(heard[0]?.failures[0]?.message).toMatch(message);
    // Nothing is kept for it, it hears nothing more, and others go on.
    expect(budget.taken).toBe(0);
    const before = heard[0]?.messages.length;
    connection.bringFrame({}, Uint8Array.of(1));
    connection.bringFrame({ channel: 1 }, Uint8Array.of(2));
    expect(heard[0]?.messages).toHaveLength(before ?? 0);
    expect(heard[1]?.messages).toMatchObject([{ metadata: [2] }]);
    expect(ends).toEqual([]);
  });

  test('one byte at a time is slow, and nothing else', () => {
    const { connection, heard, budget } = acceptingLink();
    const payload = patternOf(3_000);
    for (let at = 0; at < payload.length; at++) {
      const flags = (at > 0 ? continues : 0) | (at < payload.length - 1 ? more : 0);
      connection.bringFrame({ flags, totalLength: 3_000 }, nothing, payload.slice(at, at + 1));
    }
    expect(heard[0]?.messages).toEqual([{ kind: 16, metadata: [], payload }]);
    expect(budget.taken).toBe(0);
  });

  test('unfinished messages of all conversations share a budget, which comes back however they end', () => {
    const budget = new ByteBudget(1_000);
    const [first, second] = [acceptingLink({ budget }), acceptingLink({ budget })];
    const begin = (connection: FakeConnection, channel: number, totalLength: number): void =>
      connection.bringFrame({ channel, flags: more, totalLength }, nothing, patternOf(1));
    begin(first.connection, 0, 600);
    begin(second.connection, 0, 401);
    expect(second.heard[0]?.failures[0]?.message).toMatch(/no room for a message of 401 bytes now/);
    begin(second.connection, 1, 400);
    expect(budget.taken).toBe(1_000);
    second.channels[1]?.close();
    expect(budget.taken, 'closed here').toBe(600);
    begin(second.connection, 2, 400);
    second.connection.bringFrame({ kind: 1, channel: 2 });
    expect(budget.taken, 'ended there').toBe(600);
    first.connection.end(new BrokenConnectionError('gone'));
    expect(budget.taken, 'broken').toBe(0);
  });
});
