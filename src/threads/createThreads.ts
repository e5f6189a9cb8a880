import { builtinModule } from '../builtin.ts';
import { InvalidOptionError } from '../errors.ts';
import { threadsMax } from '../limits.ts';
import type { Logger } from '../logger.ts';
import { guardedLogger, silentLogger } from '../logger.ts';
import { show } from '../show.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import { Crew } from './Crew.ts';
import type { StartThread } from './startThread.ts';
import { startThread } from './startThread.ts';
import { Threads } from './Threads.ts';

/** Options of createThreads. */
export interface ThreadsOptions {
  /** Threads to start, 1 to 64: the cores of the machine, but no more than 8, unless given. */
  count?: number;
  /** How many times as fast as one thread they must promise to be before a training takes them; 1.2. 0: always. */
  gainMin?: number;
  /** Hears of each training that runs on one thread, and why; silent unless given. */
  logger?: Logger;
}

const defaultCountMax = 8;

/**
 * Starts threads for data-parallel training: worker threads in Node, workers in browsers. They are used again by each
 * training and do not keep the process alive while idle. The thread that calls is not one of them: it waits without
 * blocking. Where memory cannot be shared (a page that is not cross-origin isolated) none are started, trainings run
 * on one thread, and their results say why. Throws InvalidOptionError, and ThreadFailedError where a thread does not
 * start.
 */
export async function createThreads(options: ThreadsOptions = {}): Promise<Threads> {
  return createThreadsWith(options, startThread);
}

/** The same with another way to start a thread. */
export async function createThreadsWith(options: ThreadsOptions, start: StartThread): Promise<Threads> {
  refuseUnknownOptions(options, ['count', 'gainMin', 'logger'], 'createThreads');
  const { count = Math.min(processorCount(), defaultCountMax), gainMin = 1.2 } = options;
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= threadsMax)) {
    throw new InvalidOptionError(`count is ${show(count)}, expected a whole number from 1 to ${threadsMax}`);
  }
  if (!(Number.isFinite(gainMin) && gainMin >= 0)) {
    throw new InvalidOptionError(`gainMin is ${show(gainMin)}, expected a finite number, 0 or more`);
  }
  const logger = guardedLogger(options.logger ?? silentLogger);
  const reason = reasonAgainst(count);
  if (reason !== undefined) {
    const message = `${reason}; it runs on one thread`;
    return new Threads({ crew: undefined, count: 1, reason: message, gainMin, logger });
  }
  const crew = await Crew.start(count, start);
  return new Threads({ crew, count, reason: '', gainMin, logger });
}

function reasonAgainst(count: number): string | undefined {
  if (count === 1) return 'one thread is all that there is, or was asked for';
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  if (typeof SharedArrayBuffer === 'function' && crossOriginIsolated !== false) return undefined;
  return 'threads cannot share memory here: a page needs the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';
}

/** Cores that this process may use. */
function processorCount(): number {
  const os = builtinModule<{ availableParallelism(): number }>('node:os');
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}
