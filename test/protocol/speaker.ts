import { decode } from '@msgpack/msgpack';
import type { Connection } from 'mainstem';
import { packMessage, unpackMessage } from '../../src/protocol/codec.ts';
import type { Hello, Message } from '../../src/protocol/messages.ts';
import { decodeFrame, encodeFrame } from '../../src/transport/frame.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The frame of a message that fits into one. */
export function frameOf(message: Message, number = 0, channel = 0): Bytes {
  const { kind, metadata, payload } = packMessage(message);
  const head = { kind, flags: 0, channel, number, totalLength: payload.length };
  return encodeFrame(head, metadata, payload);
}

/** The message in a frame; undefined for frames of the link itself. */
export function messageIn(bytes: Bytes): Message | undefined {
  const { kind, metadata, payload } = decodeFrame(bytes);
  return kind < 16 ? undefined : unpackMessage(kind, metadata, payload);
}

/** What is not sent where it says nothing, by the kind of message: the number of fields before it, and what it is then. */
const omitted = new Map<number, readonly [before: number, value: unknown]>([
  [17, [8, null]],
  [20, [5, false]],
  [24, [5, false]],
]);

/** The metadata of a message as a list, with the fields that were not sent. */
export function fieldsOf(kind: number, metadata: Bytes): unknown[] {
  const fields = decode(metadata) as unknown[];
  const [before, value] = omitted.get(kind) ?? [0, undefined];
  return before > 0 && fields.length === before ? [...fields, value] : fields;
}

/** A hello, with changes. */
export function helloOf(changes: Partial<Hello> = {}): Hello {
  return {
    type: 'hello',
    protocolMin: 1,
    protocolMax: 1,
    federation: 'default',
    childId: 'x',
    session: 'first',
    instance: '',
    epoch: 0,
    version: 0,
    layout: null,
    token: null,
    dtypes: ['float32', 'float64'],
    codecs: ['none'],
    ...changes,
  };
}

/** Somebody who speaks the protocol by hand, frame by frame. */
export class Speaker {
  readonly connection: Connection;
  readonly answers: Message[] = [];
  closes = 0;
  #number = 0;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.receive({
      frame: (bytes) => {
        const message = messageIn(bytes);
        if (message !== undefined) this.answers.push(message);
      },
      drained() {},
      closed: () => {
        this.closes++;
      },
    });
  }

  /** Sends messages, each as the next frame. */
  say(...messages: readonly Message[]): void {
    for (const message of messages) this.connection.send(frameOf(message, this.#number++));
  }

  /** Sends bytes that need not be a frame. */
  sayBytes(bytes: Bytes): void {
    this.connection.send(bytes);
  }

  /** The number of the next frame. */
  get nextNumber(): number {
    return this.#number;
  }
}
