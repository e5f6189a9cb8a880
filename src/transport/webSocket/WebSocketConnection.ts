import { afterTurn } from '../../clock.ts';
import type { MainstemError } from '../../errors.ts';
import { ConnectionClosedError, LimitExceededError, toMainstemError } from '../../errors.ts';
import { linkLimits } from '../../limits.ts';
import { frameMemory, splitFrames } from '../frame.ts';
import { webSocketLimits } from '../limits.ts';
import { joinedBytes } from '../Slab.ts';
import type { Connection, ConnectionHandlers } from '../Transport.ts';
import type { BudgetedSender, SendBudget } from './SendBudget.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A WebSocket, of whichever platform. */
export interface RawSocket {
  /** Bytes that wait to be sent. */
  readonly bufferedBytes: number;
  /** Sends a binary message; the bytes must not change. `taken` comes later, when the network has it. */
  send(bytes: Bytes, taken: () => void): void;
  /** Ends it after what waits. */
  close(): void;
  /** Ends it at once. */
  terminate(): void;
}

/** What a connection is made with. */
export interface WebSocketConnectionOptions {
  readonly peer: string;
  readonly identity?: string | undefined;
  /** Bytes that may wait to be sent. */
  readonly bufferedBytesMax: number;
  /** Bytes that may wait here and elsewhere together. */
  readonly budget?: SendBudget | undefined;
}

/**
 * Frames over a WebSocket. A message holds one or more whole frames: small ones that are sent in one turn travel
 * together, since a message costs more than a few hundred bytes do.
 */
export class WebSocketConnection implements Connection, BudgetedSender {
  readonly peer: string;
  readonly identity: string | undefined;
  readonly #socket: RawSocket;
  readonly #bufferedBytesMax: number;
  readonly #budget: SendBudget | undefined;
  /** Small frames of this turn. */
  readonly #gathered: Bytes[] = [];
  #gatheredBytes = 0;
  /** The end of a turn will flush them. */
  #isGathering = false;
  #outstandingBytes = 0;
  #handlers: ConnectionHandlers | undefined;
  /** Came before there were handlers. */
  readonly #inbox: Bytes[] = [];
  #inboxBytes = 0;
  #ending: { readonly error: MainstemError | undefined } | undefined;
  #isClosed = false;

  constructor(socket: RawSocket, options: WebSocketConnectionOptions) {
    const { peer, identity, bufferedBytesMax, budget } = options;
    this.peer = peer;
    this.identity = identity;
    this.#socket = socket;
    this.#bufferedBytesMax = bufferedBytesMax;
    this.#budget = budget;
    budget?.add(this);
  }

  get bufferedBytes(): number {
    return this.#isClosed ? 0 : this.#gatheredBytes + this.#socket.bufferedBytes;
  }

  get outstandingBytes(): number {
    return this.#outstandingBytes;
  }

  send(bytes: Bytes): void {
    if (this.#isClosed) throw new ConnectionClosedError('the connection is closed');
    const waiting = this.bufferedBytes + bytes.length;
    if (waiting > this.#bufferedBytesMax) {
      throw new LimitExceededError(
        `${waiting} bytes would wait for ${this.peer}, at most ${this.#bufferedBytesMax} are allowed`,
      );
    }
    this.#outstandingBytes += bytes.length;
    this.#budget?.take(bytes.length);
    // This may have been the one for which most waited.
    if (this.#isClosed) throw new LimitExceededError(`too much waits for ${this.peer}`);
    if (bytes.length > webSocketLimits.joinedFrameBytesMax) {
      this.#flush();
      this.#write(bytes);
      return;
    }
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    const { gatheredFrameBytesMax, gatheredBytesMax } = webSocketLimits;
    if (bytes.length > gatheredFrameBytesMax || this.#gatheredBytes >= gatheredBytesMax) this.#flush();
    else if (!this.#isGathering) {
      this.#isGathering = true;
      afterTurn(() => {
        this.#isGathering = false;
        this.#flush();
      });
    }
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (this.#inbox.length > 0 || this.#ending !== undefined)
      void Promise.resolve().then(() => this.#deliver());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isClosed = true;
    this.#socket.close();
  }

  /** A binary message has come. For the socket's owner. */
  arrived(bytes: Bytes): void {
    if (this.#ending !== undefined) return;
    let frames: Bytes[];
    try {
      frames = splitFrames(bytes);
    } catch (thrown) {
      this.fail(toMainstemError(thrown));
      return;
    }
    if (this.#handlers !== undefined && this.#inbox.length === 0) this.#pass(frames);
    else this.#keep(frames, bytes.length);
  }

  /** What came makes no sense. For the socket's owner. */
  fail(error: MainstemError): void {
    this.#socket.terminate();
    this.ended(error);
  }

  /** The socket has ended. For its owner. */
  ended(error: MainstemError | undefined): void {
    if (this.#ending !== undefined) return;
    this.#stop(error);
    this.#deliver();
  }

  cut(error: LimitExceededError): void {
    if (this.#ending !== undefined) return;
    this.#stop(error);
    this.#socket.terminate();
    void Promise.resolve().then(() => this.#deliver());
  }

  #stop(error: MainstemError | undefined): void {
    this.#isClosed = true;
    this.#dropGathered();
    this.#ending = { error };
    this.#budget?.give(this.#outstandingBytes);
    this.#budget?.remove(this);
    this.#outstandingBytes = 0;
  }

  /** Frames wait for somebody who reads them. */
  #keep(frames: readonly Bytes[], length: number): void {
    for (const frame of frames) this.#inbox.push(frame);
    this.#inboxBytes += length;
    if (this.#inboxBytes <= webSocketLimits.unreadBytesMax) return;
    this.fail(
      new LimitExceededError(
        `${this.#inboxBytes} bytes of ${this.peer} came before anybody read, at most ${webSocketLimits.unreadBytesMax} are kept`,
      ),
    );
  }

  #pass(frames: readonly Bytes[]): void {
    for (const frame of frames) this.#handlers?.frame(frame);
  }

  #deliver(): void {
    if (this.#handlers === undefined) return;
    const frames = this.#inbox.splice(0);
    this.#inboxBytes = 0;
    this.#pass(frames);
    // Whoever read may have ended it, and heard that.
    const handlers = this.#handlers as ConnectionHandlers | undefined;
    if (this.#ending === undefined || handlers === undefined) return;
    this.#handlers = undefined;
    handlers.closed(this.#ending.error);
  }

  #flush(): void {
    const frames = this.#gathered;
    if (frames.length === 0) return;
    const joined = joinedBytes(frames, this.#gatheredBytes, frameMemory);
    // A copy, where it is in other memory than they are.
    if (joined.buffer !== frames[0]?.buffer) for (const frame of frames) frameMemory.give(frame);
    this.#dropGathered();
    this.#write(joined);
  }

  /** The same list again: one that is old and dropped would keep its frames until a full collection of garbage. */
  #dropGathered(): void {
    this.#gathered.length = 0;
    this.#gatheredBytes = 0;
  }

  #write(bytes: Bytes): void {
    const { length } = bytes;
    this.#socket.send(bytes, () => {
      if (this.#ending !== undefined) return;
      this.#outstandingBytes -= length;
      this.#budget?.give(length);
      // `send` has taken it over, and here nobody else has it.
      frameMemory.give(bytes);
      if (!this.#isClosed && this.bufferedBytes <= linkLimits.lowWaterBytes) this.#handlers?.drained();
    });
  }
}
