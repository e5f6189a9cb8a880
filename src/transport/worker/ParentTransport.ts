import { builtinModule } from '../../builtin.ts';
import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import { ConnectionRefusedError, InvalidOptionError, toError } from '../../errors.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import { workerLimits } from '../limits.ts';
import type { ClientTransport, Connection } from '../Transport.ts';
import type { ParentLike, PortNotice } from './ports.ts';
import { portPair, postConnectRequest } from './ports.ts';
import { connectionOver } from './WorkerConnection.ts';

/** Options of ParentTransport. */
export interface ParentTransportOptions {
  /** Who is asked; whoever started this worker unless given. A MessagePort to a thread that has added its other end. */
  parent?: ParentLike;
  /** A connection that is not there by then has failed, in milliseconds; 10,000. */
  connectTimeoutMs?: number;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
}

/**
 * A child's side of worker threads and Web Workers, used inside the worker: `Child.connect({ transport: new
 * ParentTransport(), model, childId })`. The thread that started the worker lets it connect with `WorkerTransport.add`. Many children
 * may connect from one worker.
 */
export class ParentTransport implements ClientTransport {
  readonly #parent: ParentLike;
  readonly #connectTimeoutMs: number;
  readonly #clock: Clock;

  /** Throws InvalidOptionError, also where this is no worker and no `parent` is given. */
  constructor(options: ParentTransportOptions = {}) {
    refuseUnknownOptions(options, ['parent', 'connectTimeoutMs', 'clock'], 'ParentTransport');
    const { connectTimeoutMs = workerLimits.connectTimeoutMs, clock = systemClock } = options;
    const parent = options.parent ?? ownParent();
    if (typeof parent?.postMessage !== 'function')
      throw new InvalidOptionError(`parent is ${show(parent)}, expected a MessagePort, or to be in a worker`);
    if (!(connectTimeoutMs > 0))
      throw new InvalidOptionError(
        `connectTimeoutMs is ${show(connectTimeoutMs)}, expected milliseconds above 0`,
      );
    this.#parent = parent;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#clock = clock;
  }

  /** Rejects with ConnectionRefusedError where nobody listens, or nobody answers in time. */
  connect(): Promise<Connection> {
    const [port, parentsPort] = portPair();
    return new Promise((resolve, reject) => {
      const refuse = (message: string): void => {
        cancel();
        // A parent that reads the request later finds that it is over.
        port.postMessage('closed');
        port.close();
        reject(new ConnectionRefusedError(message));
      };
      const cancel = this.#clock.schedule(() => {
        const hint = 'has it called WorkerTransport.add with this worker?';
        refuse(`the parent did not answer within ${this.#connectTimeoutMs} ms: ${hint}`);
      }, this.#connectTimeoutMs);
      const hear = ({ data: answer }: { readonly data?: unknown }): void => {
        if (answer !== 'accepted') {
          refuse(reasonIn(answer));
          return;
        }
        cancel();
        resolve(connectionOver(port, { peer: 'parent of the worker', clock: this.#clock }));
      };
      port.addEventListener('message', hear, { once: true });
      port.start();
      try {
        postConnectRequest(this.#parent, parentsPort);
      } catch (thrown) {
        refuse(`the parent cannot be asked: ${toError(thrown).message}`);
      }
    });
  }
}

/** Whoever started this worker; undefined outside of workers. */
function ownParent(): ParentLike | undefined {
  const node = builtinModule<{ readonly parentPort: ParentLike | null }>('node:worker_threads');
  if (node !== undefined) return node.parentPort ?? undefined;
  // A page has postMessage too, which goes elsewhere.
  const scope = globalThis as unknown as ParentLike & { readonly document?: unknown };
  return scope.document === undefined ? scope : undefined;
}

function reasonIn(answer: unknown): string {
  const { refused } = (answer ?? {}) as Partial<Exclude<PortNotice, string>>;
  return typeof refused === 'string' ? refused : `the parent answered ${show(answer)}, expected 'accepted'`;
}
