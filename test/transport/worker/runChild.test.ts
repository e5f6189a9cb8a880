import type { Connection } from 'mainstem';
import { AbortedError, ConnectionClosedError, InvalidOptionError, RemoteError } from 'mainstem';
import type { ChildInWorker, RunChildOptions } from 'mainstem/worker';
import { WorkerFailedError, WorkerTransport } from 'mainstem/worker';
import { expect, test } from 'vitest';
import { runChildWith } from '../../../src/transport/worker/runChildInWorker.ts';
import { nodeChild } from '../../../src/transport/worker/startWorker.ts';
import type { Heard } from './frames.ts';
import { frameWith, record, until } from './frames.ts';
import { startSource } from './support.ts';

const module = new URL('childModule.ts', import.meta.url);

function runChild(data: unknown, options: Partial<RunChildOptions> = {}): ChildInWorker {
  const start = (_name: string, listener: Parameters<typeof nodeChild>[1]): ReturnType<typeof nodeChild> =>
    nodeChild(startSource('../../../src/transport/worker/entry.ts'), listener);
  return runChildWith(module, { transport: new WorkerTransport(), data, ...options }, start);
}

/** A server whose connections are recorded, and which answers each first frame with these bytes. */
async function answering(bytes: Uint8Array<ArrayBuffer>): Promise<{
  readonly transport: WorkerTransport;
  readonly accepted: { readonly connection: Connection; readonly heard: Heard }[];
}> {
  const transport = new WorkerTransport();
  const accepted: { connection: Connection; heard: Heard }[] = [];
  await transport.listen((connection) => {
    const heard = record(connection, () => connection.send(bytes));
    accepted.push({ connection, heard });
  });
  return { transport, accepted };
}

test('a module gets its data, and its result comes back', async () => {
  const { result } = runChild({ what: 'return', values: Float64Array.of(1, 2) });
  expect(await result).toEqual({
    got: { what: 'return', values: Float64Array.of(1, 2) },
    isAborted: false,
  });
});

test('many children connect from one worker', async () => {
  const { transport, accepted } = await answering(frameWith(Uint8Array.of(3, 4)));
  expect(await runChild({ what: 'talk', count: 20 }, { transport }).result).toEqual(Array(20).fill(7));
  await until(() => accepted.every(({ heard }) => heard.closes.length === 1));
  expect(accepted.map(({ heard }) => heard.payloads.map((payload) => [...payload]))).toEqual(
    Array.from({ length: 20 }, (_, i) => [[i]]),
  );
  expect(accepted.every(({ heard }) => heard.closes[0] === undefined)).toBe(true);
});

test('the same bytes go to four workers, and stay as they are', async () => {
  const main = new Uint8Array(200_000).map((_, i) => i % 251);
  const bytes = frameWith(main);
  const { transport, accepted } = await answering(bytes);
  const children = Array.from({ length: 4 }, () => runChild({ what: 'talk' }, { transport }));
  const sum = main.reduce((total, value) => total + value, 0);
  for (const { result } of children) expect(await result).toEqual([sum]);
  expect(accepted).toHaveLength(4);
  expect(bytes).toEqual(frameWith(main));
});

test('errors of a module have its message and stack as cause', async () => {
  const error = await runChild({ what: 'throw' }).result.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkerFailedError);
  const { message, cause } = error as WorkerFailedError & { cause: Error };
  expect(message).toMatch(/childModule\.ts failed: no such river/);
  expect(cause.name).toBe('RangeError');
  expect(cause.message).toBe('no such river');
  expect(cause.stack).toMatch(/childModule\.ts/);
});

test('errors with a code keep it', async () => {
  const error = await runChild({ what: 'refuse' }).result.catch((thrown: unknown) => thrown);
  const { cause } = error as { cause: RemoteError };
  expect(cause).toBeInstanceOf(RemoteError);
  expect(cause.code).toBe('MALFORMED_DATA');
  expect(cause.stack).toMatch(/childModule\.ts/);
});

test('what cannot come back, a module that ends its worker, or has no function, is said', async () => {
  await expect(runChild({ what: 'functions' }).result).rejects.toThrow(/could not be cloned/);
  await expect(runChild({ what: 'exit' }).result).rejects.toThrow(/has ended: it exited with code 3/);
  const start = (_name: string, listener: Parameters<typeof nodeChild>[1]): ReturnType<typeof nodeChild> =>
    nodeChild(startSource('../../../src/transport/worker/entry.ts'), listener);
  const options = { transport: new WorkerTransport() };
  const empty = runChildWith('data:text/javascript,export const a = 1;', options, start);
  await expect(empty.result).rejects.toThrow(/has no function to run, expected: export default/);
  const missing = runChildWith('file:///nowhere.js', options, start);
  await expect(missing.result).rejects.toThrow(WorkerFailedError);
});

test('a worker that dies ends its connections with an error, after what it sent', async () => {
  const { transport, accepted } = await answering(frameWith(Uint8Array.of(1)));
  const { result } = runChild({ what: 'die', count: 3 }, { transport });
  await expect(result).rejects.toThrow(WorkerFailedError);
  await until(() => accepted.every(({ heard }) => heard.closes.length === 1));
  expect(accepted[0]?.heard.payloads).toEqual([Uint8Array.of(9)]);
  for (const { connection, heard } of accepted) {
    expect(heard.closes).toEqual([expect.any(ConnectionClosedError)]);
    expect(heard.closes[0]?.message).toMatch(/has ended without closing its connection/);
    expect(() => connection.send(frameWith(Uint8Array.of(1)))).toThrow(ConnectionClosedError);
  }
});

test('terminate ends a worker wherever it is; an abort is left to the module', async () => {
  const running = runChild({ what: 'wait' });
  await running.terminate();
  await running.terminate();
  await expect(running.result).rejects.toThrow(AbortedError);
  const abort = new AbortController();
  const asked = runChild({ what: 'wait' }, { signal: abort.signal });
  abort.abort('enough');
  expect(await asked.result).toBe('aborted: enough');
});

test('options are checked', () => {
  const run = (address: unknown, options: object): unknown =>
    runChildWith(address as string, options as RunChildOptions, () => expect.unreachable());
  const transport = new WorkerTransport();
  expect(() => run('child.js', { transport })).toThrow(/module is "child\.js", expected an absolute path/);
  expect(() => run(3, { transport })).toThrow(InvalidOptionError);
  expect(() => run(module, {})).toThrow(/transport is undefined, expected a WorkerTransport/);
  expect(() => run(module, { transport, date: 1 })).toThrow(InvalidOptionError);
  expect(() => runChild(() => {})).toThrow(/data cannot be sent to a worker/);
});
