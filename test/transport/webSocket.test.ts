import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectSocket } from 'node:net';
import type { Connection, Transport } from 'mainstem';
import {
  AuthenticationError,
  Child,
  ConnectionRefusedError,
  DistributedGradientsCoordinator,
  InvalidOptionError,
  LinearRegression,
} from 'mainstem';
import { transportContract } from 'mainstem/testing';
import { WebSocketServerTransport, WebSocketTransport } from 'mainstem/websocket';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { tokenOf, tokenSubprotocol } from '../../src/transport/webSocket/subprotocol.ts';
import { describeContract } from '../contracts/run.ts';
import { numbersOf, parametersOf } from '../coordinators/helpers.ts';
import { pairedTransport, turns, until, urlOf } from './webSocketSupport.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

describeContract(
  'WebSocketTransport, own port',
  transportContract({ create: () => pairedTransport(), settle: () => turns() }),
);
describeContract(
  'WebSocketTransport on a server that is there',
  transportContract({ create: () => attachedTransport(), settle: () => turns() }),
);

/** On an HTTP server of somebody else's. */
async function attachedTransport(): Promise<Transport> {
  const server = createServer((_request, response) => response.end('the game'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const own = new WebSocketServerTransport({ server });
  return {
    listen: (accept) => own.listen(accept),
    connect: () => new WebSocketTransport(`ws://127.0.0.1:${port}/mainstem`).connect(),
  };
}

async function listening(options: ConstructorParameters<typeof WebSocketServerTransport>[0]) {
  const server = new WebSocketServerTransport(options);
  const accepted: Connection[] = [];
  const listener = await server.listen((connection) => accepted.push(connection));
  cleanUps.push(() => listener.close());
  return { server, accepted, url: urlOf(server) };
}

describe('WebSocketServerTransport', () => {
  test('a server that is there keeps its port, its pages and its life', async () => {
    const server = createServer((_request, response) => response.end('the game'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const upgrades: string[] = [];
    server.on('upgrade', ({ url }, socket) => {
      if (url === '/mainstem') return;
      upgrades.push(url ?? '');
      socket.destroy();
    });
    const listener = await new WebSocketServerTransport({ server }).listen(() => {});
    const page = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const asking = request({ port, host: '127.0.0.1', agent: false }, (response) =>
          response.on('data', (data) => resolve(String(data))),
        );
        asking.on('error', reject);
        asking.end();
      });
    expect(await page()).toBe('the game');
    const other = new WebSocketTransport(`ws://127.0.0.1:${port}/chat`);
    await expect(other.connect()).rejects.toThrow(ConnectionRefusedError);
    expect(upgrades).toEqual(['/chat']);
    await listener.close();
    expect(await page()).toBe('the game');
  });

  test('a taken port, a port and a server at once, a misspelt option', async () => {
    const { server } = await listening({ port: 0 });
    const { port = 0 } = server.address ?? {};
    await expect(new WebSocketServerTransport({ port }).listen(() => {})).rejects.toThrow(/cannot listen/);
    expect(() => new WebSocketServerTransport({})).toThrow(InvalidOptionError);
    expect(() => new WebSocketServerTransport({ port: 1, server: createServer() })).toThrow(
      InvalidOptionError,
    );
    expect(() => new WebSocketServerTransport({ port: 1, prot: 2 } as never)).toThrow(/prot/);
    expect(() => new WebSocketTransport('http://x')).toThrow(/expected ws:/);
  });

  test('one token for all: with it in, without it or with another not', async () => {
    const { accepted, url } = await listening({ port: 0, tokens: 'secret' });
    await new WebSocketTransport({ url, token: 'secret' }).connect();
    for (const token of [undefined, '', 'Secret', 'secret2'])
      await expect(
        new WebSocketTransport(token === undefined ? { url } : { url, token }).connect(),
      ).rejects.toThrow(AuthenticationError);
    expect(accepted.map(({ identity }) => identity)).toEqual([undefined]);
  });

  test('a token of each child: its connection can speak in no other name', async () => {
    const coordinator = new DistributedGradientsCoordinator();
    coordinator.setModelParameters(parametersOf(0, 0));
    const server = new WebSocketServerTransport({ port: 0, tokens: { a: 'of a', b: 'of b' } });
    await coordinator.listen(server);
    cleanUps.push(() => coordinator.close());
    const join = (childId: string, token: string): Promise<Child> =>
      Child.connect({
        transport: new WebSocketTransport({ url: urlOf(server), token }),
        model: new LinearRegression(),
        childId,
      });
    const child = await join('a', 'of a');
    await expect(join('b', 'of a')).rejects.toThrow(/not those of child b/);
    expect(coordinator.children).toEqual(['a']);
    await child.leave();
  });

  test('a token as a subprotocol, as browsers send it', async () => {
    const { accepted, url } = await listening({ port: 0, tokens: { 'kind é': 'gëheim ✓' } });
    const protocols = ['mainstem.v1', tokenSubprotocol('gëheim ✓')];
    expect(tokenOf(protocols)).toBe('gëheim ✓');
    expect(tokenOf(['mainstem.token.@@'])).toBeUndefined();
    const socket = new WebSocket(url, protocols);
    await new Promise((resolve) => socket.once('open', resolve));
    expect(socket.protocol).toBe('mainstem.v1');
    await until(() => accepted.length === 1);
    expect(accepted[0]?.identity).toBe('kind é');
    socket.terminate();
  });

  test('an own authentication: a refusal, a failure and a late answer let nobody in', async () => {
    const verdicts: Record<string, () => boolean | { childId: string } | Promise<boolean>> = {
      yes: () => true,
      own: () => ({ childId: 'own' }),
      no: () => false,
      fails: () => Promise.reject(new Error('the data base is down')),
      never: () => new Promise(() => {}),
    };
    const { accepted, url } = await listening({
      port: 0,
      handshakeTimeoutMs: 50,
      authenticate: ({ token = 'no' }) => verdicts[token]?.() ?? false,
    });
    const tryWith = (token: string): Promise<Connection> => new WebSocketTransport({ url, token }).connect();
    await tryWith('yes');
    await tryWith('own');
    await expect(tryWith('no')).rejects.toThrow(AuthenticationError);
    await expect(tryWith('fails')).rejects.toThrow(AuthenticationError);
    await expect(tryWith('never')).rejects.toThrow(/HTTP 408/);
    expect(accepted.map(({ identity }) => identity)).toEqual([undefined, 'own']);
  });

  test('pages of other origins are refused; programs have none', async () => {
    const { url } = await listening({ port: 0, allowedOrigins: ['https://game.example'] });
    const from = (origin: string): Promise<Connection> =>
      new WebSocketTransport({ url, headers: { origin } }).connect();
    await from('https://game.example');
    await expect(from('https://evil.example')).rejects.toThrow(AuthenticationError);
    await new WebSocketTransport(url).connect();
  });

  test('one address has so many connections and no more', async () => {
    const { accepted, url } = await listening({ port: 0, connectionsPerAddressMax: 2 });
    const transport = new WebSocketTransport(url);
    const first = await transport.connect();
    await transport.connect();
    await expect(transport.connect()).rejects.toThrow(/HTTP 429/);
    for (const connection of accepted) connection.receive({ frame() {}, drained() {}, closed() {} });
    first.close();
    await turns();
    await transport.connect();
  });

  test('a client that says nothing, or a little, is cut off', async () => {
    const { server } = await listening({ port: 0, handshakeTimeoutMs: 60 });
    const { port = 0 } = server.address ?? {};
    const closes = [Buffer.alloc(0), Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n')].map(
      (start) =>
        new Promise<void>((resolve) => {
          const socket: Socket = connectSocket(port, '127.0.0.1');
          socket.on('error', () => {});
          socket.on('close', () => resolve());
          socket.resume();
          socket.write(start);
        }),
    );
    await Promise.all(closes);
  });

  test('text, bytes that are no frame and giants end the connection with a typed error', async () => {
    const { accepted, url } = await listening({ port: 0 });
    const errors: (string | undefined)[] = [];
    const send = async (data: string | Uint8Array): Promise<void> => {
      const socket = new WebSocket(url, ['mainstem.v1']);
      await new Promise((resolve) => socket.once('open', resolve));
      await until(() => accepted.length > 0);
      const before = errors.length;
      (accepted.pop() as Connection).receive({
        frame() {},
        drained() {},
        closed: (error) => errors.push(error?.code),
      });
      socket.send(data);
      socket.on('error', () => {});
      await until(() => errors.length > before);
    };
    await send('hello');
    await send(Uint8Array.of(0xc1));
    await send(new Uint8Array(2 ** 21));
    expect(errors).toEqual(['MALFORMED_DATA', 'MALFORMED_DATA', 'CONNECTION_CLOSED']);
  });

  test('children over WebSockets move main exactly as direct calls do, 20 connections in a row', async () => {
    const rows = [[1], [2], [3]];
    const labels = [3, 5, 7];
    const coordinator = new DistributedGradientsCoordinator();
    const direct = new DistributedGradientsCoordinator();
    for (const one of [coordinator, direct]) one.setModelParameters(parametersOf(0, 0));
    const server = new WebSocketServerTransport({ port: 0 });
    await coordinator.listen(server);
    cleanUps.push(() => coordinator.close());
    const model = new LinearRegression();
    model.setAreGradientsSaved(true);
    for (let i = 0; i < 20; i++) {
      const transport = new WebSocketTransport(urlOf(server));
      const child = await Child.connect({ transport, model: new LinearRegression(), childId: `child ${i}` });
      const { receipt } = await child.train(rows, labels, { maximumNumberOfIterations: 1 });
      await receipt.committed;
      await child.leave();
      model.setModelParameters(direct.getModelParameters());
      model.train(rows, labels, { maximumNumberOfIterations: 1 });
      direct.addGradients(model.getGradients());
    }
    expect(numbersOf(coordinator.getModelParameters())).toEqual(numbersOf(direct.getModelParameters()));
    await until(() => coordinator.children.length === 0);
  });

  test('a child whose connection is cut comes back and goes on', async () => {
    const coordinator = new DistributedGradientsCoordinator();
    coordinator.setModelParameters(parametersOf(0, 0));
    const first = new WebSocketServerTransport({ port: 0 });
    const firstListener = await coordinator.listen(first);
    cleanUps.push(() => coordinator.close());
    let url = urlOf(first);
    const child = await Child.connect({
      transport: { connect: () => new WebSocketTransport(url).connect() },
      model: new LinearRegression(),
      childId: 'a',
      reconnect: { initialMs: 5, maxMs: 20 },
    });
    const events: string[] = [];
    child.on('disconnected', () => events.push('disconnected'));
    child.on('reconnected', () => events.push('reconnected'));
    await firstListener.close();
    await until(() => events.length === 1);
    const training = child.train([[1]], [1], { maximumNumberOfIterations: 1 });
    const second = new WebSocketServerTransport({ port: 0 });
    await coordinator.listen(second);
    url = urlOf(second);
    const { receipt } = await training;
    await receipt.committed;
    expect([receipt.status, receipt.version]).toEqual(['applied', 2]);
    expect(events).toEqual(['disconnected', 'reconnected']);
    await child.leave();
  });
});
