import { type Connection, ConnectionClosedError, type MainstemError, type Transport } from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { ByteBudget } from '../../src/transport/ByteBudget.ts';
import type { Channel } from '../../src/transport/Channel.ts';
import { decodeFrame, encodeFrame, type Frame, type FrameHead } from '../../src/transport/frame.ts';
import { Heart } from '../../src/transport/Heart.ts';
import { Link, type LinkOptions } from '../../src/transport/Link.ts';
import type { ConnectionHandlers } from '../../src/transport/Transport.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export const nothing: Bytes = new Uint8Array(0);

/** One end of a connection whose other end is the test: it sees what is sent and says what comes. */
export class FakeConnection implements Connection {
  readonly peer = 'the test';
  bufferedBytes = 0;
  readonly sent: Frame[] = [];
  isClosed = false;
  #handlers: ConnectionHandlers | undefined;
  #number = 0;

  send(bytes: Bytes): void {
    if (this.isClosed) throw new ConnectionClosedError('the connection is closed');
    this.sent.push(decodeFrame(bytes));
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  close(): void {
    this.isClosed = true;
  }

  /** Brings bytes. */
  bring(bytes: Bytes): void {
    this.#handlers?.frame(bytes);
  }

  /** Brings a frame, with the next number unless `head` has one. */
  bringFrame(head: Partial<FrameHead>, metadata: Bytes = nothing, payload: Bytes = nothing): void {
    this.bring(
      encodeFrame(
        {
          kind: 16,
          flags: 0,
          channel: 0,
          number: this.#number++,
          totalLength: payload.length,
          ...head,
        },
        metadata,
        payload,
      ),
    );
  }

  drain(): void {
    this.bufferedBytes = 0;
    this.#handlers?.drained();
  }

  end(error?: MainstemError): void {
    this.#handlers?.closed(error);
  }
}

/** What a channel has heard. */
export interface Heard {
  readonly messages: { kind: number; metadata: number[]; payload: Bytes }[];
  readonly failures: MainstemError[];
  readonly ends: (MainstemError | undefined)[];
  drains: number;
}

/** Records what a channel hears; it takes payloads of any legal length. */
export function listenTo(channel: Channel, payloadBytesMax: number = 2 ** 31): Heard {
  const heard: Heard = { messages: [], failures: [], ends: [], drains: 0 };
  channel.payloadBytesMax = payloadBytesMax;
  channel.receive({
    message: (kind, metadata, payload) =>
      heard.messages.push({ kind, metadata: [...metadata], payload: payload.slice() }),
    failed: (error) => heard.failures.push(error),
    drained: () => {
      heard.drains++;
    },
    closed: (error) => heard.ends.push(error),
  });
  return heard;
}

/** A link that takes conversations from the test, and what becomes of it. */
export interface AcceptingLink {
  readonly clock: VirtualClock;
  readonly connection: FakeConnection;
  readonly budget: ByteBudget;
  readonly channels: Channel[];
  readonly heard: Heard[];
  readonly ends: (MainstemError | undefined)[];
  readonly link: Link;
}

/** Makes one, with options of its own. */
export function acceptingLink(
  options: Partial<LinkOptions> & { clock?: VirtualClock; payloadBytesMax?: number } = {},
): AcceptingLink {
  const { clock = new VirtualClock(), payloadBytesMax, ...rest } = options;
  const connection = new FakeConnection();
  const budget = new ByteBudget(2 ** 29);
  const channels: Channel[] = [];
  const heard: Heard[] = [];
  const ends: (MainstemError | undefined)[] = [];
  const link = new Link(connection, {
    heart: new Heart(clock, 10_000),
    budget,
    accept(channel) {
      channels.push(channel);
      heard.push(listenTo(channel, payloadBytesMax));
    },
    ended: (error) => ends.push(error),
    ...rest,
  });
  return { clock, connection, budget, channels, heard, ends, link };
}

/** A transport whose connections say what was sent on them, and when their ends are heard of. */
export function tapped(
  transport: Transport,
  sent: (frame: Frame) => void,
  hearEnd: (hear: () => void) => void = (hear) => hear(),
): Transport {
  return {
    listen: (accept) => transport.listen(accept),
    async connect() {
      const connection = await transport.connect();
      return {
        peer: connection.peer,
        get bufferedBytes() {
          return connection.bufferedBytes;
        },
        send(bytes) {
          sent(decodeFrame(bytes));
          connection.send(bytes);
        },
        receive: (handlers) =>
          connection.receive({
            frame: (bytes) => handlers.frame(bytes),
            drained: () => handlers.drained(),
            closed: (error) => hearEnd(() => handlers.closed(error)),
          }),
        close: () => connection.close(),
      };
    },
  };
}

/** Bytes that are not all alike. */
export function patternOf(length: number): Bytes {
  return new Uint8Array(length).map((_, at) => (at * 31) ^ (at >>> 8));
}
