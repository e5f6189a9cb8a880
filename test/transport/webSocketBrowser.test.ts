import type { Clock, MainstemError } from 'mainstem';
import { ConnectionClosedError, ConnectionRefusedError, MalformedDataError } from 'mainstem';
import { transportContract, VirtualClock } from 'mainstem/testing';
import { WebSocketServerTransport } from 'mainstem/websocket';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { encodeFrame } from '../../src/transport/frame.ts';
import { WebSocketTransport } from '../../src/transport/webSocket/browser.ts';
import { describeContract } from '../contracts/run.ts';
import { turns, urlOf } from './webSocketSupport.ts';

/** The socket of a browser, whose server is the test. */
class FakeWebSocket {
  static readonly OPEN = 1;
  static readonly made: FakeWebSocket[] = [];
  readyState = 0;
  bufferedAmount = 0;
  binaryType = 'blob';
  onopen: (() => void) | undefined;
  onclose: ((event: { code: number; wasClean: boolean }) => void) | undefined;
  onmessage: ((event: { data: unknown }) => void) | undefined;
  readonly sent: Uint8Array[] = [];
  readonly closes: (number | undefined)[] = [];
  readonly url: string;
  readonly protocols: string[];

  constructor(url: string, protocols: string[]) {
    if (url.includes('forbidden')) throw new DOMException('mixed content', 'SecurityError');
    this.url = url;
    this.protocols = protocols;
    FakeWebSocket.made.push(this);
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.bufferedAmount += bytes.length;
  }

  close(code?: number): void {
    this.closes.push(code);
    this.readyState = 2;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
}

function frameOf(length: number): Uint8Array<ArrayBuffer> {
  const head = { kind: 16, flags: 0, channel: 0, number: 0, totalLength: length };
  return encodeFrame(head, new Uint8Array(0), new Uint8Array(length));
}

async function opened(clock: VirtualClock) {
  const connecting = new WebSocketTransport({ url: 'ws://x/', clock }).connect();
  const socket = FakeWebSocket.made.at(-1) as FakeWebSocket;
  socket.open();
  const connection = await connecting;
  const closes: (MainstemError | undefined)[] = [];
  const counts = { frames: 0, drained: 0 };
  connection.receive({
    frame: () => void counts.frames++,
    drained: () => void counts.drained++,
    closed: (error) => void closes.push(error),
  });
  return { socket, connection, closes, counts };
}

afterEach(() => vi.unstubAllGlobals());

describe('WebSocketTransport in browsers, over real sockets', () => {
  // `ws` has the interface of a browser's WebSocket too, but for errors that nobody listens for.
  class QuietWebSocket extends NodeWebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      this.on('error', () => {});
    }
  }
  beforeEach(() => vi.stubGlobal('WebSocket', QuietWebSocket));

  // The browser's side asks every 10 ms what has gone: here at each turn.
  const clock: Clock = {
    now: () => 0,
    schedule(callback, delayMs) {
      if (delayMs > 10) return () => {};
      const turn = setImmediate(callback);
      return () => clearImmediate(turn);
    },
    yieldTurn: () => turns(1),
  };
  const create = () => {
    const server = new WebSocketServerTransport({ port: 0, tokens: 'söcret' });
    return {
      listen: server.listen.bind(server),
      connect: () => new WebSocketTransport({ url: urlOf(server), token: 'söcret', clock }).connect(),
    };
  };
  describeContract('contract', transportContract({ create, settle: () => turns() }));
});

describe('WebSocketTransport in browsers', () => {
  beforeEach(() => {
    FakeWebSocket.made.length = 0;
    vi.stubGlobal('WebSocket', FakeWebSocket);
  });

  test('the token goes as a subprotocol, beside that of mainstem', async () => {
    void new WebSocketTransport({ url: 'wss://x/', token: 'a+/=b' }).connect().catch(() => {});
    const { url, protocols, binaryType } = FakeWebSocket.made[0] as FakeWebSocket;
    expect([url, binaryType]).toEqual(['wss://x/', 'arraybuffer']);
    expect(protocols).toEqual(['mainstem.v1', 'mainstem.token.YSsvPWI']);
    FakeWebSocket.made[0]?.onclose?.({ code: 1006, wasClean: false });
  });

  test('no answer, a refusal, a policy that forbids it', async () => {
    const clock = new VirtualClock();
    const slow = new WebSocketTransport({ url: 'ws://x/', clock, connectTimeoutMs: 300 }).connect();
    const refused = new WebSocketTransport({ url: 'ws://x/', clock }).connect();
    const forbidden = new WebSocketTransport({ url: 'ws://forbidden/', clock }).connect();
    const failures = Promise.allSettled([slow, refused, forbidden]);
    FakeWebSocket.made[1]?.onclose?.({ code: 1006, wasClean: false });
    clock.advance(300);
    const reasons = (await failures).map((result) => result.status === 'rejected' && result.reason);
    expect(reasons).toEqual(Array.from({ length: 3 }, () => expect.any(ConnectionRefusedError)));
    expect(reasons.map(String)).toEqual([
      expect.stringMatching(/within 300 ms/),
      expect.stringMatching(/nobody listens/),
      expect.stringMatching(/mixed content/),
    ]);
    expect(FakeWebSocket.made[0]?.closes).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('it asks what has gone only while something waits', async () => {
    const clock = new VirtualClock();
    const { socket, connection, counts } = await opened(clock);
    expect(clock.pendingTimers).toBe(0);
    connection.send(frameOf(100_000));
    connection.send(frameOf(100_000));
    clock.advance(50);
    expect(counts.drained).toBe(0);
    expect(clock.pendingTimers).toBe(1);
    socket.bufferedAmount = 60_000;
    clock.advance(10);
    expect(counts.drained).toBeGreaterThan(0);
    expect(connection.bufferedBytes).toBe(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('text, bytes that are no frames, and an end that is none end it with a typed error', async () => {
    const clock = new VirtualClock();
    const ends: ((socket: FakeWebSocket) => void)[] = [
      (socket) => socket.onmessage?.({ data: 'hello' }),
      (socket) => socket.onmessage?.({ data: new ArrayBuffer(40) }),
      (socket) => socket.onclose?.({ code: 1006, wasClean: false }),
      (socket) => socket.onclose?.({ code: 1000, wasClean: true }),
    ];
    const errors: (MainstemError | undefined)[] = [];
    for (const end of ends) {
      const { socket, closes, counts } = await opened(clock);
      socket.onmessage?.({ data: frameOf(3).slice().buffer });
      end(socket);
      socket.onmessage?.({ data: frameOf(3).slice().buffer });
      socket.onclose?.({ code: 1006, wasClean: false });
      expect(counts.frames).toBe(1);
      expect(closes).toHaveLength(1);
      errors.push(closes[0]);
    }
    expect(errors).toEqual([
      expect.any(MalformedDataError),
      expect.any(MalformedDataError),
      expect.any(ConnectionClosedError),
      undefined,
    ]);
  });
});
