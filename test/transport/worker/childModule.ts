// Modules of children, chosen by `data.what`.
import { MalformedDataError } from '../../../src/errors.ts';
import type { ChildModuleContext } from '../../../src/transport/worker/runChildInWorker.ts';
import { frameWith, record, until } from './frames.ts';

interface Data {
  readonly what: string;
  readonly count?: number;
}

export default async function run({ transport, data, signal }: ChildModuleContext<Data>): Promise<unknown> {
  const { what, count = 1 } = data;
  if (what === 'return') return { got: data, isAborted: signal.aborted };
  if (what === 'throw') throw new RangeError('no such river');
  if (what === 'refuse') throw new MalformedDataError('not a river');
  if (what === 'functions') return () => {};
  if (what === 'exit') process.exit(3);
  if (what === 'wait')
    return await new Promise((resolve) => {
      const stop = (): void => resolve(`aborted: ${signal.reason}`);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    });
  const connections = await Promise.all(Array.from({ length: count }, () => transport.connect()));
  const heard = connections.map((connection) => record(connection));
  if (what === 'die') {
    connections[0]?.send(frameWith(Uint8Array.of(9)));
    await until(() => heard[0]!.payloads.length > 0);
    process.exit(0);
  }
  for (const [i, connection] of connections.entries()) connection.send(frameWith(Uint8Array.of(i)));
  await until(() => heard.every(({ payloads }) => payloads.length > 0));
  for (const connection of connections) connection.close();
  return heard.map(({ payloads }) => payloads[0]!.reduce((sum, value) => sum + value, 0));
}
