// The code of a worker that runs a child's module. What goes wrong outside of the module's own function is not caught:
// it ends the worker, and whoever started it hears why.
import { builtinModule } from '../../builtin.ts';
import type { ChildAnswer, ChildRequest } from './childMessages.ts';
import { describeError } from './childMessages.ts';
import { ParentTransport } from './ParentTransport.ts';
import type { ParentLike } from './ports.ts';
import type { ChildModuleContext } from './runChildInWorker.ts';

/** The way back to who started the worker. */
interface ParentPort extends ParentLike {
  postMessage(answer: ChildAnswer | unknown, transfer?: readonly never[]): void;
}

interface NodePort extends ParentPort {
  on(event: 'message', listener: (request: ChildRequest) => void): void;
}

interface BrowserPort extends ParentPort {
  addEventListener(type: 'message', listener: (event: { readonly data: ChildRequest }) => void): void;
}

type Run = (context: ChildModuleContext) => unknown;

const abort = new AbortController();

async function loadRun(module: string): Promise<Run> {
  const exports = (await import(/* @vite-ignore */ /* webpackIgnore: true */ module)) as Record<
    string,
    unknown
  >;
  const run = exports.default ?? exports.run;
  if (typeof run === 'function') return run as Run;
  throw new TypeError(
    `${module} has no function to run, expected: export default async function run({ transport, data, signal })`,
  );
}

async function run(module: string, data: unknown, parent: ParentPort): Promise<void> {
  try {
    const runModule = await loadRun(module);
    const transport = new ParentTransport({ parent });
    const result = await runModule({ transport, data, signal: abort.signal });
    parent.postMessage({ mainstem: 'done', result });
  } catch (thrown) {
    parent.postMessage({ mainstem: 'failed', error: describeError(thrown) });
  }
}

function answer(request: ChildRequest, parent: ParentPort): void {
  // Other messages are the module's own.
  if (request?.mainstem === 'run') void run(request.module, request.data, parent);
  else if (request?.mainstem === 'abort') abort.abort(request.reason);
}

const node = builtinModule<{ readonly parentPort: NodePort }>('node:worker_threads')?.parentPort;
if (node !== undefined) node.on('message', (request) => answer(request, node));
else {
  const browser = globalThis as unknown as BrowserPort;
  browser.addEventListener('message', ({ data }) => answer(data, browser));
}
