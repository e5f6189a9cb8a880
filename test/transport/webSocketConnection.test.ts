import type { MainstemError } from 'mainstem';
import { ConnectionClosedError, LimitExceededError, MalformedDataError, systemClock } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { encodeFrame, frameMemory, splitFrames } from '../../src/transport/frame.ts';
import { webSocketLimits } from '../../src/transport/limits.ts';
import { SendBudget } from '../../src/transport/webSocket/SendBudget.ts';
import { WebSocketConnection } from '../../src/transport/webSocket/WebSocketConnection.ts';

type Bytes = Uint8Array<ArrayBuffer>;

function frameOf(length: number, number = 0): Bytes {
  const head = { kind: 16, flags: 0, channel: 0, number, totalLength: length };
  return encodeFrame(head, new Uint8Array(0), new Uint8Array(length));
}

/** A socket that takes what it is told to take. */
function fakeSocket() {
  const sent: { bytes: Bytes; taken: () => void }[] = [];
  const calls: string[] = [];
  let waiting = 0;
  return {
    sent,
    calls,
    raw: {
      get bufferedBytes() {
        return waiting;
      },
      send(bytes: Bytes, taken: () => void) {
        waiting += bytes.length;
        sent.push({ bytes, taken });
      },
      close: () => void calls.push('close'),
      terminate: () => void calls.push('terminate'),
    },
    /** The network takes the next message. */
    take(): void {
      const next = sent.shift();
      waiting -= next?.bytes.length ?? 0;
      next?.taken();
    },
  };
}

function connected({ bufferedBytesMax = 2 ** 20, budget = undefined as SendBudget | undefined } = {}) {
  const socket = fakeSocket();
  const connection = new WebSocketConnection(socket.raw, { peer: 'somebody', bufferedBytesMax, budget });
  const frames: Bytes[] = [];
  const closes: (MainstemError | undefined)[] = [];
  const counts = { drained: 0 };
  const read = (): void =>
    connection.receive({
      frame: (bytes) => void frames.push(bytes),
      drained: () => void counts.drained++,
      closed: (error) => void closes.push(error),
    });
  return { socket, connection, frames, closes, counts, read };
}

describe('WebSocketConnection', () => {
  test('small frames of a turn are one message, up to its limit; large ones go alone, uncopied, in order', async () => {
    const { socket, connection } = connected();
    const small = [0, 1, 2].map((number) => frameOf(100, number));
    const large = frameOf(webSocketLimits.joinedFrameBytesMax, 3);
    for (const frame of [...small, large, small[0] as Bytes]) connection.send(frame);
    expect(socket.sent.map(({ bytes }) => splitFrames(bytes).length)).toEqual([3, 1]);
    expect(socket.sent[1]?.bytes).toBe(large);
    expect(connection.bufferedBytes).toBe(4 * frameOf(100).length + large.length);
    await systemClock.yieldTurn();
    expect(socket.sent.map(({ bytes }) => splitFrames(bytes).length)).toEqual([3, 1, 1]);
    socket.sent.length = 0;
    for (let i = 0; i < 70; i++) connection.send(frameOf(1_000, i));
    expect(socket.sent).toHaveLength(1);
    expect(socket.sent[0]?.bytes.length).toBeGreaterThanOrEqual(webSocketLimits.gatheredBytesMax);
  });

  test('a frame of middle size goes out at once, in one message with what was gathered; memory is used again', () => {
    const { socket, connection } = connected();
    const middle = frameOf(webSocketLimits.gatheredFrameBytesMax, 1);
    const another = middle.slice();
    connection.send(frameOf(100, 0));
    connection.send(middle);
    connection.send(another);
    expect(socket.sent.map(({ bytes }) => splitFrames(bytes).length)).toEqual([2, 1]);
    expect(connection.bufferedBytes).toBe(frameOf(100).length + 2 * middle.length);
    expect(frameMemory.take(middle.length).buffer).toBe(middle.buffer);
  });

  test('close sends what was gathered first', () => {
    const { socket, connection } = connected();
    connection.send(frameOf(1));
    connection.close();
    expect(socket.sent).toHaveLength(1);
    expect(socket.calls).toEqual(['close']);
    expect(() => connection.send(frameOf(1))).toThrow(ConnectionClosedError);
  });

  test('drained comes when little is left, not before', () => {
    const { socket, connection, counts, read } = connected();
    read();
    for (let i = 0; i < 4; i++) connection.send(frameOf(50_000, i));
    const left: [number, number][] = [];
    while (socket.sent.length > 0) {
      socket.take();
      left.push([socket.sent.length, counts.drained]);
    }
    expect(left).toEqual([
      [3, 0],
      [2, 0],
      [1, 1],
      [0, 2],
    ]);
    expect(connection.bufferedBytes).toBe(0);
  });

  test('a limit for one connection: what would go beyond is not sent', () => {
    const { socket, connection } = connected({ bufferedBytesMax: 100_000 });
    connection.send(frameOf(60_000));
    expect(() => connection.send(frameOf(60_000))).toThrow(LimitExceededError);
    expect(() => connection.send(frameOf(60_000))).toThrow(/at most 100000/);
    socket.take();
    connection.send(frameOf(60_000));
    expect(socket.sent).toHaveLength(1);
  });

  test('a budget for all: the connection on which most waits goes, and nobody hears of it inside send', async () => {
    const budget = new SendBudget(300_000);
    const stalled = connected({ budget });
    const quick = connected({ budget });
    for (const one of [stalled, quick]) one.read();
    for (let i = 0; i < 4; i++) stalled.connection.send(frameOf(50_000, i));
    for (let i = 0; i < 50; i++) {
      quick.connection.send(frameOf(50_000, i));
      quick.socket.take();
    }
    expect(stalled.closes).toEqual([]);
    quick.connection.send(frameOf(60_000));
    quick.connection.send(frameOf(60_000));
    expect(stalled.socket.calls).toEqual(['terminate']);
    expect(stalled.closes).toEqual([]);
    await systemClock.yieldTurn();
    expect(stalled.closes).toEqual([expect.any(LimitExceededError)]);
    expect(stalled.closes[0]?.message).toMatch(/bytes wait on all connections/);
    expect(() => stalled.connection.send(frameOf(1))).toThrow(ConnectionClosedError);
    // What the socket says of its messages afterwards counts no more.
    while (stalled.socket.sent.length > 0) stalled.socket.take();
    expect(budget.taken).toBe(quick.connection.outstandingBytes);
    while (quick.socket.sent.length > 0) quick.socket.take();
    expect(budget.taken).toBe(0);
  });

  test('the one that sends may be the one that goes; one that ends gives its bytes back', async () => {
    const budget = new SendBudget(100_000);
    const { connection, closes, read } = connected({ budget });
    read();
    connection.send(frameOf(60_000));
    expect(() => connection.send(frameOf(60_000))).toThrow(LimitExceededError);
    await systemClock.yieldTurn();
    expect(closes).toEqual([expect.any(LimitExceededError)]);
    const other = connected({ budget });
    other.connection.send(frameOf(60_000));
    other.connection.send(frameOf(10));
    other.connection.ended(undefined);
    expect(budget.taken).toBe(0);
    await systemClock.yieldTurn();
    expect(other.socket.sent).toHaveLength(1);
  });

  test('frames wait for handlers, but not without end', async () => {
    const { connection, frames, closes, read, socket } = connected();
    const message = frameOf(2 ** 20);
    for (let i = 0; i < 7; i++) connection.arrived(message);
    expect(socket.calls).toEqual([]);
    connection.arrived(message);
    connection.arrived(message);
    expect(socket.calls).toEqual(['terminate']);
    read();
    await systemClock.yieldTurn();
    expect(frames).toHaveLength(8);
    expect(closes).toEqual([expect.any(LimitExceededError)]);
  });

  test('a message that is not whole frames ends it, and none of its frames counts', () => {
    const { connection, frames, closes, read, socket } = connected();
    read();
    const frame = frameOf(10);
    connection.arrived(frame);
    connection.arrived(new Uint8Array([...frame, ...frame.subarray(0, frame.length - 1)]));
    connection.arrived(frame);
    expect(frames).toHaveLength(1);
    expect(closes).toEqual([expect.any(MalformedDataError)]);
    expect(socket.calls).toEqual(['terminate']);
  });
});
