import { Worker } from 'node:worker_threads';
import type { ThreadsOptions } from '../../src/threads/createThreads.ts';
import { createThreadsWith } from '../../src/threads/createThreads.ts';
import type { StartThread } from '../../src/threads/startThread.ts';
import { nodeThread } from '../../src/threads/startThread.ts';
import type { Threads } from '../../src/threads/Threads.ts';

/** Real threads that run a source file; the package's own run what is built. */
export function sourceThread(file: URL): StartThread {
  const code = `import('tsx/esm/api').then(({ register }) => {
    register();
    return import(${JSON.stringify(file.href)});
  });`;
  return (listener) => nodeThread(new Worker(code, { eval: true, execArgv: [] }), listener);
}

/** A thread that runs src/threads/worker.ts. */
export const startSourceThread: StartThread = sourceThread(
  new URL('../../src/threads/worker.ts', import.meta.url),
);

/** Threads that take every training that they can do, however small. */
export function startThreads(options: ThreadsOptions = {}): Promise<Threads> {
  return createThreadsWith({ count: 2, gainMin: 0, ...options }, startSourceThread);
}
