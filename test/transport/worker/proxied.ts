import type { Worker } from 'node:worker_threads';
import type { Connection, ConnectionHandlers, Transport } from 'mainstem';
import { BrokenConnectionError, ConnectionClosedError, ConnectionRefusedError } from 'mainstem';
import { WorkerTransport } from 'mainstem/worker';
import { startSource } from './support.ts';

interface Told {
  readonly event: string;
  readonly id: number;
  readonly value: unknown;
}

/** A connection that lives in a worker (contractWorker.ts), as far as this thread has heard of it. */
class ProxiedConnection implements Connection {
  readonly peer = 'proxied';
  bufferedBytes = 0;
  handlers: ConnectionHandlers | undefined;
  isClosed = false;
  readonly #command: (proxy: string, bytes?: Uint8Array) => void;

  constructor(command: (proxy: string, bytes?: Uint8Array) => void) {
    this.#command = command;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.isClosed) throw new ConnectionClosedError('closed');
    this.#command('send', bytes);
  }

  receive(handlers: ConnectionHandlers): void {
    this.handlers = handlers;
    this.#command('receive');
  }

  close(): void {
    this.isClosed = true;
    this.#command('close');
  }

  hear({ event, value }: Told): void {
    if (event === 'frame') this.handlers?.frame(value as Uint8Array<ArrayBuffer>);
    if (event === 'drained') this.handlers?.drained();
    if (event !== 'closed') return;
    this.isClosed = true;
    this.handlers?.closed(value === undefined ? undefined : new BrokenConnectionError(String(value)));
  }
}

/** A transport whose children are in a real worker, and are worked from here. */
export class ProxiedTransport implements Transport {
  readonly server: WorkerTransport = new WorkerTransport();
  readonly worker: Worker = startSource('contractWorker.ts');
  readonly #connections: ProxiedConnection[] = [];
  readonly #waiting = new Map<string, (told: Told) => void>();
  #syncs = 0;

  constructor() {
    this.server.add(this.worker);
    this.worker.on('message', (told: Told) => {
      if (told.event === undefined) return;
      const key = told.event === 'synced' ? `sync ${told.id}` : `connect ${told.id}`;
      if (['synced', 'connected', 'refused'].includes(told.event)) this.#waiting.get(key)?.(told);
      else this.#connections[told.id]?.hear(told);
    });
  }

  listen: Transport['listen'] = (accept) => this.server.listen(accept);

  async connect(): Promise<Connection> {
    const id = this.#connections.length;
    const connection = new ProxiedConnection((proxy, bytes) => this.worker.postMessage({ proxy, id, bytes }));
    this.#connections.push(connection);
    const told = await this.#ask(`connect ${id}`, { proxy: 'connect', id });
    if (told.event === 'refused') throw new ConnectionRefusedError(String(told.value));
    return connection;
  }

  /** Resolves when what either side has sent, and what it led to, has arrived. */
  async settle(): Promise<void> {
    for (let i = 0; i < 8; i++) {
      const id = this.#syncs++;
      const { value } = await this.#ask(`sync ${id}`, { proxy: 'sync', id });
      for (const [key, bytes] of value as [number, number][]) {
        const connection = this.#connections[key];
        if (connection !== undefined) connection.bufferedBytes = bytes;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #ask(key: string, command: object): Promise<Told> {
    return new Promise((resolve) => {
      this.#waiting.set(key, resolve);
      this.worker.postMessage(command);
    });
  }
}
