import { builtinModule } from '../builtin.ts';
import { toError } from '../errors.ts';
import type { ThreadAnswer, ThreadRequest } from './messages.ts';

/** Who wants to hear from a thread. */
export interface ThreadListener {
  onAnswer(answer: ThreadAnswer): void;
  /** It has failed or ended; nothing comes after it. */
  onEnd(reason: Error): void;
}

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

/** What of Node's Worker is used. */
export interface NodeWorker {
  on(event: 'message', listener: (answer: ThreadAnswer) => void): void;
  on(event: 'error' | 'messageerror', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
  postMessage(request: ThreadRequest): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface NodeWorkerThreads {
  readonly Worker: new (url: URL, options: { name: string; execArgv: string[] }) => NodeWorker;
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
export function nodeThread(worker: NodeWorker, { onAnswer, onEnd }: ThreadListener): ThreadHandle {
  worker.on('message', onAnswer);
  worker.on('error', (error) => onEnd(toError(error)));
  worker.on('messageerror', (error) => onEnd(toError(error)));
  worker.on('exit', (code) => onEnd(new Error(`it exited with code ${code}`)));
  return {
    send: (request) => worker.postMessage(request),
    setBusy: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    end: async () => {
      await worker.terminate();
    },
  };
}

function startBrowserThread({ onAnswer, onEnd }: ThreadListener): ThreadHandle {
  // Written out: this is the form that bundlers look for.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'mainstem' });
  worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => onAnswer(data);
  worker.onerror = ({ message }) => onEnd(new Error(message || 'its code could not be loaded'));
  worker.onmessageerror = () => onEnd(new Error('a message could not be read'));
  return {
    send: (request) => worker.postMessage(request),
    // A page does not wait for its workers.
    setBusy: () => {},
    end: async () => worker.terminate(),
  };
}
