import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectSocket, createServer as createSocketServer } from 'node:net';
import type { Connection, MainstemError } from 'mainstem';
import {
  AuthenticationError,
  ConnectionClosedError,
  ConnectionRefusedError,
  InvalidOptionError,
  LimitExceededError,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import type { WebSocketServerOptions } from 'mainstem/websocket';
import { WebSocketServerTransport, WebSocketTransport } from 'mainstem/websocket';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { encodeFrame } from '../../src/transport/frame.ts';
import { addressKey, Visitors } from '../../src/transport/webSocket/serverVisitors.ts';
import { until, urlOf } from './webSocketSupport.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function frameOf(length: number): Uint8Array<ArrayBuffer> {
  const head = { kind: 16, flags: 0, channel: 0, number: 0, totalLength: length };
  return encodeFrame(head, new Uint8Array(0), new Uint8Array(length).fill(7));
}

/** A connection with what it has heard. */
function heard(connection: Connection) {
  const frames: Uint8Array[] = [];
  const closes: (MainstemError | undefined)[] = [];
  connection.receive({
    frame: (bytes) => void frames.push(bytes),
    drained() {},
    closed: (error) => void closes.push(error),
  });
  return { connection, frames, closes };
}

async function listening(options: WebSocketServerOptions = {}) {
  const server = new WebSocketServerTransport(
    options.server === undefined ? { port: 0, ...options } : options,
  );
  const accepted: ReturnType<typeof heard>[] = [];
  const listener = await server.listen((connection) => accepted.push(heard(connection)));
  cleanUps.push(() => listener.close());
  return { server, listener, accepted, url: urlOf(server), port: server.address?.port ?? 0 };
}

/** A socket that says this and reads what comes; resolves with that when it has ended. */
function say(port: number, text: string): { socket: Socket; ended: Promise<string> } {
  const socket = connectSocket(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += String(data);
  });
  socket.on('error', () => {});
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(answer)));
  socket.write(text);
  cleanUps.push(() => socket.destroy());
  return { socket, ended };
}

const request = (path = '/', ...headers: string[]): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '\r\n',
  ].join('\r\n');

describe('who comes in', () => {
  test('so many connections in all, then 503; one that ends makes room', async () => {
    const { url, accepted } = await listening({ connectionsMax: 2 });
    const first = heard(await new WebSocketTransport(url).connect());
    await new WebSocketTransport(url).connect();
    await expect(new WebSocketTransport(url).connect()).rejects.toThrow(/HTTP 503/);
    first.connection.close();
    await until(() => accepted.some(({ closes }) => closes.length === 1) && first.closes.length === 1);
    await new WebSocketTransport(url).connect();
    expect(accepted).toHaveLength(3);
  });

  test('so many attempts of one address in a minute, granted or not, by the clock', async () => {
    const clock = new VirtualClock();
    const { url, accepted } = await listening({ attemptsPerMinuteMax: 3, tokens: 'secret', clock });
    const tryWith = (token: string): Promise<Connection> => new WebSocketTransport({ url, token }).connect();
    await tryWith('secret');
    await expect(tryWith('a')).rejects.toThrow(AuthenticationError);
    await expect(tryWith('b')).rejects.toThrow(AuthenticationError);
    await expect(tryWith('secret')).rejects.toThrow(/HTTP 429/);
    clock.advance(20_000);
    await tryWith('secret');
    await expect(tryWith('secret')).rejects.toThrow(/HTTP 429/);
    expect(accepted).toHaveLength(2);
  });

  test('addresses: IPv4 in either form, IPv6 by its first 64 bits', () => {
    const keys = [
      '10.0.0.1',
      '::ffff:10.0.0.1',
      '2001:db8::1',
      '2001:db8:0:0:1:2:3:4',
      '2001:db8:0:1::1',
      '::1',
    ];
    expect(keys.map(addressKey)).toEqual([
      '10.0.0.1',
      '10.0.0.1',
      '2001:db8:0:0::/64',
      '2001:db8:0:0::/64',
      '2001:db8:0:1::/64',
      '0:0:0:0::/64',
    ]);
    expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  });

  test('what is remembered of addresses has an end; those that are there are not forgotten', () => {
    const clock = new VirtualClock();
    const limits = { connectionsMax: 9, connectionsPerAddressMax: 1, attemptsPerMinuteMax: 9, clock };
    const visitors = new Visitors(limits);
    expect(visitors.enter('there')).toBeUndefined();
    let refused = 0;
    for (let i = 0; i < 70_000; i++) {
      const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      if (visitors.enter(address) === undefined) visitors.leave(address);
      else refused++;
    }
    expect(refused).toBe(0);
    expect(visitors.enter('there')).toBe(429);
  });

  test('requests without an origin are refused where one is required', async () => {
    const { url } = await listening({ isOriginRequired: true, allowedOrigins: ['https://game.example'] });
    await expect(new WebSocketTransport(url).connect()).rejects.toThrow(/HTTP 403/);
    await new WebSocketTransport({ url, headers: { origin: 'https://game.example' } }).connect();
  });

  test('where nothing is to be proved, pages from elsewhere are refused', async () => {
    const { url } = await listening();
    const from = (origin: string): Promise<unknown> =>
      new WebSocketTransport({ url, headers: { origin } }).connect();
    await from('http://localhost:8080');
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example'])
      await expect(from(origin)).rejects.toThrow(/HTTP 403/);
    const open = await listening({ allowedOrigins: ['*'] });
    await new WebSocketTransport({ url: open.url, headers: { origin: 'https://evil.example' } }).connect();
    const proved = await listening({ tokens: 'secret' });
    await new WebSocketTransport({
      url: proved.url,
      token: 'secret',
      headers: { origin: 'https://any.example' },
    }).connect();
  });

  test('tokens that let in whoever has none, or are not of one child, are no tokens', () => {
    for (const tokens of ['', { a: '' }, { a: undefined as never }, { a: 'same', b: 'same' }])
      expect(() => new WebSocketServerTransport({ port: 0, tokens })).toThrow(InvalidOptionError);
    for (const name of ['connectionsMax', 'attemptsPerMinuteMax', 'bufferedBytesMax', 'handshakeTimeoutMs'])
      expect(() => new WebSocketServerTransport({ port: 0, [name]: Number.NaN })).toThrow(name);
  });

  test('any text is a token; a header that cannot be sent is an error', async () => {
    const token = 'geheim ✓';
    const { url, accepted } = await listening({ tokens: { a: token } });
    await new WebSocketTransport({ url, token }).connect();
    expect(accepted[0]?.connection.identity).toBe('a');
    const bad = new WebSocketTransport({ url, headers: { 'x-a': 'b\r\nc: d' } });
    await expect(bad.connect()).rejects.toThrow(InvalidOptionError);
    expect(() => new WebSocketTransport('ws://x/#a')).toThrow(InvalidOptionError);
  });

  test('whatever an own authentication returns that is no yes and no child is a no', async () => {
    const verdicts = [null, 1, 'yes', {}, { childId: '' }, { childId: 7 }, undefined];
    const { url, accepted } = await listening({ authenticate: () => verdicts.pop() as never });
    while (verdicts.length > 0)
      await expect(new WebSocketTransport(url).connect()).rejects.toThrow(AuthenticationError);
    expect(accepted).toEqual([]);
  });

  test('a verdict that comes after the deadline, or after the client has gone, changes nothing', async () => {
    const answers: ((verdict: boolean) => void)[] = [];
    const { url, port, accepted } = await listening({
      handshakeTimeoutMs: 40,
      connectionsPerAddressMax: 1,
      authenticate: () => new Promise((resolve) => answers.push(resolve)),
    });
    await expect(new WebSocketTransport(url).connect()).rejects.toThrow(/HTTP 408/);
    answers[0]?.(true);
    const { socket, ended } = say(port, request());
    await until(() => answers.length === 2);
    socket.destroy();
    await ended;
    const retry = (): Promise<Connection> =>
      new WebSocketTransport(url).connect().catch((error: Error) => {
        if (/429/.test(error.message)) return retry();
        throw error;
      });
    const connecting = retry();
    // There is room again: the server has seen that the other has gone.
    await until(() => answers.length === 3);
    answers[1]?.(true);
    answers[2]?.(true);
    await connecting;
    expect(accepted).toHaveLength(1);
  });
});

describe('an own port', () => {
  test('says where it is', async () => {
    const { server, listener, port } = await listening({ path: '/train' });
    expect(server.url).toBe(`ws://127.0.0.1:${port}/train`);
    await new WebSocketTransport(server.url as string).connect();
    await listener.close();
    expect([server.address, server.url]).toEqual([undefined, undefined]);
    await listener.close();
  });

  test('answers what is no WebSocket of its own, and closes', async () => {
    const { port, accepted } = await listening();
    const answers = [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      request('/elsewhere'),
      request().replace('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n', ''),
      request().replace('Upgrade: websocket', 'Upgrade: h2c'),
      'nonsense\r\n\r\n',
    ].map((text) => say(port, text).ended);
    const statuses = (await Promise.all(answers)).map((answer) => Number(answer.split(' ')[1]));
    expect(statuses).toEqual([426, 404, 400, 400, 400]);
    expect(accepted).toEqual([]);
  });

  test('sockets of one address that say nothing are few', async () => {
    const { port, url } = await listening({ connectionsPerAddressMax: 2 });
    const silent = Array.from({ length: 66 }, () => say(port, ''));
    await Promise.all(silent.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
    await say(port, '').ended;
    for (const { socket } of silent) socket.destroy();
    await Promise.all(silent.map(({ ended }) => ended));
    const retry = (): Promise<Connection> => new WebSocketTransport(url).connect().catch(retry);
    await retry();
  });

  test('closing waits neither for those that say nothing nor for an authentication', async () => {
    let isAsked = false;
    const { port, listener } = await listening({
      handshakeTimeoutMs: 60_000,
      authenticate: () => {
        isAsked = true;
        return new Promise(() => {});
      },
    });
    const ends = [say(port, 'GET / HTTP/1.1\r\n'), say(port, request())].map(({ ended }) => ended);
    await until(() => isAsked);
    await listener.close();
    const [silent, asking] = await Promise.all(ends);
    expect(silent).toBe('');
    expect(asking).toMatch(/^HTTP\/1.1 503/);
  });

  test('an accept that throws ends that connection, not the process', async () => {
    const server = new WebSocketServerTransport({ port: 0 });
    const listener = await server.listen(() => {
      throw new Error('a bug');
    });
    cleanUps.push(() => listener.close());
    const { closes } = heard(await new WebSocketTransport(urlOf(server)).connect());
    await until(() => closes.length === 1);
    expect(closes).toEqual([expect.any(ConnectionClosedError)]);
  });
});

describe('a server that is there', () => {
  test('two paths of one server; upgrades that nobody wants are refused; one path is taken once', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const one = await listening({ server, path: '/one' });
    const two = await listening({ server, path: '/two' });
    await expect(new WebSocketServerTransport({ server, path: '/two' }).listen(() => {})).rejects.toThrow(
      ConnectionRefusedError,
    );
    for (const path of ['one', 'two'])
      await new WebSocketTransport(`ws://127.0.0.1:${port}/${path}`).connect();
    expect([one.accepted.length, two.accepted.length]).toEqual([1, 1]);
    expect(await say(port, request('/three')).ended).toMatch(/^HTTP\/1.1 404/);
    await two.listener.close();
    expect(await say(port, request('/two')).ended).toMatch(/^HTTP\/1.1 404/);
    expect(two.server.url).toBeUndefined();
  });
});

describe('what travels', () => {
  test('fragments become whole frames, pings are answered, an announced giant ends it before it comes', async () => {
    const { url, accepted } = await listening();
    const socket = new WebSocket(url, ['mainstem.v1']);
    await new Promise((resolve) => socket.once('open', resolve));
    const frame = frameOf(1_000);
    const pong = new Promise((resolve) => socket.once('pong', resolve));
    for (let at = 0; at < frame.length; at += 100) {
      socket.send(frame.subarray(at, at + 100), { binary: true, fin: at + 100 >= frame.length });
      if (at === 500) socket.ping();
    }
    await pong;
    await until(() => accepted[0]?.frames.length === 1);
    expect(accepted[0]?.frames[0]).toEqual(frame);
    expect(accepted[0]?.frames[0]?.constructor).toBe(Uint8Array);
    const raw = (socket as unknown as { _socket: Socket })._socket;
    // A final binary frame, masked, of 2³¹ bytes, none of which come.
    raw.write(Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0, 1, 2, 3, 4));
    await until(() => accepted[0]?.closes.length === 1);
    expect(accepted[0]?.closes[0]).toBeInstanceOf(ConnectionClosedError);
    expect(accepted[0]?.closes[0]?.message).toMatch(/payload/i);
  });

  test('a mask of zeros is a mask', async () => {
    const { url, accepted } = await listening();
    const connection = await new WebSocketTransport({ url, zeroMask: true }).connect();
    connection.send(frameOf(70_000));
    connection.send(frameOf(3));
    await until(() => accepted[0]?.frames.length === 2);
    const isSame = [70_000, 3].map((length, i) =>
      Buffer.from(frameOf(length)).equals(accepted[0]?.frames[i] as Uint8Array),
    );
    expect(isSame).toEqual([true, true]);
  });

  test('a consumer that takes nothing reaches its limit, and only that one', async () => {
    const { url, accepted, port } = await listening({ bufferedBytesMax: 2 ** 20 });
    const { socket } = say(port, request());
    socket.pause();
    await until(() => accepted.length === 1);
    const taking = heard(await new WebSocketTransport(url).connect());
    await until(() => accepted.length === 2);
    const [stalled, quick] = accepted as [ReturnType<typeof heard>, ReturnType<typeof heard>];
    const fill = (): void => {
      for (;;) stalled.connection.send(frameOf(100_000));
    };
    // The system takes some megabytes by itself.
    const fillUntilFull = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        expect(fill).toThrow(LimitExceededError);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await fillUntilFull();
    expect(stalled.connection.bufferedBytes).toBeGreaterThan(800_000);
    expect(stalled.connection.bufferedBytes).toBeLessThan(2 ** 20 + 1_000);
    quick.connection.send(frameOf(3));
    await until(() => taking.frames.length === 1);
    expect(quick.connection.bufferedBytes).toBe(0);
    socket.destroy();
    await until(() => stalled.closes.length === 1);
  });

  test('a server that never answers', async () => {
    const sockets: Socket[] = [];
    const server = createSocketServer((socket) => void sockets.push(socket.on('error', () => {})));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const clock = new VirtualClock();
    const connecting = new WebSocketTransport({ url: `ws://127.0.0.1:${port}/`, clock }).connect();
    const failure = expect(connecting).rejects.toThrow(/did not answer within 10000 ms/);
    await until(() => sockets.length === 1);
    clock.advance(10_000);
    await failure;
    await new Promise<void>((resolve) => (sockets[0] as Socket).on('close', resolve).resume());
    expect(clock.pendingTimers).toBe(0);
  });
});
