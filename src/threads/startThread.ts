import { builtinModule } from '../builtin.ts';
import type { NodeWorker, WorkerListener } from '../workers.ts';
import { hearBrowserWorker, hearNodeWorker } from '../workers.ts';
import type { ThreadAnswer, ThreadRequest } from './messages.ts';

/** Who wants to hear from a thread. */
export type ThreadListener = WorkerListener<ThreadAnswer>;

/** A thread that runs worker.ts. */
export interface ThreadHandle {
  send(request: ThreadRequest): void;
  /** Whether the process has to stay alive for it. */
  setBusy(isBusy: boolean): void;
  /** Resolves when it has ended, wherever it was. */
  end(): Promise<void>;
}

/** Starts a thread. */
export type StartThread = (listener: ThreadListener) => ThreadHandle;

type NodeThread = NodeWorker<ThreadRequest, ThreadAnswer>;

interface NodeWorkerThreads {
  readonly Worker: new (url: URL, options: { name: string; execArgv: string[] }) => NodeThread;
}

/** A thread of this platform: a worker thread of Node, or a worker of a browser. */
export const startThread: StartThread = (listener) => {
  const node = builtinModule<NodeWorkerThreads>('node:worker_threads');
  if (node === undefined) return startBrowserThread(listener);
  const url = new URL('./worker.js', import.meta.url);
  // Loaders and flags of the program are none of the thread's business.
  return nodeThread(new node.Worker(url, { name: 'mainstem', execArgv: [] }), listener);
};

/** A worker of Node as a thread. */
export function nodeThread(worker: NodeThread, listener: ThreadListener): ThreadHandle {
  hearNodeWorker(worker, listener);
  return {
    send: (request) => worker.postMessage(request),
    setBusy: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    end: async () => {
      await worker.terminate();
    },
  };
}

function startBrowserThread(listener: ThreadListener): ThreadHandle {
  // Written out: this is the form that bundlers look for.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'mainstem' });
  hearBrowserWorker(worker, listener);
  return {
    send: (request) => worker.postMessage(request),
    // A page does not wait for its workers.
    setBusy: () => {},
    end: async () => worker.terminate(),
  };
}
