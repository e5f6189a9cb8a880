import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { MainstemError } from 'mainstem';
import { AuthenticationError, ConnectionRefusedError, InvalidOptionError } from 'mainstem';
import { HttpServerTransport, HttpTransport } from 'mainstem/http';
import { VirtualClock } from 'mainstem/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { encodeFrame } from '../../src/transport/frame.ts';
import type { Connection } from '../../src/transport/Transport.ts';
import { type Answer, ask, type CleanUps, gameServer, listening } from './httpSupport.ts';
import { until } from './webSocketSupport.ts';

const cleanUps: CleanUps = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const binary = { 'content-type': 'application/octet-stream' };

function frameOf(...payload: number[]): Uint8Array<ArrayBuffer> {
  const head = { kind: 16, flags: 0, channel: 0, number: 0, totalLength: payload.length };
  return encodeFrame(head, new Uint8Array(0), Uint8Array.from(payload));
}

/** A binary connection over bare requests, and what its other end hears. */
async function opened({ url, accepted }: { url: string; accepted: Connection[] }, headers = {}) {
  const { status, headers: given } = await ask(`${url}/connect`, { method: 'POST', headers });
  expect(status).toBe(201);
  const place = `${url}/${given.get('mainstem-connection')}`;
  cleanUps.push(() => ask(place, { method: 'DELETE', headers }).catch(() => {}));
  const connection = accepted.at(-1) as Connection;
  const heard: { frames: number[][]; ends: (MainstemError | undefined)[] } = { frames: [], ends: [] };
  connection.receive({
    frame: (bytes) => heard.frames.push(Array.from(bytes.subarray(32))),
    drained() {},
    closed: (error) => heard.ends.push(error),
  });
  const push = (query: string, body: BodyInit, more: Record<string, string> = {}): Promise<Answer> =>
    ask(`${place}/push${query}`, { method: 'POST', body, headers: { ...binary, ...headers, ...more } });
  return { place, connection, heard, push };
}

describe('pushes and pulls', () => {
  test('a push that comes again counts once; one that is missing is missed', async () => {
    const { heard, push } = await opened(await listening(cleanUps));
    expect((await push('?n=1', frameOf(1))).status).toBe(204);
    expect((await push('?n=1', frameOf(1))).status).toBe(204);
    const ahead = await push('?n=3', frameOf(3));
    expect([ahead.status, ahead.json.error.code]).toEqual([409, 'CONNECTION_BROKEN']);
    expect((await push('?n=2', frameOf(2))).status).toBe(204);
    expect((await push('', frameOf(4))).status).toBe(204);
    expect(heard.frames).toEqual([[1], [2], [4]]);
  });

  test('an answer comes again until it is acknowledged, and a push brings what waits too', async () => {
    const { place, connection, push } = await opened(await listening(cleanUps));
    connection.send(frameOf(1));
    connection.send(frameOf(2));
    const pull = async (query: string): Promise<[string | null, string | null, number]> => {
      const { headers, text } = await ask(`${place}/pull${query}`);
      return [headers.get('mainstem-first'), headers.get('mainstem-after'), text.length];
    };
    const [first, after] = await pull('?after=0');
    expect([first, after]).toEqual(['1', '2']);
    expect(await pull('?after=0')).toEqual(await pull('?after=0'));
    expect((await pull('?after=1')).slice(0, 2)).toEqual(['2', '2']);
    expect(connection.bufferedBytes).toBe(frameOf(2).length);
    connection.send(frameOf(3));
    const { headers } = await push('?n=1&after=2', frameOf(9));
    expect([headers.get('mainstem-first'), headers.get('mainstem-after')]).toEqual(['3', '3']);
    // Without a number, all that was answered counts as fetched.
    expect(await pull('')).toEqual(['4', '3', 0]);
    expect((await ask(`${place}/pull?after=99`)).json.error.code).toBe('MALFORMED_DATA');
  });

  test('one pull waits at a time: a second one is answered in its place', async () => {
    const { place, connection } = await opened(await listening(cleanUps));
    const pull = (): Promise<Answer> => ask(`${place}/pull?wait=50&after=0`);
    const [first, second] = [pull(), pull()];
    // Whichever came first is the one that was answered.
    expect((await Promise.race([first, second])).status).toBe(204);
    // One that does not wait leaves what comes to the one that does.
    expect((await ask(`${place}/pull?after=0`)).status).toBe(204);
    connection.send(frameOf(5));
    const answers = await Promise.all([first, second]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 204]);
  });

  test('a pull that nobody waits for any more leaves what comes to the next', async () => {
    const { place, connection } = await opened(await listening(cleanUps));
    const abort = new AbortController();
    const pulling = ask(`${place}/pull?wait=50&after=0`, { signal: abort.signal });
    const isWaitedOn = (): boolean => (connection as unknown as { isWaitedOn: boolean }).isWaitedOn;
    await until(isWaitedOn);
    abort.abort();
    await expect(pulling).rejects.toThrow();
    await until(() => !isWaitedOn());
    connection.send(frameOf(1));
    expect((await ask(`${place}/pull?wait=50&after=0`)).status).toBe(200);
  });

  test('bytes that wait for a child are limited', async () => {
    const { connection } = await opened(await listening(cleanUps, { bufferedBytesMax: 100 }));
    connection.send(frameOf(1));
    expect(() => {
      for (let i = 0; i < 9; i++) connection.send(frameOf(i));
    }).toThrow(/at most 100 are allowed/);
  });
});

describe('who may come in', () => {
  test('one token for all, and each request needs it', async () => {
    const listener = await listening(cleanUps, { tokens: 'secret' });
    const { url, accepted } = listener;
    const good = await new HttpTransport({ url, token: 'secret' }).connect();
    for (const token of ['', 'Secret', 'secret2'])
      await expect(new HttpTransport({ url, token }).connect()).rejects.toThrow(AuthenticationError);
    await expect(new HttpTransport(url).connect()).rejects.toThrow(AuthenticationError);
    expect(accepted).toHaveLength(1);
    const { place } = await opened(listener, { authorization: 'Bearer secret' });
    expect((await ask(`${place}/pull`)).status).toBe(404);
    expect((await ask(`${place}/pull`, { headers: { authorization: 'Bearer secret' } })).status).toBe(204);
    good.close();
  });

  test('a token of each child, and an own authentication', async () => {
    const { url, accepted } = await listening(cleanUps, {
      tokens: { a: 'of a', b: 'of b', c: 'of c', d: 'of d' },
      handshakeTimeoutMs: 50,
      authenticate: ({ token, remoteAddress }) => {
        expect(remoteAddress).toContain('127.0.0.1');
        if (token === 'of b') throw new Error('the data base is down');
        if (token === 'of c') return new Promise(() => {});
        return token === 'of a' || { childId: 'somebody' };
      },
    });
    const answers = [];
    for (const token of ['of a', 'of b', 'of c', 'of d', 'of e']) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await ask(`${url}/connect`, { method: 'POST', headers });
      answers.push(answer.status);
      const id = answer.headers.get('mainstem-connection');
      cleanUps.push(() => ask(`${url}/${id}`, { method: 'DELETE', headers }));
    }
    expect(answers).toEqual([201, 401, 408, 201, 401]);
    expect(accepted.map(({ identity }) => identity)).toEqual(['a', 'somebody']);
  });

  test('pages of other origins; those that may connect can read the answers', async () => {
    const { url } = await listening(cleanUps, {
      allowedOrigins: ['https://game.example'],
      connectionsPerAddressMax: 0,
    });
    const from = (origin: string, method: string) => ask(`${url}/connect`, { method, headers: { origin } });
    expect((await from('https://evil.example', 'POST')).status).toBe(403);
    const preflight = await from('https://game.example', 'OPTIONS');
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://game.example',
    ]);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    const { status, headers } = await from('https://game.example', 'POST');
    expect([status, headers.get('access-control-expose-headers')]).toEqual([
      429,
      expect.stringContaining('mainstem-after'),
    ]);
  });

  test('where nothing is to be proved, pages from elsewhere are refused', async () => {
    const { url } = await listening(cleanUps, { connectionsPerAddressMax: 0 });
    const from = async (origin: string): Promise<number> =>
      (await ask(`${url}/connect`, { method: 'POST', headers: { origin } })).status;
    expect(await from('https://evil.example')).toBe(403);
    expect(await from('http://localhost:8080')).toBe(429);
  });

  test('so many connections of one address, until one ends', async () => {
    const listener = await listening(cleanUps, { connectionsPerAddressMax: 2 });
    const { place } = await opened(listener);
    await opened(listener);
    expect((await ask(`${listener.url}/connect`, { method: 'POST' })).status).toBe(429);
    await ask(place, { method: 'DELETE' });
    await opened(listener);
  });
});

describe('bodies', () => {
  test('gzip is read; too long, a bomb, another encoding and no gzip at all are not', async () => {
    const { heard, push } = await opened(await listening(cleanUps, { bodyBytesMax: 10_000 }));
    const frames = Uint8Array.from(Array.from({ length: 25 }, () => [...frameOf(7)]).flat());
    const gzip = { 'content-encoding': 'gzip' };
    expect((await push('', gzipSync(frames), gzip)).status).toBe(204);
    expect(heard.frames).toHaveLength(25);
    const bomb = gzipSync(new Uint8Array(9_000_000));
    expect(bomb.length).toBeLessThan(10_000);
    const statuses = [
      await push('', bomb, gzip),
      await push('', frames, gzip),
      await push('', frames, { 'content-encoding': 'br' }),
      await push('', frames.subarray(0, 39)),
      await push('', frames, { 'content-type': 'application/json' }),
      await push('?n=x', frames),
      await push('?n=-1', frames),
    ].map(({ status }) => status);
    expect(statuses).toEqual([413, 400, 415, 400, 415, 400, 400]);
    expect(heard).toMatchObject({ frames: expect.objectContaining({ length: 25 }), ends: [] });
  });

  test('what announces too much is refused before it comes, and what grows too long while it does', async () => {
    const listener = await listening(cleanUps, { bodyBytesMax: 10_000 });
    const { place, heard } = await opened(listener);
    const { port = 0 } = listener.server.address ?? {};
    const say = async (...texts: string[]): Promise<string> => {
      const socket = connectSocket(port, '127.0.0.1');
      socket.on('error', () => {});
      let heardText = '';
      socket.on('data', (data) => {
        heardText += String(data);
      });
      for (const text of texts) socket.write(text);
      await once(socket, 'close');
      return heardText.split('\r\n', 1)[0] as string;
    };
    const head = `POST ${new URL(place).pathname}/push HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n`;
    expect(await say(`${head}content-length: 10001\r\n\r\n`)).toContain(' 413 ');
    const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
    expect(await say(`${head}transfer-encoding: chunked\r\n\r\n`, chunk, chunk, chunk)).toContain(' 413 ');
    expect(heard).toEqual({ frames: [], ends: [] });
  });

  test('a body that does not come, and one that breaks off, take nothing with them', async () => {
    const clock = new VirtualClock();
    const listener = await listening(cleanUps, { clock });
    const { place, heard } = await opened(listener);
    const { port = 0 } = listener.server.address ?? {};
    const timers = clock.turns;
    const socket = connectSocket(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += String(data);
    });
    const head = `POST ${new URL(place).pathname}/push HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n`;
    socket.write(`${head}content-length: 100\r\n\r\nabc`);
    while (answer === '') {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(10);
    }
    expect(answer).toContain(' 408 ');
    const other = connectSocket(port, '127.0.0.1');
    other.write(`${head}content-length: 100\r\n\r\nabc`, () => other.destroy());
    await once(other, 'close');
    expect(heard.frames).toEqual([]);
    expect(clock.turns).toBe(timers);
  });

  test('whatever comes as a body, the answer is 204 or says what is wrong, and the connection goes on', async () => {
    const { heard, push } = await opened(await listening(cleanUps));
    const good = frameOf(1, 2, 3);
    const mutated = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => {
      const bytes = good.slice();
      bytes[at] = value;
      return bytes;
    });
    const bodies = fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated) as fc.Arbitrary<
      Uint8Array<ArrayBuffer>
    >;
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const { status, json } = await push('', body);
        if (status !== 204)
          expect([status, json.error.code]).toEqual([
            expect.any(Number),
            expect.stringMatching(/^MALFORMED|^LIMIT/),
          ]);
      }),
      { numRuns: 200, seed: 11 },
    );
    const before = heard.frames.length;
    expect((await push('', good)).status).toBe(204);
    expect(heard.frames.length).toBe(before + 1);
    expect(heard.ends).toEqual([]);
  });
});

describe('connections end', () => {
  test('when nothing is asked for too long, but not while a request waits', async () => {
    const clock = new VirtualClock();
    const listener = await listening(cleanUps, { clock, idleTimeoutMs: 20_000 });
    const idle = await opened(listener);
    const busy = await opened(listener);
    const pulling = ask(`${busy.place}/pull?wait=55&after=0`);
    await until(() => (busy.connection as unknown as { isWaitedOn: boolean }).isWaitedOn);
    clock.advance(19_000);
    expect(idle.heard.ends).toEqual([]);
    clock.advance(11_000);
    expect(idle.heard.ends.map((error) => error?.message)).toEqual([
      expect.stringMatching(/no request has come/),
    ]);
    expect((await ask(`${idle.place}/pull`)).status).toBe(404);
    expect(busy.heard.ends).toEqual([]);
    clock.advance(25_000);
    expect((await pulling).status).toBe(204);
    expect(busy.heard.ends).toEqual([]);
  });

  test('and what is there no more, or never was, is told apart from what may not be done', async () => {
    const listener = await listening(cleanUps);
    const { place, heard } = await opened(listener);
    const statuses = [
      await ask(`${place}/pull`, { method: 'POST' }),
      await ask(`${place}/push`),
      await ask(`${place}/other`),
      await ask(`${place}/pull/more`),
      await ask(place),
      await ask(`${listener.url}/connect`),
      await ask(`${listener.url}/connect`, {
        method: 'POST',
        body: 'x',
        headers: { 'content-type': 'text/html' },
      }),
      await ask(listener.url.replace('mainstem', 'elsewhere')),
      await ask(place, { method: 'DELETE' }),
      await ask(place, { method: 'DELETE' }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([405, 405, 404, 404, 405, 405, 415, 404, 204, 404]);
    expect(heard.ends).toEqual([undefined]);
  });

  test('a server that is there keeps its pages and its life', async () => {
    const { server, origin } = await gameServer(cleanUps);
    const listener = await new HttpServerTransport({ server, path: '/a/b' }).listen(() => {});
    expect((await ask(`${origin}/a`)).text).toBe('the game');
    expect((await ask(`${origin}/a/b/c`)).status).toBe(404);
    await expect(new HttpTransport(`${origin}/a`).connect()).rejects.toThrow(ConnectionRefusedError);
    await listener.close();
    await listener.close();
    expect((await ask(`${origin}/a/b/c`)).text).toBe('the game');
  });

  test('a taken port, and options that make no sense', async () => {
    const { server } = await listening(cleanUps);
    const { port = 0 } = server.address ?? {};
    await expect(server.listen(() => {})).rejects.toThrow(/listens on this transport already/);
    await expect(new HttpServerTransport({ port }).listen(() => {})).rejects.toThrow(/cannot listen/);
    for (const options of [{}, { port: 1, path: 'x' }, { port: 1, idleTimeoutMs: 0 }, { port: 1, prot: 2 }])
      expect(() => new HttpServerTransport(options as never)).toThrow(InvalidOptionError);
    for (const options of ['ws://x', { url: 'http://x', waitMs: 0 }, { url: 'http://x', tokn: 1 }])
      expect(() => new HttpTransport(options as never)).toThrow(InvalidOptionError);
  });
});
