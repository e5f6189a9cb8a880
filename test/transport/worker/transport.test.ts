import { MessageChannel } from 'node:worker_threads';
import type { Connection } from 'mainstem';
import {
  ConnectionClosedError,
  ConnectionRefusedError,
  InvalidOptionError,
  LimitExceededError,
  MalformedDataError,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import type { ParentLike, ParentTransportOptions, WorkerLike } from 'mainstem/worker';
import { ParentTransport, WorkerTransport } from 'mainstem/worker';
import { expect, onTestFinished, test } from 'vitest';
import { workerLimits } from '../../../src/transport/limits.ts';
import { frameWith, record, until } from './frames.ts';
import { ProxiedTransport } from './proxied.ts';
import { portTransport, turns } from './support.ts';

/** Both ends of one connection over a MessageChannel. */
async function connected(): Promise<{
  readonly server: WorkerTransport;
  readonly near: Connection;
  readonly far: Connection;
}> {
  const transport = portTransport();
  let far: Connection | undefined;
  await transport.listen((connection) => {
    far = connection;
  });
  const near = await transport.connect();
  return { server: transport.server, near, far: far as Connection };
}

/** A raw port, as a parent that speaks otherwise would have it. */
async function rawParent(
  behave: (port: MessagePort) => void,
  options: ParentTransportOptions = {},
): Promise<ParentTransport> {
  const parent: ParentLike = {
    postMessage: (request) => behave((request as { port: MessagePort }).port),
  };
  return new ParentTransport({ parent, ...options });
}

test("a user's own messages on the same worker are left alone, both ways", async () => {
  const transport = new ProxiedTransport();
  const own: unknown[] = [];
  transport.worker.on('message', (message: { echo?: unknown }) => {
    if ('echo' in message) own.push(message.echo);
  });
  const accepted: Connection[] = [];
  await transport.listen((connection) => accepted.push(connection));
  for (const users of [null, 7, 'connect', { mainstem: 'connect' }, { mainstem: 'connect', port: 3 }])
    transport.worker.postMessage({ users });
  await transport.connect();
  await transport.settle();
  expect(own).toEqual([null, 7, 'connect', { mainstem: 'connect' }, { mainstem: 'connect', port: 3 }]);
  expect(accepted).toHaveLength(1);
});

test('a terminated worker ends its connections with an error', async () => {
  const transport = new ProxiedTransport();
  const closes: (Error | undefined)[] = [];
  await transport.listen((connection) => closes.push(...record(connection).closes));
  const heard: ReturnType<typeof record>[] = [];
  const second = new ProxiedTransport();
  await second.listen((connection) => heard.push(record(connection)));
  await second.connect();
  await second.connect();
  await second.worker.terminate();
  await until(() => heard.every((one) => one.closes.length === 1));
  expect(heard.map((one) => one.closes)).toEqual(Array(2).fill([expect.any(ConnectionClosedError)]));
  expect(closes).toEqual([]);
});

test('remove ends the connections of a worker, and takes no more', async () => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const server = new WorkerTransport();
  server.add(port1);
  server.add(port1);
  const ends: ReturnType<typeof record>[] = [];
  await server.listen((connection) => ends.push(record(connection)));
  const client = new ParentTransport({ parent: port2, connectTimeoutMs: 50 });
  const near = record(await client.connect());
  server.remove(port1);
  server.remove(port1);
  await turns();
  expect(ends).toHaveLength(1);
  expect(ends[0]?.closes).toEqual([expect.any(ConnectionClosedError)]);
  expect(near.closes).toEqual([undefined]);
});

test('a parent that does not answer is given up, and hears of it', async () => {
  const clock = new VirtualClock();
  let parents: MessagePort | undefined;
  const keep = (port: MessagePort): void => {
    parents = port;
  };
  const client = await rawParent(keep, { clock, connectTimeoutMs: 500 });
  const connecting = client.connect();
  clock.advance(499);
  await turns();
  clock.advance(1);
  await expect(connecting).rejects.toThrow(
    /did not answer within 500 ms: has it called WorkerTransport\.add/,
  );
  const got: unknown[] = [];
  (parents as MessagePort).onmessage = ({ data }) => got.push(data);
  await turns();
  expect(got).toEqual(['closed']);
});

test('a parent refuses with a reason', async () => {
  const alone = portTransport();
  await expect(alone.connect()).rejects.toThrow(/nobody listens on this transport; call coordinator\.listen/);
  const other = await rawParent((port) => port.postMessage({ refused: 'not today' }));
  await expect(other.connect()).rejects.toThrow(ConnectionRefusedError);
  const strange = await rawParent((port) => port.postMessage(42));
  await expect(strange.connect()).rejects.toThrow(/the parent answered 42, expected 'accepted'/);
  const deaf = new ParentTransport({
    parent: {
      postMessage() {
        throw new TypeError('no such port');
      },
    },
  });
  await expect(deaf.connect()).rejects.toThrow(/the parent cannot be asked: no such port/);
});

test('a worker that speaks another version, or has too many connections, is refused', async () => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const server = new WorkerTransport();
  server.add(port1);
  await server.listen(() => {});
  const pair = new MessageChannel();
  const answers: unknown[] = [];
  pair.port1.on('message', (answer) => answers.push(answer));
  port2.postMessage({ mainstem: 'connect', version: 9, port: pair.port2 }, [pair.port2]);
  await until(() => answers.length > 0);
  expect(answers).toEqual([{ refused: expect.stringMatching(/speaks version 9 of the worker transport/) }]);
  const client = new ParentTransport({ parent: port2 });
  const open: Connection[] = [];
  for (let i = 0; i < workerLimits.connectionsPerWorkerMax; i++) open.push(await client.connect());
  await expect(client.connect()).rejects.toThrow(/has 1024 connections, which is the most/);
  open[0]?.close();
  await turns();
  await client.connect();
});

test('what is sent in one turn travels in few messages', async () => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port2.close());
  const posted: unknown[] = [];
  const client = await rawParent((port) => {
    port.postMessage('accepted');
    port.onmessage = ({ data }) => posted.push(data);
  });
  port1.close();
  const connection = await client.connect();
  const small = frameWith(new Uint8Array(968));
  for (let i = 0; i < 100; i++) connection.send(small);
  connection.send(frameWith(new Uint8Array(300_000)));
  connection.send(small);
  await turns();
  expect(posted.map((message) => (message as ArrayBuffer).byteLength)).toEqual([
    65_000, 35_000, 300_032, 1000,
  ]);
  expect(connection.bufferedBytes).toBe(401_032);
});

test('a receiver that takes nothing is seen, and there is a limit', async () => {
  const { near, far } = await connected();
  const heardNear = record(near);
  const bytes = frameWith(new Uint8Array(2 ** 20));
  for (let i = 0; i < 100; i++) near.send(bytes);
  await turns();
  expect(near.bufferedBytes).toBe(100 * bytes.length);
  expect(heardNear.drains).toBe(0);
  const most = Math.floor(workerLimits.bufferedBytesMax / bytes.length);
  expect(() => {
    for (let i = 100; i <= most; i++) near.send(bytes);
  }).toThrow(LimitExceededError);
  const heard = record(far);
  await until(() => heard.payloads.length === most);
  await until(() => near.bufferedBytes === 0);
  expect(heardNear.drains).toBeGreaterThan(0);
});

test.each([
  ['no frames', () => new Uint8Array(100).buffer],
  ['bytes in shared memory', () => new SharedArrayBuffer(32)],
  ['an acknowledgement of what was not sent', () => 1_000],
  ['a negative one', () => -1],
  ['text', () => 'hello'],
])('%s from a worker end its connection with an error, and only that', async (_name, make) => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const server = new WorkerTransport();
  server.add(port1);
  const ends: ReturnType<typeof record>[] = [];
  await server.listen((connection) => ends.push(record(connection)));
  const good = await new ParentTransport({ parent: port2 }).connect();
  const pair = new MessageChannel();
  const answers: unknown[] = [];
  pair.port1.on('message', (answer) => answers.push(answer));
  port2.postMessage({ mainstem: 'connect', version: 1, port: pair.port2 }, [pair.port2]);
  pair.port1.postMessage(make());
  await until(() => ends[1]?.closes.length === 1);
  expect(ends[1]?.closes).toEqual([expect.any(MalformedDataError)]);
  await until(() => answers.length === 2);
  expect(answers).toEqual(['accepted', 'closed']);
  good.send(frameWith(Uint8Array.of(5)));
  await until(() => ends[0]?.payloads.length === 1);
});

test('options are checked', () => {
  expect(() => new ParentTransport()).toThrow(
    /parent is undefined, expected a MessagePort, or to be in a worker/,
  );
  const parent: ParentLike = { postMessage() {} };
  expect(() => new ParentTransport({ parent, connectTimeoutMs: 0 })).toThrow(
    /connectTimeoutMs is 0, expected/,
  );
  expect(() => new ParentTransport({ parent, timeout: 1 } as object)).toThrow(InvalidOptionError);
  expect(() => new WorkerTransport({ port: 1 } as object)).toThrow(InvalidOptionError);
  for (const worker of [undefined, null, 3, {}])
    expect(() => new WorkerTransport().add(worker as unknown as WorkerLike)).toThrow(InvalidOptionError);
});
