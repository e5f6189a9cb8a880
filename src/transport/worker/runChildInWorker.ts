import { builtinModule } from '../../builtin.ts';
import { systemClock } from '../../clock.ts';
import { AbortedError, InvalidOptionError, toError, WorkerFailedError } from '../../errors.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import type { ClientTransport } from '../Transport.ts';
import { describedError } from './childMessages.ts';
import type { StartedWorker, StartWorker } from './startWorker.ts';
import { startWorker } from './startWorker.ts';
import type { WorkerTransport } from './WorkerTransport.ts';

/** What the function of a child's module is called with, in the worker. */
export interface ChildModuleContext<Data = unknown> {
  /** The way to the coordinator; any number of children may use it. */
  readonly transport: ClientTransport;
  /** A structured clone of what `runChildInWorker` was given. */
  readonly data: Data;
  /** Aborted when the signal of `runChildInWorker` is. */
  readonly signal: AbortSignal;
}

/** Options of runChildInWorker. */
export interface RunChildOptions {
  /** What the coordinator listens on. */
  transport: WorkerTransport;
  /** For the module, anything that structuredClone takes; undefined unless given. */
  data?: unknown;
  /** Tells the module to come to an end; what it does then is up to the module. */
  signal?: AbortSignal;
  /** The worker's name, for debuggers; `mainstem child` unless given. */
  name?: string;
}

/** A child's module that runs in a worker. */
export interface ChildInWorker<Result = unknown> {
  /**
   * What its function returned. Rejects with WorkerFailedError, whose cause has the module's message and stack, or with
   * AbortedError after `terminate`. The worker has ended then.
   */
  readonly result: Promise<Result>;
  /** Ends the worker at once, wherever it is, and its connections with an error. May be called again. */
  terminate(): Promise<void>;
}

/**
 * Starts a worker (a worker thread in Node, a Web Worker in browsers) and in it the function that a module exports by
 * default, or as `run`, with `{ transport, data, signal }`. The worker ends when the function has returned. The
 * module is loaded as Node or the browser does it by itself: on Node 20 that is JavaScript, whatever loader the program
 * has. Throws InvalidOptionError.
 *
 * Bundlers must follow `new URL('./entry.js', import.meta.url)`, as Vite and webpack 5 do. Where yours does not (esbuild
 * alone), keep `mainstem/worker` external, or start a worker of your own with ParentTransport in it.
 */
export function runChildInWorker<Result = unknown>(
  module: URL | string,
  options: RunChildOptions,
): ChildInWorker<Result> {
  return runChildWith<Result>(module, options, startWorker);
}

/** The same with another way to start a worker. */
export function runChildWith<Result>(
  module: URL | string,
  options: RunChildOptions,
  start: StartWorker,
): ChildInWorker<Result> {
  refuseUnknownOptions(options, ['transport', 'data', 'signal', 'name'], 'runChildInWorker');
  const { transport, data, signal, name = 'mainstem child' } = options;
  if (typeof transport?.add !== 'function')
    throw new InvalidOptionError(`transport is ${show(transport)}, expected a WorkerTransport`);
  const address = addressOf(module);
  let settle: Settle<Result> = { resolve() {}, reject() {} };
  const outcome = new Promise<Result>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const failed = (message: string, cause: unknown): void =>
    settle.reject(new WorkerFailedError(`the child of ${address} ${message}`, { cause }));
  const started = start(name, {
    onAnswer: (answer) => {
      if (answer?.mainstem === 'done') settle.resolve(answer.result as Result);
      else if (answer?.mainstem === 'failed')
        failed(`failed: ${answer.error.message}`, describedError(answer.error));
    },
    onEnd: (reason) => failed(`has ended: ${reason.message}`, reason),
  });
  transport.add(started.worker);
  const tellAbort = (): void => started.send({ mainstem: 'abort', reason: cloneable(signal?.reason) });
  try {
    started.send({ mainstem: 'run', module: address, data });
  } catch (thrown) {
    outcome.catch(() => {});
    void end(started, transport);
    throw new InvalidOptionError(`data cannot be sent to a worker: ${toError(thrown).message}`);
  }
  if (signal?.aborted === true) tellAbort();
  else signal?.addEventListener('abort', tellAbort, { once: true });
  const result = outcome.finally(() => {
    signal?.removeEventListener('abort', tellAbort);
    return end(started, transport);
  });
  return {
    result,
    terminate: async () => {
      // Whoever terminates need not look at the result.
      result.catch(() => {});
      settle.reject(new AbortedError(`the child of ${address} was terminated`));
      await end(started, transport);
    },
  };
}

interface Settle<Result> {
  resolve(result: Result): void;
  reject(error: Error): void;
}

async function end(started: StartedWorker, transport: WorkerTransport): Promise<void> {
  await started.end();
  if (started.endsItsPorts) return;
  // What the worker has sent last comes first.
  await systemClock.yieldTurn();
  transport.remove(started.worker);
}

/** The module's address in full: a worker is somewhere else. */
function addressOf(module: URL | string): string {
  if (module instanceof URL) return module.href;
  if (typeof module === 'string') {
    if (/^[\\/]|^[a-zA-Z]:[\\/]/.test(module)) {
      const node = builtinModule<{ pathToFileURL(path: string): URL }>('node:url');
      if (node !== undefined) return node.pathToFileURL(module).href;
    }
    if (URL.canParse(module)) return module;
    const { document } = globalThis as { document?: { readonly baseURI: string } };
    if (document !== undefined && URL.canParse(module, document.baseURI))
      return new URL(module, document.baseURI).href;
  }
  throw new InvalidOptionError(
    `module is ${show(module)}, expected an absolute path or a URL: new URL('./child.js', import.meta.url)`,
  );
}

/** An abort's reason as far as it can be sent. */
function cloneable(reason: unknown): unknown {
  try {
    return structuredClone(reason);
  } catch {
    return toError(reason);
  }
}
