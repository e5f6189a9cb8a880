import type { MainstemError } from '../errors.ts';
import { ConnectionClosedError, LimitExceededError, MalformedDataError, toMainstemError } from '../errors.ts';
import { linkLimits } from '../limits.ts';
import type { ByteBudget } from './ByteBudget.ts';
import type { Frame } from './frame.ts';
import { frameFlags } from './frame.ts';
import type { Standing } from './Row.ts';
import { Row } from './Row.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a channel calls. Calls never come from inside `send` or `close`. */
export interface ChannelHandlers {
  /** A whole message. Metadata and payload are only to be read, and only until the call returns. */
  message(kind: number, metadata: Bytes, payload: Bytes): void;
  /** The other end does not keep to the rules. Nothing more comes; whoever hears it may say why, and closes. */
  failed(error: MainstemError): void;
  /** Nothing waits here any more, and little on the connection. */
  drained(): void;
  /** Once, after the last message, unless this end closed it; with an error where the connection broke. */
  closed(error: MainstemError | undefined): void;
}

/** A frame of a message, as its channel hands it to the link. */
export interface OutgoingFrame {
  readonly kind: number;
  readonly flags: number;
  readonly totalLength: number;
  readonly metadata: Bytes;
  readonly payload: Bytes;
}

/** What a channel needs of its link. */
export interface ChannelWires {
  readonly peer: string;
  readonly identity: string | undefined;
  readonly budget: ByteBudget;
  /** There is something to send. */
  wake(channel: Channel): void;
  /** Whether little waits on the connection. */
  readonly hasRoom: boolean;
  announceBusy(leaseMs: number): void;
  /** Tells the other end after what waits, and forgets the channel. */
  finish(channel: Channel): void;
}

/** A message on its way out. */
interface Outgoing extends Standing<Outgoing> {
  readonly kind: number;
  readonly metadata: Bytes;
  readonly payload: Bytes;
  sent: number;
}

/** A message of which a part has come. */
interface Incoming {
  readonly kind: number;
  readonly metadata: Bytes;
  readonly payload: Bytes;
  received: number;
}

const nothing = new Uint8Array(0);

/**
 * One conversation of those that share a connection. Its messages arrive in order, each whole; large ones travel in
 * pieces, between which other channels and heartbeats have their turn.
 */
export class Channel implements Standing<Channel> {
  readonly number: number;
  /** Its place among those that the link sends for, and whether it ends then. For the link. */
  next: Channel | undefined;
  isInRow = false;
  isEnding = false;
  /** Bytes of payload that one message may bring; its owner raises it when it knows more. */
  payloadBytesMax = 0;
  readonly #wires: ChannelWires;
  readonly #outgoing = new Row<Outgoing>();
  #incoming: Incoming | undefined;
  #handlers: ChannelHandlers | undefined;
  #waitingBytes = 0;
  #isBroken = false;
  #isClosed = false;

  constructor(number: number, wires: ChannelWires) {
    this.number = number;
    this.#wires = wires;
  }

  get peer(): string {
    return this.#wires.peer;
  }

  /** The only child that may speak here, where the transport has made sure of it. */
  get identity(): string | undefined {
    return this.#wires.identity;
  }

  /** Whether all that was sent is on the connection. */
  get isEmpty(): boolean {
    return this.#outgoing.length === 0;
  }

  /** Whether a message would go out at once. */
  get isIdle(): boolean {
    return this.#outgoing.length === 0 && this.#wires.hasRoom;
  }

  /** Sets the handlers; messages that come without any are lost. */
  receive(handlers: ChannelHandlers): void {
    this.#handlers = handlers;
  }

  /**
   * Sends a message; never waits. The payload must not change after that. Throws ConnectionClosedError, or
   * LimitExceededError where too much waits.
   */
  send(kind: number, metadata: Bytes, payload: Bytes = nothing): void {
    if (this.#isClosed) throw new ConnectionClosedError('the connection is closed');
    const { queuedMessagesMax, queuedBytesMax } = linkLimits;
    if (this.#outgoing.length >= queuedMessagesMax || this.#waitingBytes + payload.length > queuedBytesMax) {
      throw new LimitExceededError(
        `${this.#outgoing.length} messages of ${this.#waitingBytes} bytes wait to be sent, at most ${queuedMessagesMax} of ${queuedBytesMax} are allowed`,
      );
    }
    this.#outgoing.push({ kind, metadata, payload, sent: 0, next: undefined });
    this.#waitingBytes += metadata.length + payload.length;
    this.#wires.wake(this);
  }

  /** Tells the other end that nothing may come on the whole connection for so long. 0: no more. */
  announceBusy(leaseMs: number): void {
    if (!this.#isClosed) this.#wires.announceBusy(leaseMs);
  }

  /** Ends the channel at both ends; what was sent before arrives first. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handlers = undefined;
    this.#wires.finish(this);
  }

  /** The next frame to send, or undefined. For the link. */
  takeFrame(): OutgoingFrame | undefined {
    const { first } = this.#outgoing;
    if (first === undefined) return undefined;
    const { kind, payload, sent } = first;
    const end = Math.min(payload.length, sent + linkLimits.chunkBytes);
    const isLast = end === payload.length;
    const flags = (sent > 0 ? frameFlags.continues : 0) | (isLast ? 0 : frameFlags.hasMore);
    const metadata = sent > 0 ? nothing : first.metadata;
    first.sent = end;
    this.#waitingBytes -= metadata.length + (end - sent);
    if (isLast) this.#outgoing.shift();
    const part = sent === 0 && isLast ? payload : payload.subarray(sent, end);
    return { kind, flags, totalLength: payload.length, metadata, payload: part };
  }

  /** Takes a frame in. For the link. */
  take(frame: Frame): void {
    if (this.#isBroken || this.#isClosed) return;
    try {
      this.#join(frame);
    } catch (thrown) {
      this.fail(toMainstemError(thrown));
    }
  }

  /** The other end has broken the rules. For the link. */
  fail(error: MainstemError): void {
    this.#isBroken = true;
    this.#drop();
    this.#handlers?.failed(error);
  }

  #join(frame: Frame): void {
    const { kind, flags, metadata, payload, totalLength } = frame;
    const continues = (flags & frameFlags.continues) !== 0;
    const hasMore = (flags & frameFlags.hasMore) !== 0;
    if (continues !== (this.#incoming !== undefined))
      throw new MalformedDataError('a piece of a message without its beginning, or a message inside another');
    if (totalLength > this.payloadBytesMax)
      throw new LimitExceededError(
        `a message announces ${totalLength} bytes, at most ${this.payloadBytesMax} are allowed here`,
      );
    if (!continues && !hasMore) {
      if (payload.length !== totalLength)
        throw new MalformedDataError(`a message of ${totalLength} bytes has ${payload.length}`);
      this.#handlers?.message(kind, metadata, payload);
      return;
    }
    const incoming = this.#incoming ?? this.#begin(frame);
    const end = incoming.received + payload.length;
    const isWhole = end === incoming.payload.length;
    if (
      kind !== incoming.kind ||
      totalLength !== incoming.payload.length ||
      isWhole === hasMore ||
      end > totalLength
    )
      throw new MalformedDataError(`${end} of ${totalLength} bytes of a message, in pieces that do not fit`);
    incoming.payload.set(payload, incoming.received);
    incoming.received = end;
    if (!isWhole) return;
    this.#drop();
    this.#handlers?.message(kind, incoming.metadata, incoming.payload);
  }

  /** Room has come. For the link. */
  drained(): void {
    if (!this.#isClosed && this.isIdle) this.#handlers?.drained();
  }

  /** The last thing that the channel hears. For the link. */
  end(error: MainstemError | undefined): void {
    this.#isClosed = true;
    this.#drop();
    this.#outgoing.clear();
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.closed(error);
  }

  #begin({ kind, metadata, totalLength }: Frame): Incoming {
    if (!this.#wires.budget.take(totalLength))
      throw new LimitExceededError(`there is no room for a message of ${totalLength} bytes now`);
    // The frame is its transport's; this outlives it.
    this.#incoming = { kind, metadata: metadata.slice(), payload: new Uint8Array(totalLength), received: 0 };
    return this.#incoming;
  }

  #drop(): void {
    if (this.#incoming !== undefined) this.#wires.budget.give(this.#incoming.payload.length);
    this.#incoming = undefined;
  }
}
