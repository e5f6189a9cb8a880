import { BrokenConnectionError, MalformedDataError } from '../errors.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { TensorArrays } from '../parameters/NamedTensors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { unpackMessage } from '../protocol/codec.ts';
import { LayoutCatalog } from '../protocol/LayoutCatalog.ts';
import type { MainMessage, Message } from '../protocol/messages.ts';
import { bytesToValues } from '../protocol/tensorBytes.ts';
import type { Frame } from '../transport/frame.ts';
import { decodeFrame, frameFlags } from '../transport/frame.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Main with its tensors as nested arrays by name. */
export interface JsonMain {
  readonly type: 'main';
  readonly version: number;
  readonly tensors: TensorArrays;
}

/** What a coordinator says, as JSON. */
export type JsonAnswer = Exclude<Message, { type: 'main' | 'layout' | 'update' }> | JsonMain;

const messageKindMin = 16;

/** Reads the frames of a coordinator: pieces become messages, layouts are kept, and the link's own frames are skipped. */
export class Answers {
  readonly #layouts = new LayoutCatalog();
  #pieces: { readonly first: Frame; readonly payload: Bytes; received: number } | undefined;
  #main: ParameterLayout | undefined;
  #isWelcome = false;

  /** Whether the child is in: before that it has nothing to say but who it is. */
  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  /** The layout of the last main; undefined before there is one. */
  get mainLayout(): ParameterLayout | undefined {
    return this.#main;
  }

  /** The message that is whole with this frame, if any. */
  take(bytes: Bytes): JsonAnswer | undefined {
    const frame = decodeFrame(bytes);
    if (frame.kind < messageKindMin) return undefined;
    const payload = this.#join(frame);
    if (payload === undefined) return undefined;
    const { kind, metadata } = this.#pieces?.first ?? frame;
    this.#pieces = undefined;
    const message = unpackMessage(kind, metadata, payload);
    return message === undefined ? undefined : this.#answerOf(message);
  }

  #answerOf(message: Message): JsonAnswer | undefined {
    switch (message.type) {
      case 'layout':
        this.#layouts.receive(message);
        return undefined;
      case 'main':
        return this.#mainOf(message);
      case 'update':
        throw new MalformedDataError('a coordinator sends no updates');
      case 'welcome':
        this.#isWelcome = true;
        return message;
      default:
        return message;
    }
  }

  #mainOf({ layout: index, dtype, version, base, payload }: MainMessage): JsonMain {
    if (base !== null)
      throw new MalformedDataError('the coordinator sends a difference, which nobody asked for');
    const layout = this.#layouts.require(index);
    this.#main = layout;
    const tensors = new ModelParameters(layout, bytesToValues(payload, dtype, layout.length)).toArrays();
    return { type: 'main', version, tensors };
  }

  /** The payload where it is whole now. */
  #join(frame: Frame): Bytes | undefined {
    const { payload, totalLength, flags } = frame;
    if (this.#pieces === undefined) {
      if ((flags & frameFlags.hasMore) === 0) return payload;
      this.#pieces = { first: frame, payload: new Uint8Array(totalLength), received: 0 };
    }
    const pieces = this.#pieces;
    if (pieces.received + payload.length > pieces.payload.length)
      throw new BrokenConnectionError('pieces of a message are longer than it');
    pieces.payload.set(payload, pieces.received);
    pieces.received += payload.length;
    return (flags & frameFlags.hasMore) === 0 ? pieces.payload : undefined;
  }
}
