// The children's process of benchmarks/wire.ts: sends what it is told to over IPC, and says when all is acknowledged.
import assert from 'node:assert/strict';
import { Child } from 'mainstem';
import { WebSocketTransport } from 'mainstem/websocket';
import { WebSocket } from 'ws';
import { answerAll } from './helperProcess.ts';
import { stubModel } from './stubModel.ts';

/** What is to be sent. */
export interface Task {
  readonly way: 'bare' | 'json' | 'road' | 'zeroMask';
  readonly url: string;
  /** Float32 numbers in each message. */
  readonly values: number;
  /** Messages of each connection. */
  readonly count: number;
  readonly connections: number;
}

const bufferedBytesMax = 2 ** 20;

/** Waits for the network where much is buffered. */
async function drain(socket: WebSocket): Promise<void> {
  while (socket.bufferedAmount > bufferedBytesMax) await new Promise((resolve) => setImmediate(resolve));
}

const sockets = new Map<string, WebSocket[]>();
async function socketsTo(url: string, count: number): Promise<WebSocket[]> {
  const open = sockets.get(url) ?? [];
  sockets.set(url, open);
  while (open.length < count) {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await new Promise((resolve) => socket.once('open', resolve));
    open.push(socket);
  }
  return open.slice(0, count);
}

async function sendBare({ way, url, values, count, connections }: Task): Promise<void> {
  const numbers = Float32Array.from({ length: values }, (_, i) => Math.sin(i));
  const bytes = new Uint8Array(numbers.buffer);
  await Promise.all(
    (await socketsTo(url, connections)).map(async (socket) => {
      const done = new Promise((resolve) => socket.once('message', resolve));
      for (let i = 0; i < count; i++) {
        socket.send(way === 'bare' ? bytes : JSON.stringify(Array.from(numbers)));
        if (i % 16 === 15 || values > 10_000) await drain(socket);
      }
      socket.send('done');
      await done;
    }),
  );
}

const children = new Map<string, Child[]>();
async function childrenTo({ way, url, values, connections }: Task): Promise<Child[]> {
  const open = children.get(url + way) ?? [];
  children.set(url + way, open);
  while (open.length < connections) {
    const transport = new WebSocketTransport({ url, zeroMask: way === 'zeroMask' });
    open.push(await Child.connect({ transport, model: stubModel(values), childId: `${way}-${open.length}` }));
  }
  return open.slice(0, connections);
}

async function sendUpdates(task: Task): Promise<void> {
  // As many on their way as a child may have, or 8 MB.
  const window = Math.max(2, Math.min(512, Math.floor(2 ** 23 / (4 * task.values))));
  await Promise.all(
    (await childrenTo(task)).map(async (child) => {
      const committed: Promise<void>[] = [];
      for (let i = 0; i < task.count; i++) {
        committed.push(
          child.send().then(async (receipt) => {
            assert.equal(receipt.status, 'applied');
            await receipt.committed;
          }),
        );
        if (committed.length >= window) await committed[committed.length - window];
      }
      await Promise.all(committed);
    }),
  );
}

answerAll({
  send: (task: Task) => (task.way === 'bare' || task.way === 'json' ? sendBare(task) : sendUpdates(task)),
});
