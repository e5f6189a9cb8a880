import type { MainstemError } from '../../errors.ts';
import {
  ConnectionClosedError,
  LimitExceededError,
  MalformedDataError,
  toError,
  toMainstemError,
} from '../../errors.ts';
import { linkLimits } from '../../limits.ts';
import { splitFrames } from '../frame.ts';
import { httpLimits } from '../limits.ts';
import type { Connection, ConnectionHandlers } from '../Transport.ts';
import { concatenate } from './BodyFormat.ts';
import { binaryContentType } from './binaryFormat.ts';
import type { HttpAnswer, HttpRequests } from './HttpRequests.ts';
import { answerHeaders } from './headers.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a connection is made with. */
export interface ClientConnectionOptions {
  readonly peer: string;
  /** Its name, as the server gave it. */
  readonly id: string;
  readonly requests: HttpRequests;
  readonly waitMs: number;
}

/**
 * A child's end of a connection that is made of requests. One waits for what the coordinator sends; what the child sends in
 * one turn, or while an earlier push is under way, goes out in one push.
 */
export class ClientConnection implements Connection {
  readonly peer: string;
  readonly #options: ClientConnectionOptions;
  #outbox: Bytes[] = [];
  #bufferedBytes = 0;
  #pushes = 0;
  /** Number of the last part that has come. */
  #after = 0;
  readonly #inbox: Bytes[] = [];
  #handlers: ConnectionHandlers | undefined;
  #ending: { readonly error: MainstemError | undefined } | undefined;
  #isPushing = false;
  #isClosed = false;

  constructor(options: ClientConnectionOptions) {
    this.#options = options;
    this.peer = options.peer;
    void this.#pull();
  }

  get bufferedBytes(): number {
    return this.#ending === undefined ? this.#bufferedBytes : 0;
  }

  send(bytes: Bytes): void {
    if (this.#isClosed) throw new ConnectionClosedError('the connection is closed');
    const { clientBufferedBytesMax } = httpLimits;
    const waiting = this.#bufferedBytes + bytes.length;
    if (waiting > clientBufferedBytesMax) {
      throw new LimitExceededError(
        `${waiting} bytes would wait for ${this.peer}, at most ${clientBufferedBytesMax} are allowed`,
      );
    }
    this.#outbox.push(bytes);
    this.#bufferedBytes = waiting;
    this.#pushSoon();
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    void Promise.resolve().then(() => this.#deliver());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pushSoon();
  }

  #pushSoon(): void {
    if (this.#isPushing || this.#ending !== undefined) return;
    this.#isPushing = true;
    void Promise.resolve().then(() => this.#push());
  }

  /** Pushes all that waits, and after the last of it says that this end has closed. */
  async #push(): Promise<void> {
    const { id, requests } = this.#options;
    try {
      while (this.#outbox.length > 0 && this.#ending === undefined) {
        const body = this.#takeBody();
        const place = `/${id}/push?n=${++this.#pushes}&after=${this.#after}`;
        this.#take(await requests.send({ method: 'POST', place, body, contentType: binaryContentType }));
        this.#bufferedBytes -= body.length;
        if (this.#bufferedBytes <= linkLimits.lowWaterBytes) this.#handlers?.drained();
      }
      this.#isPushing = false;
      if (this.#isClosed && this.#ending === undefined) await this.#leave();
    } catch (thrown) {
      this.#end(toMainstemError(toError(thrown)));
    }
  }

  async #leave(): Promise<void> {
    const { id, requests } = this.#options;
    try {
      await requests.send({ method: 'DELETE', place: `/${id}` });
    } catch {
      // The server will notice by itself.
    }
    this.#end(undefined);
  }

  #takeBody(): Bytes {
    let count = 0;
    let bytes = 0;
    for (const { length } of this.#outbox) {
      if (count > 0 && bytes + length > httpLimits.pushBytesMax) break;
      count++;
      bytes += length;
    }
    return concatenate(this.#outbox.splice(0, count).map((frame) => ({ bytes: frame })));
  }

  /** Asks for what the coordinator sends, over and over. */
  async #pull(): Promise<void> {
    const { id, requests, waitMs } = this.#options;
    const wait = Math.floor(waitMs / 1_000);
    try {
      while (!this.#isClosed) {
        const place = `/${id}/pull?wait=${wait}&after=${this.#after}`;
        this.#take(await requests.send({ method: 'GET', place, waitMs }));
      }
    } catch (thrown) {
      // Closing, the connection ends when the last push has gone.
      if (!this.#isClosed) this.#end(toMainstemError(toError(thrown)));
    }
  }

  /** Takes an answer in. What another has brought already is skipped. */
  #take({ headers, body }: HttpAnswer): void {
    if (this.#ending !== undefined) return;
    if (body.length > 0) {
      const frames = splitFrames(body);
      const first = Number(headers.get(answerHeaders.first) ?? Number.NaN);
      if (!(first >= 1 && first <= this.#after + 1))
        throw new MalformedDataError(`an answer begins with frame ${first}, expected ${this.#after + 1}`);
      const known = this.#after + 1 - first;
      this.#inbox.push(...frames.slice(known));
      this.#after = Math.max(this.#after, first - 1 + frames.length);
    }
    if (headers.has(answerHeaders.closed)) this.#end(undefined);
    else this.#deliver();
  }

  #end(error: MainstemError | undefined): void {
    if (this.#ending !== undefined) return;
    this.#isClosed = true;
    this.#ending = { error };
    this.#outbox = [];
    this.#options.requests.stop();
    this.#deliver();
  }

  #deliver(): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    for (const frame of this.#inbox.splice(0)) handlers.frame(frame);
    if (this.#ending === undefined) return;
    this.#handlers = undefined;
    handlers.closed(this.#ending.error);
  }
}
