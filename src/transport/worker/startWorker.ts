import { builtinModule } from '../../builtin.ts';
import type { NodeWorker, WorkerListener } from '../../workers.ts';
import { hearBrowserWorker, hearNodeWorker } from '../../workers.ts';
import type { ChildAnswer, ChildRequest } from './childMessages.ts';
import type { NodeMessageSource, WorkerLike } from './ports.ts';

/** A worker that runs entry.ts. */
export interface StartedWorker {
  readonly worker: WorkerLike;
  send(request: ChildRequest): void;
  /** Resolves when it has ended, wherever it was. */
  end(): Promise<void>;
  /** Whether its ports say by themselves that it has ended: in Node. */
  readonly endsItsPorts: boolean;
}

/** Starts a worker. */
export type StartWorker = (name: string, listener: WorkerListener<ChildAnswer>) => StartedWorker;

type NodeChild = NodeWorker<ChildRequest, ChildAnswer> & NodeMessageSource;

interface NodeWorkerThreads {
  readonly Worker: new (url: URL, options: { name: string }) => NodeChild;
}

/** A worker of this platform: a worker thread of Node, or a worker of a browser. */
export const startWorker: StartWorker = (name, listener) => {
  const node = builtinModule<NodeWorkerThreads>('node:worker_threads');
  if (node === undefined) return startBrowserWorker(name, listener);
  return nodeChild(new node.Worker(new URL('./entry.js', import.meta.url), { name }), listener);
};

/** A worker of Node that runs entry.ts. */
export function nodeChild(worker: NodeChild, listener: WorkerListener<ChildAnswer>): StartedWorker {
  hearNodeWorker(worker, listener);
  return {
    worker,
    send: (request) => worker.postMessage(request),
    end: async () => {
      await worker.terminate();
    },
    endsItsPorts: true,
  };
}

function startBrowserWorker(name: string, listener: WorkerListener<ChildAnswer>): StartedWorker {
  // Written out: this is the form that bundlers look for.
  const worker = new Worker(new URL('./entry.js', import.meta.url), { type: 'module', name });
  hearBrowserWorker(worker, listener);
  return {
    worker,
    send: (request) => worker.postMessage(request),
    end: async () => worker.terminate(),
    endsItsPorts: false,
  };
}
