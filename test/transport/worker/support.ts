import { MessageChannel, Worker } from 'node:worker_threads';
import type { Transport } from 'mainstem';
import { ParentTransport, WorkerTransport } from 'mainstem/worker';
import { onTestFinished } from 'vitest';

/** Turns of the event loop: a message between ports of one thread is there some turns later. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Both sides in one thread, over a real MessageChannel. */
export function portTransport(): Transport & { readonly server: WorkerTransport } {
  const { port1, port2 } = new MessageChannel();
  const server = new WorkerTransport();
  server.add(port1);
  const client = new ParentTransport({ parent: port2 });
  onTestFinished(() => port1.close());
  return { server, listen: (accept) => server.listen(accept), connect: () => client.connect() };
}

/** A worker that runs a source file of this folder. */
export function startSource(name: string, workerData?: unknown): Worker {
  const file = new URL(name, import.meta.url).href;
  const code = `import('tsx/esm/api').then(({ register }) => {
    register();
    return import(${JSON.stringify(file)});
  });`;
  const worker = new Worker(code, { eval: true, execArgv: [], workerData });
  onTestFinished(() => void worker.terminate());
  return worker;
}
