import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import { ConnectionClosedError, ConnectionRefusedError, InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import { workerLimits } from '../limits.ts';
import type { Connection, Listener, ServerTransport } from '../Transport.ts';
import type { ConnectRequest, PortNotice, WorkerLike } from './ports.ts';
import { listenTo, portVersion, toConnectRequest } from './ports.ts';
import type { WorkerConnection } from './WorkerConnection.ts';
import { connectionOver } from './WorkerConnection.ts';

/** Options of WorkerTransport. */
export interface WorkerTransportOptions {
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
}

/** A worker that may connect. */
interface KnownWorker {
  readonly name: string;
  readonly connections: Set<WorkerConnection>;
  stopListening(): void;
}

/**
 * A coordinator's side of worker threads and Web Workers: `transport.add(worker)` lets the children in that worker
 * connect, with `new ParentTransport()` there. The worker's other messages are left alone.
 */
export class WorkerTransport implements ServerTransport {
  readonly #clock: Clock;
  readonly #workers = new Map<WorkerLike, KnownWorker>();
  #accept: ((connection: Connection) => void) | undefined;
  #added = 0;

  constructor(options: WorkerTransportOptions = {}) {
    refuseUnknownOptions(options, ['clock'], 'WorkerTransport');
    this.#clock = options.clock ?? systemClock;
  }

  /** Lets children in this worker connect. May be called again. Throws InvalidOptionError where it is no worker. */
  add(worker: WorkerLike): void {
    if (this.#workers.has(worker)) return;
    if (!isWorker(worker))
      throw new InvalidOptionError(`worker is ${show(worker)}, expected a Worker or a MessagePort`);
    this.#added++;
    const known: KnownWorker = {
      name: `worker ${this.#added}`,
      connections: new Set(),
      stopListening: listenTo(
        worker,
        (message) => {
          const request = toConnectRequest(message);
          if (request !== undefined) this.#connect(known, request);
        },
        // Its connections say so by themselves, after the last that they have brought.
        () => this.#workers.delete(worker),
      ),
    };
    this.#workers.set(worker, known);
  }

  /** Ends the connections of this worker, with an error at this end, and takes no more. May be called again. */
  remove(worker: WorkerLike): void {
    const known = this.#workers.get(worker);
    if (known === undefined) return;
    this.#workers.delete(worker);
    known.stopListening();
    const error = new ConnectionClosedError(`${known.name} was removed`);
    for (const connection of [...known.connections]) connection.fail(error);
  }

  /** Rejects with ConnectionRefusedError where this transport listens already. */
  async listen(accept: (connection: Connection) => void): Promise<Listener> {
    if (this.#accept !== undefined)
      throw new ConnectionRefusedError('somebody listens on this transport already');
    this.#accept = accept;
    return {
      close: async () => {
        if (this.#accept !== accept) return;
        this.#accept = undefined;
        for (const { connections } of this.#workers.values())
          for (const connection of [...connections]) connection.close();
      },
    };
  }

  #connect(worker: KnownWorker, { port, version }: ConnectRequest): void {
    const answer = (notice: PortNotice): void => port.postMessage(notice);
    const reason = this.#reasonAgainst(worker, version);
    if (this.#accept === undefined || reason !== undefined) {
      answer({ refused: reason ?? 'nobody listens on this transport; call coordinator.listen first' });
      port.close();
      return;
    }
    answer('accepted');
    const connection = connectionOver(port, {
      peer: worker.name,
      clock: this.#clock,
      ended: () => worker.connections.delete(connection),
    });
    worker.connections.add(connection);
    this.#accept(connection);
  }

  #reasonAgainst({ name, connections }: KnownWorker, version: number): string | undefined {
    if (version !== portVersion)
      return `the worker speaks version ${show(version)} of the worker transport, its parent ${portVersion}`;
    const { connectionsPerWorkerMax } = workerLimits;
    return connections.size < connectionsPerWorkerMax
      ? undefined
      : `${name} has ${connectionsPerWorkerMax} connections, which is the most that is allowed`;
  }
}

function isWorker(worker: unknown): worker is WorkerLike {
  const { addEventListener, on } = (worker ?? {}) as { addEventListener?: unknown; on?: unknown };
  return typeof addEventListener === 'function' || typeof on === 'function';
}
