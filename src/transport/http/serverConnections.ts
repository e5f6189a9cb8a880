import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { BrokenConnectionError } from '../../errors.ts';
import { Heart } from '../Heart.ts';
import type { HttpConnection } from './HttpConnection.ts';

/** Whom a connection belongs to. */
export interface ConnectionOwner {
  readonly address: string;
  /** The header of the request that opened it: each later one must have the same. */
  readonly authorization: string | undefined;
}

interface Entry {
  readonly connection: HttpConnection;
  readonly address: string;
  readonly authorization: Buffer;
  lastRequestMs: number;
}

const idBytes = 18;
const beatsPerTimeout = 4;

/** The open connections of a server, by names that nobody guesses, and how long nothing has come on each. */
export class ServerConnections {
  readonly #entries = new Map<string, Entry>();
  readonly #perAddress = new Map<string, number>();
  readonly #heart: Heart;
  readonly #idleTimeoutMs: number;

  constructor(clock: Clock, idleTimeoutMs: number) {
    this.#heart = new Heart(clock, idleTimeoutMs / beatsPerTimeout);
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** How many there are of one address. */
  countOf(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  /** Takes a connection in; returns its name. */
  add(connection: HttpConnection, { address, authorization }: ConnectionOwner): string {
    const id = randomBytes(idBytes).toString('base64url');
    const lastRequestMs = this.#heart.now();
    this.#entries.set(id, { connection, address, authorization: hash(authorization), lastRequestMs });
    this.#perAddress.set(address, this.countOf(address) + 1);
    this.#heart.add(this);
    return id;
  }

  /** The connection of a request, which is one more sign of life; undefined where there is none that it may use. */
  find(id: string, authorization: string | undefined): HttpConnection | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || !timingSafeEqual(entry.authorization, hash(authorization))) return undefined;
    entry.lastRequestMs = this.#heart.now();
    return entry.connection;
  }

  /** A request of this connection has been answered: from then on it is idle. */
  touch(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.lastRequestMs = this.#heart.now();
  }

  /** Forgets a connection, which ends with that. */
  remove(id: string, error?: BrokenConnectionError): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    const count = this.countOf(entry.address) - 1;
    if (count === 0) this.#perAddress.delete(entry.address);
    else this.#perAddress.set(entry.address, count);
    if (this.#entries.size === 0) this.#heart.remove(this);
    entry.connection.ended(error);
  }

  /** The names of all. */
  ids(): string[] {
    return [...this.#entries.keys()];
  }

  /** Closes all: what was sent before can still be fetched. */
  closeAll(): void {
    for (const { connection } of this.#entries.values()) connection.close();
  }

  get size(): number {
    return this.#entries.size;
  }

  beat(nowMs: number): void {
    for (const [id, entry] of [...this.#entries]) {
      const { connection, lastRequestMs } = entry;
      if (connection.isWaitedOn) entry.lastRequestMs = nowMs;
      if (nowMs - entry.lastRequestMs < this.#idleTimeoutMs) continue;
      const seconds = Math.round((nowMs - lastRequestMs) / 1000);
      this.remove(
        id,
        new BrokenConnectionError(`no request has come from ${connection.peer} for ${seconds} s`),
      );
    }
  }
}

function hash(authorization = ''): Buffer {
  return createHash('sha256').update(authorization).digest();
}
