import type { Clock } from '../clock.ts';
import type { MainstemError } from '../errors.ts';
import {
  ConnectionClosedError,
  ConnectionRefusedError,
  MalformedDataError,
  RemoteError,
  toMainstemError,
} from '../errors.ts';
import { linkLimits } from '../limits.ts';
import { packMessage, unpackMessage } from '../protocol/codec.ts';
import { LayoutCatalog } from '../protocol/LayoutCatalog.ts';
import type { Hello, Message, Welcome, WireError } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import type { Random } from '../random.ts';
import type { Channel } from '../transport/Channel.ts';
import { Heart } from '../transport/Heart.ts';
import { openChannel } from '../transport/SharedConnection.ts';
import type { ClientTransport } from '../transport/Transport.ts';
import type { ReconnectOptions } from './reconnectOptions.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a session tells and asks its child. */
export interface SessionOwner {
  /** Who wants to join, and what it has. */
  hello(): Promise<Hello>;
  /** The coordinator has let the child in, for the first time or again. Throws to end the session. */
  welcomed(welcome: Welcome): void;
  /** Anything else that the coordinator says. */
  message(message: Message): void;
  /** The coordinator has said something that makes no sense. */
  failed(error: MainstemError): void;
  /** The connection broke; the session is looking for another. */
  lost(error: MainstemError): void;
  /** It is over; undefined where the child closed it. */
  ended(error: MainstemError | undefined): void;
}

/** Options of a session. */
export interface ChildSessionOptions {
  readonly transport: ClientTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly connectTimeoutMs: number;
  readonly reconnect: Required<ReconnectOptions> | undefined;
}

/** One connection's part of a session. */
interface Conversation {
  readonly channel: Channel;
  readonly layouts: LayoutCatalog;
  isWelcome: boolean;
}

/** A child's end of its session with a coordinator. It outlives connections: when one breaks it opens another. */
export class ChildSession {
  readonly #owner: SessionOwner;
  readonly #options: ChildSessionOptions;
  readonly #heart: Heart;
  #conversation: Conversation | undefined;
  /** Whoever waits for the first welcome. */
  #starting: { resolve(): void; reject(error: MainstemError): void } | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Counts connections: what belongs to an older one comes too late. */
  #generation = 0;
  /** Since the last welcome. */
  #failures = 0;
  #lostSinceMs = 0;
  #hasEnded = false;

  constructor(owner: SessionOwner, options: ChildSessionOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#heart = new Heart(options.clock, linkLimits.heartbeatMs);
  }

  /** Whether messages go out at once. */
  get isConnected(): boolean {
    return this.#conversation?.isWelcome === true;
  }

  /** The layouts of this connection. */
  get layouts(): LayoutCatalog | undefined {
    return this.#conversation?.layouts;
  }

  /** Connects; resolves with the welcome. */
  start(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject };
      void this.#connect();
    });
  }

  /** Sends a message. Throws where the connection cannot take it; nothing is sent while there is none. */
  send(message: Message): void {
    const { kind, metadata, payload } = packMessage(message);
    this.#conversation?.channel.send(kind, metadata, payload);
  }

  /** No larger payload is taken in than this. */
  expectPayload(bytes: number): void {
    const channel = this.#conversation?.channel;
    if (channel !== undefined) channel.payloadBytesMax = Math.max(channel.payloadBytesMax, bytes);
  }

  /** Tells the coordinator that this thread will be busy for so long. */
  announceBusy(leaseMs: number): void {
    this.#conversation?.channel.announceBusy(leaseMs);
  }

  /** Goes on over another connection, whose hello says what the child has. */
  renew(error: MainstemError): void {
    this.#lose(error);
  }

  /** Says goodbye and ends. */
  leave(): void {
    if (this.#hasEnded) return;
    try {
      this.send({ type: 'leave' });
    } catch {
      // The connection takes nothing more: the coordinator will notice by itself.
    }
    this.end(undefined);
  }

  /** Ends for good. */
  end(error: MainstemError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelTimer?.();
    this.#hangUp();
    this.#starting?.reject(error ?? new ConnectionClosedError('the child left'));
    this.#starting = undefined;
    this.#owner.ended(error);
  }

  async #connect(): Promise<void> {
    const { transport, clock, connectTimeoutMs } = this.#options;
    const timeout = new ConnectionClosedError(`no welcome within ${connectTimeoutMs} ms`);
    this.#cancelTimer?.();
    this.#cancelTimer = clock.schedule(() => this.#lose(timeout), connectTimeoutMs);
    const generation = ++this.#generation;
    try {
      const hello = await this.#owner.hello();
      const channel = await openChannel(transport, this.#heart);
      // The deadline has passed, or the child has left, while the transport was connecting.
      if (this.#hasEnded || generation !== this.#generation) {
        channel.close();
        return;
      }
      this.#converse({ channel, layouts: new LayoutCatalog(), isWelcome: false });
      this.send(hello);
    } catch (thrown) {
      if (generation === this.#generation) this.#lose(toMainstemError(thrown));
    }
  }

  #converse(conversation: Conversation): void {
    this.#conversation = conversation;
    const isCurrent = (): boolean => this.#conversation === conversation;
    conversation.channel.receive({
      message: (kind, metadata, payload) => {
        if (isCurrent()) this.#receive(kind, metadata, payload);
      },
      failed: (error) => {
        if (isCurrent()) this.end(error);
      },
      drained() {},
      closed: (error) => {
        if (isCurrent())
          this.#lose(error ?? new ConnectionClosedError('the coordinator closed the connection'));
      },
    });
  }

  #receive(kind: number, metadata: Bytes, payload: Bytes): void {
    try {
      const message = unpackMessage(kind, metadata, payload);
      if (message !== undefined) this.#handle(message);
    } catch (thrown) {
      // Before the welcome somebody waits for an end; after it, the session may still be of use.
      const error = toMainstemError(thrown);
      if (this.isConnected) this.#owner.failed(error);
      else this.end(error);
    }
  }

  #handle(message: Message): void {
    switch (message.type) {
      case 'refusal':
        this.#takeRefusal(message.error);
        return;
      case 'goodbye':
        this.#takeGoodbye(message.returnAfterMs);
        return;
      case 'welcome':
        this.#takeWelcome(message);
        return;
      default:
        if (!this.isConnected) throw new MalformedDataError(`a ${message.type} before the welcome`);
        this.#owner.message(message);
    }
  }

  #takeWelcome(welcome: Welcome): void {
    if (this.#conversation === undefined || this.#conversation.isWelcome)
      throw new MalformedDataError('a second welcome on one connection');
    try {
      if (welcome.protocol !== protocolVersion)
        throw new MalformedDataError(
          `the coordinator chose protocol ${welcome.protocol}, the child speaks ${protocolVersion}`,
        );
      this.#owner.welcomed(welcome);
    } catch (thrown) {
      this.end(toMainstemError(thrown));
      return;
    }
    this.#conversation.isWelcome = true;
    this.#cancelTimer?.();
    this.#failures = 0;
    this.#lostSinceMs = 0;
    this.#starting?.resolve();
    this.#starting = undefined;
  }

  #takeRefusal(wire: WireError): void {
    const error = new ConnectionRefusedError(wire.message, { cause: fromWire(wire) });
    // One of the many connections there may be an older one of this child that nobody has missed yet.
    if (wire.code === 'LIMIT_EXCEEDED' && !this.isConnected) this.#lose(error);
    else this.end(error);
  }

  #takeGoodbye(returnAfterMs: number | null): void {
    const error = new ConnectionClosedError('the coordinator was closed');
    if (returnAfterMs === null) this.end(error);
    else this.#lose(error, returnAfterMs);
  }

  /** The connection is gone, or was never made. Before `awayMs` have passed nobody needs to be looked for. */
  #lose(error: MainstemError, awayMs = 0): void {
    if (this.#hasEnded) return;
    const { reconnect, clock } = this.#options;
    const wasConnected = this.isConnected;
    this.#hangUp();
    this.#cancelTimer?.();
    if (reconnect === undefined || this.#starting !== undefined) {
      this.end(error);
      return;
    }
    if (wasConnected) {
      this.#lostSinceMs = clock.now() + awayMs;
      this.#owner.lost(error);
    }
    if (clock.now() - this.#lostSinceMs > reconnect.giveUpAfterMs) {
      this.end(error);
      return;
    }
    this.#cancelTimer = clock.schedule(() => void this.#connect(), awayMs + this.#backoffMs(reconnect));
    this.#failures++;
  }

  /** Full jitter: anything up to a ceiling that doubles (Brooker 2015), so that ten thousand do not come back at once. */
  #backoffMs({ initialMs, maxMs }: Required<ReconnectOptions>): number {
    const ceiling = Math.min(maxMs, initialMs * 2 ** Math.min(this.#failures, 30));
    return this.#options.random.next() * ceiling;
  }

  #hangUp(): void {
    const conversation = this.#conversation;
    this.#conversation = undefined;
    this.#generation++;
    conversation?.channel.close();
  }
}

/** An error that the coordinator has named. */
export function fromWire({ code, message }: WireError): RemoteError {
  return new RemoteError(code, message);
}
