import type { Clock } from '../../clock.ts';
import type { MainstemError } from '../../errors.ts';
import {
  BrokenConnectionError,
  ConnectionClosedError,
  LimitExceededError,
  MalformedDataError,
} from '../../errors.ts';
import { linkLimits } from '../../limits.ts';
import type { ByteBudget } from '../ByteBudget.ts';
import { httpLimits } from '../limits.ts';
import type { Connection, ConnectionHandlers } from '../Transport.ts';
import type { BodyFormat } from './BodyFormat.ts';
import type { Outgoing } from './Outbox.ts';
import { Outbox } from './Outbox.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a connection is made with. */
export interface HttpConnectionOptions {
  readonly peer: string;
  readonly identity: string | undefined;
  readonly format: BodyFormat;
  readonly clock: Clock;
  /** Bytes that may wait to be fetched, for this child and for all. */
  readonly bufferedBytesMax: number;
  readonly budget: ByteBudget;
}

/** What a request waits for. */
export interface WaitOptions {
  readonly waitMs: number;
  /** Until a part with this key is there; until any is, unless given. */
  readonly key: string | undefined;
}

interface Waiting extends WaitOptions {
  end(isAnswered: boolean): void;
}

/**
 * A coordinator's end of a connection that is made of requests. What it sends waits until the child fetches it; the
 * requests of the child bring its frames. It has no opinion on how long a child may be away.
 */
export class HttpConnection implements Connection {
  readonly peer: string;
  readonly identity: string | undefined;
  readonly #options: HttpConnectionOptions;
  readonly #outbox = new Outbox();
  readonly #inbox: Bytes[] = [];
  #handlers: ConnectionHandlers | undefined;
  #waiting: Waiting | undefined;
  /** Number of the next push; that of the connect is 0. */
  #expected = 0;
  #isClosed = false;
  #ending: { readonly error: MainstemError | undefined } | undefined;

  constructor(options: HttpConnectionOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.identity = options.identity;
  }

  get format(): BodyFormat {
    return this.#options.format;
  }

  /** Whether a request waits here for news: then the child is there. */
  get isWaitedOn(): boolean {
    return this.#waiting !== undefined;
  }

  /** Closed by this end: the child can still fetch what waits. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get bufferedBytes(): number {
    return this.#isClosed ? 0 : this.#outbox.bytes;
  }

  send(bytes: Bytes): void {
    if (this.#isClosed) throw new ConnectionClosedError('the connection is closed');
    const part = this.#options.format.take(bytes);
    if (part === undefined) return;
    const { bufferedBytesMax, budget } = this.#options;
    const growth = this.#outbox.growth(part);
    const waiting = this.#outbox.bytes + growth;
    if (waiting > bufferedBytesMax || !budget.take(growth)) {
      throw new LimitExceededError(
        `${waiting} bytes would wait for ${this.peer}, at most ${bufferedBytesMax} are allowed, and fewer where many wait`,
      );
    }
    this.#outbox.add(part);
    this.#wake();
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (this.#inbox.length > 0 || this.#ending !== undefined)
      void Promise.resolve().then(() => this.#deliver());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wake();
    void Promise.resolve().then(() => this.#end(undefined));
  }

  /**
   * Takes a request in. One that comes again, by its number, counts once. Throws BrokenConnectionError where one is missing
   * before it, and what the format throws.
   */
  push(number: number | undefined, body: Bytes): void {
    const expected = this.#expected;
    if (number !== undefined && number > expected)
      throw new BrokenConnectionError(`push ${expected} is missing, got ${number}`);
    if (this.#ending !== undefined || (number ?? expected) < expected) return;
    const frames = this.#options.format.read(body);
    this.#expected = expected + 1;
    this.#inbox.push(...frames);
    this.#deliver();
  }

  /** A request without content has come. */
  sign(): void {
    const frame = this.#ending === undefined ? this.#options.format.sign() : undefined;
    if (frame === undefined) return;
    this.#inbox.push(frame);
    this.#deliver();
  }

  /** The child has fetched all up to this number, or all that it was answered. Throws MalformedDataError. */
  acknowledge(number: number | undefined): void {
    const freed = this.#outbox.acknowledge(number);
    if (freed === undefined) throw new MalformedDataError(`after=${number} acknowledges what was never sent`);
    this.#options.budget.give(freed);
    if (freed > 0 && !this.#isClosed && this.#outbox.bytes <= linkLimits.lowWaterBytes)
      this.#handlers?.drained();
  }

  /**
   * What waits to be fetched, as soon as there is something, or when the time has passed. One request waits at a time:
   * undefined where another has come, which is answered in its place, or `signal` says that nobody waits any more.
   */
  async fetch(options: WaitOptions, signal: AbortSignal): Promise<Outgoing | undefined> {
    // Those that wait for nothing leave the answer to one that waits.
    if (options.waitMs === 0 && this.#waiting !== undefined) return undefined;
    if (!(await this.#wait(options, signal))) return undefined;
    return this.#outbox.peek(httpLimits.answerBytesMax);
  }

  /** It is over. Nothing more can be fetched. */
  ended(error: MainstemError | undefined): void {
    this.#isClosed = true;
    this.#options.budget.give(this.#outbox.clear());
    this.#waiting?.end(false);
    this.#end(error);
  }

  async #wait({ waitMs, key }: WaitOptions, signal: AbortSignal): Promise<boolean> {
    this.#waiting?.end(false);
    const { clock } = this.#options;
    const isAnswered = await new Promise<boolean>((resolve) => {
      const end = (answer: boolean): void => {
        cancel();
        signal.removeEventListener('abort', abort);
        if (this.#waiting === waiting) this.#waiting = undefined;
        resolve(answer);
      };
      const abort = (): void => end(false);
      const waiting: Waiting = { waitMs, key, end };
      const cancel = clock.schedule(() => end(true), waitMs, { isBackground: true });
      signal.addEventListener('abort', abort);
      this.#waiting = waiting;
      if (signal.aborted) end(false);
      // What the request has just brought is answered in this turn, and so part of the answer.
      else void clock.yieldTurn().then(() => (waitMs === 0 ? end(true) : this.#wake()));
    });
    return isAnswered && !signal.aborted;
  }

  /** Whoever waits is answered in a moment, so that all that is sent in one turn is in one answer. */
  #wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || !this.#isEnough(waiting)) return;
    void this.#options.clock.yieldTurn().then(() => waiting.end(true));
  }

  #isEnough({ key }: Waiting): boolean {
    return this.#isClosed || this.#outbox.has(key);
  }

  #end(error: MainstemError | undefined): void {
    if (this.#ending !== undefined) return;
    this.#ending = { error };
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
