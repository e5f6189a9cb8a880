// A worker whose connections are worked from the other thread: each call and each event is a message.
import { parentPort } from 'node:worker_threads';
import type { Connection } from '../../../src/transport/Transport.ts';
import { ParentTransport } from '../../../src/transport/worker/ParentTransport.ts';

type Command =
  | { readonly proxy: 'connect' | 'receive' | 'close'; readonly id: number }
  | { readonly proxy: 'send'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly proxy: 'sync'; readonly id: number };

const parent = parentPort as NonNullable<typeof parentPort>;
const transport = new ParentTransport();
const connections = new Map<number, Connection>();

function tell(event: string, id: number, value?: unknown): void {
  parent.postMessage({ event, id, value });
}

async function connect(id: number): Promise<void> {
  try {
    connections.set(id, await transport.connect());
    tell('connected', id);
  } catch (thrown) {
    tell('refused', id, (thrown as Error).message);
  }
}

function obey(command: Command): void {
  const { id } = command;
  if (command.proxy === 'connect') void connect(id);
  const connection = connections.get(id);
  if (command.proxy === 'send') connection?.send(command.bytes);
  if (command.proxy === 'close') connection?.close();
  if (command.proxy === 'receive')
    connection?.receive({
      frame: (bytes) => tell('frame', id, bytes),
      drained: () => tell('drained', id),
      closed: (error) => tell('closed', id, error?.message),
    });
  if (command.proxy !== 'sync') return;
  const buffered = [...connections].map(([key, { bufferedBytes }]) => [key, bufferedBytes]);
  // After what has come to other ports by now.
  setImmediate(() => setImmediate(() => tell('synced', id, buffered)));
}

parent.on('message', (message: Command | { readonly users: unknown }) => {
  if ('proxy' in message) obey(message);
  else parent.postMessage({ echo: message.users });
});
