import type { MainstemError } from '../errors.ts';
import {
  BrokenConnectionError,
  ConnectionClosedError,
  CorruptFrameError,
  MalformedDataError,
  toMainstemError,
} from '../errors.ts';
import { linkLimits } from '../limits.ts';
import { ByteBudget } from './ByteBudget.ts';
import type { ChannelWires, OutgoingFrame } from './Channel.ts';
import { Channel } from './Channel.ts';
import type { Frame } from './frame.ts';
import { decodeFrame, encodeFrame, frameFlags } from './frame.ts';
import type { Beating, Heart } from './Heart.ts';
import { Row } from './Row.ts';
import type { Connection, ConnectionHandlers } from './Transport.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Frames of the link itself; kinds of messages begin at 16. */
const linkKinds = { heartbeat: 0, end: 1 } as const;
export const messageKindMin = 16;

const nothing = new Uint8Array(0);

/** Options of a link. */
export interface LinkOptions {
  readonly heart: Heart;
  /** Takes a conversation that the other end begins; without it, it must not. */
  accept?(channel: Channel): void;
  /** For unfinished messages; one of its own unless given. */
  readonly budget?: ByteBudget;
  /** Each payload has a checksum: for connections that do not look after their bytes themselves. */
  readonly hasPayloadChecksums?: boolean;
  /** The connection has ended, after all its channels; whether there were any. */
  ended?(error: MainstemError | undefined, hasSpoken: boolean): void;
}

/**
 * One end of a connection, shared by channels. It numbers the frames: one that comes again is dropped, and where one is
 * missing the connection is given up, for whatever rests on it to come back and go on. So everything that a network
 * can do to a row of frames ends as one thing. It sends heartbeats where nothing else is sent, and gives up a connection
 * on which nothing comes.
 */
export class Link implements Beating, ChannelWires, ConnectionHandlers {
  readonly #connection: Connection;
  readonly #options: LinkOptions;
  readonly #channels = new Map<number, Channel>();
  /** Of unfinished messages. */
  readonly budget: ByteBudget;
  /** Channels with something to send, in turn. */
  readonly #ready = new Row<Channel>();
  #nextChannel = 0;
  #sent = 0;
  #expected = 0;
  readonly #startedMs: number;
  #lastSentMs: number;
  #lastHeardMs: number;
  /** Until then the other end may be silent. */
  #leaseUntilMs = 0;
  #isPumping = false;
  /** The connection is on its way out, though nobody may have heard yet. */
  #isClosing = false;
  /** Why sending has failed. */
  #failure: MainstemError | undefined;
  #hasEnded = false;

  constructor(connection: Connection, options: LinkOptions) {
    this.#connection = connection;
    this.#options = options;
    const { heart, budget = new ByteBudget(linkLimits.unfinishedBytesMax) } = options;
    this.budget = budget;
    this.#startedMs = heart.now();
    this.#lastSentMs = heart.now();
    this.#lastHeardMs = heart.now();
    heart.add(this);
    connection.receive(this);
  }

  get peer(): string {
    return this.#connection.peer;
  }

  get identity(): string | undefined {
    return this.#connection.identity;
  }

  get hasRoom(): boolean {
    return this.#connection.bufferedBytes <= linkLimits.lowWaterBytes;
  }

  /** Whether another conversation may begin here. */
  get isOpen(): boolean {
    return !this.#hasEnded && !this.#isClosing && this.#nextChannel <= linkLimits.channelNumberMax;
  }

  /** Begins a conversation. Throws BrokenConnectionError where none may begin. */
  open(): Channel {
    const number = this.#nextChannel;
    if (!this.isOpen) throw new BrokenConnectionError('the connection takes no more conversations');
    this.#nextChannel++;
    return this.#add(number);
  }

  /** Tells the other end that nothing may come for so long, because this thread is busy. 0: no more. */
  announceBusy(leaseMs: number): void {
    const lease = new Uint8Array(4);
    new DataView(lease.buffer).setUint32(0, Math.min(leaseMs, linkLimits.leaseMsMax), true);
    this.#sendOwn(linkKinds.heartbeat, 0, lease);
  }

  /** For a channel that has something to send. */
  wake(channel: Channel): void {
    this.#enqueue(channel);
    this.#pump();
  }

  finish(channel: Channel): void {
    channel.isEnding = true;
    this.wake(channel);
  }

  beat(nowMs: number): void {
    const { intervalMs } = this.#options.heart;
    if (this.#nextChannel === 0 && nowMs - this.#startedMs > linkLimits.handshakeMsMax) {
      this.#fail(new ConnectionClosedError(`nobody has spoken for ${linkLimits.handshakeMsMax} ms`));
      return;
    }
    const silentSinceMs = Math.max(this.#lastHeardMs, this.#leaseUntilMs);
    if (nowMs - silentSinceMs > linkLimits.silentBeatsMax * intervalMs) {
      const seconds = Math.round((nowMs - silentSinceMs) / 1000);
      this.#fail(
        new BrokenConnectionError(`nothing has come from ${this.#connection.peer} for ${seconds} s`),
      );
    } else if (nowMs - this.#lastSentMs >= intervalMs) this.#sendOwn(linkKinds.heartbeat, 0, nothing);
  }

  #add(number: number): Channel {
    const channel = new Channel(number, this);
    this.#channels.set(number, channel);
    return channel;
  }

  /** For the connection, as the next two. */
  frame(bytes: Bytes): void {
    if (this.#hasEnded) return;
    this.#lastHeardMs = this.#options.heart.now();
    this.#leaseUntilMs = 0;
    try {
      const frame = decodeFrame(bytes);
      const ahead = (frame.number - this.#expected) | 0;
      // It came before: a network may bring a frame twice.
      if (ahead < 0) return;
      if (ahead > 0)
        throw new BrokenConnectionError(`frame ${this.#expected} is missing, got ${frame.number}`);
      this.#expected = (this.#expected + 1) >>> 0;
      this.#take(frame);
    } catch (thrown) {
      const error = toMainstemError(thrown);
      // Where the other end speaks something else, those who talk to it may say so first.
      if (!isBroken(error)) for (const channel of [...this.#channels.values()]) channel.fail(error);
      this.#fail(error);
    }
  }

  #take(frame: Frame): void {
    if (frame.kind === linkKinds.heartbeat) {
      this.#takeHeartbeat(frame.payload);
      return;
    }
    const known = this.#channels.get(frame.channel);
    if (frame.kind === linkKinds.end) {
      if (known !== undefined) this.#forget(known, undefined);
      return;
    }
    if (frame.kind < messageKindMin) return;
    // What breaks one conversation need not break the others.
    (known ?? this.#accept(frame))?.take(frame);
  }

  /** A child begins to speak; undefined for what comes late to a conversation that has ended. */
  #accept({ channel: number, flags }: Frame): Channel | undefined {
    const { accept } = this.#options;
    if (accept === undefined || number < this.#nextChannel || (flags & frameFlags.continues) !== 0)
      return undefined;
    if (this.#channels.size >= linkLimits.channelsMax)
      throw new MalformedDataError(`more than ${linkLimits.channelsMax} conversations on one connection`);
    this.#nextChannel = number + 1;
    const channel = this.#add(number);
    accept(channel);
    return channel;
  }

  #takeHeartbeat(payload: Bytes): void {
    if (payload.length < 4) return;
    const leaseMs = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
    this.#leaseUntilMs = this.#lastHeardMs + Math.min(leaseMs, linkLimits.leaseMsMax);
  }

  drained(): void {
    this.#pump();
    for (const channel of this.#channels.values()) channel.drained();
  }

  /** Sends what waits, a frame of each channel in turn, as far as there is room. */
  #pump(): void {
    if (this.#isPumping || this.#hasEnded) return;
    this.#isPumping = true;
    try {
      for (let channel = this.#ready.first; channel !== undefined; channel = this.#ready.first) {
        if (this.#connection.bufferedBytes > linkLimits.highWaterBytes) return;
        const frame = channel.takeFrame();
        // To the end of the row, or out of it.
        this.#ready.shift();
        channel.isInRow = false;
        if (frame !== undefined) {
          this.#send(channel.number, frame);
          this.#enqueue(channel);
        } else if (channel.isEnding) {
          this.#sendOwn(linkKinds.end, channel.number, nothing);
          this.#forget(channel, undefined);
        }
      }
    } catch (thrown) {
      this.#giveUp(toMainstemError(thrown));
    } finally {
      this.#isPumping = false;
    }
  }

  #send(channel: number, { metadata, payload, kind, flags, totalLength }: OutgoingFrame): void {
    const checksum = this.#options.hasPayloadChecksums === true ? frameFlags.payloadChecksum : 0;
    const number = this.#sent;
    this.#sent = (number + 1) >>> 0;
    this.#lastSentMs = this.#options.heart.now();
    const head = { kind, flags: flags | checksum, channel, number, totalLength };
    this.#connection.send(encodeFrame(head, metadata, payload));
  }

  #sendOwn(kind: number, channel: number, payload: Bytes): void {
    if (this.#hasEnded) return;
    try {
      this.#send(channel, { kind, flags: 0, totalLength: payload.length, metadata: nothing, payload });
    } catch (thrown) {
      this.#giveUp(toMainstemError(thrown));
    }
  }

  #enqueue(channel: Channel): void {
    if (channel.isInRow) return;
    channel.isInRow = true;
    this.#ready.push(channel);
  }

  /** A conversation has ended; the last one takes the connection with it. */
  #forget(channel: Channel, error: MainstemError | undefined): void {
    this.#channels.delete(channel.number);
    channel.isEnding = false;
    channel.end(error);
    if (this.#channels.size === 0) this.#hangUp();
  }

  /** Sending failed: whoever sends hears of it when the connection says that it is closed, not before. */
  #giveUp(error: MainstemError): void {
    this.#failure ??= error;
    this.#hangUp();
  }

  #hangUp(): void {
    this.#isClosing = true;
    this.#connection.close();
  }

  #fail(error: MainstemError): void {
    this.#end(error);
    this.#connection.close();
  }

  closed(error: MainstemError | undefined): void {
    this.#end(error ?? this.#failure);
  }

  #end(error: MainstemError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.heart.remove(this);
    for (const channel of [...this.#channels.values()]) channel.end(error);
    this.#channels.clear();
    this.#ready.clear();
    this.#options.ended?.(error, this.#nextChannel > 0);
  }
}

/** The network has failed, not whoever is at the other end. */
function isBroken(error: MainstemError): boolean {
  return error instanceof BrokenConnectionError || error instanceof CorruptFrameError;
}
