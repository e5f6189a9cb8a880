import { MalformedDataError } from '../errors.ts';
import { linkLimits } from '../limits.ts';
import { packMessage } from '../protocol/codec.ts';
import { LayoutCatalog } from '../protocol/LayoutCatalog.ts';
import type { Message } from '../protocol/messages.ts';
import { requireList } from '../strictJson.ts';
import { encodeFrame } from '../transport/frame.ts';
import type { AnswerHead, BodyFormat, Part } from '../transport/http/BodyFormat.ts';
import type { JsonAnswer } from './Answers.ts';
import { Answers } from './Answers.ts';
import type { Request } from './requests.ts';
import { readRequest } from './requests.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const heartbeatKind = 0;
const channel = 0;
const messagesPerBodyMax = 1_024;
const nothing: Bytes = new Uint8Array(0);
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Messages as JSON, for children that know neither frames nor layouts: this end of the connection does for them what a link
 * does. Bodies of requests are lists of messages, or one; those of answers are objects with a list.
 */
export class JsonFormat implements BodyFormat {
  readonly contentType = 'application/json';
  readonly isCompressible = true;
  readonly #leaseMs: number;
  readonly #layouts = new LayoutCatalog();
  readonly #answers = new Answers();
  #frames = 0;
  #sequence = 0;

  /** A child may be silent for so long. */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  read(body: Bytes): Bytes[] {
    const given = body.length === 0 ? [] : parse(body);
    const list = requireList(Array.isArray(given) ? given : [given], 'the body', {
      lengthMax: messagesPerBodyMax,
    });
    // All of them are read before the first one counts.
    let sequence = this.#sequence;
    const { isWelcome, mainLayout } = this.#answers;
    const requests = list.map((entry) => {
      const request = readRequest(entry, { sequence: sequence + 1, isWelcome, mainLayout });
      if (request.layout !== undefined) sequence = request.message.sequence;
      return request;
    });
    this.#sequence = sequence;
    return [...requests.flatMap((request) => this.#framesOf(request)), this.sign()];
  }

  /** A lease: the child says nothing more than it has to. */
  sign(): Bytes {
    const lease = new Uint8Array(4);
    new DataView(lease.buffer).setUint32(0, Math.min(this.#leaseMs, linkLimits.leaseMsMax), true);
    return this.#frame(heartbeatKind, nothing, lease);
  }

  take(frame: Bytes): Part | undefined {
    const message = this.#answers.take(frame);
    if (message === undefined) return undefined;
    const bytes = textEncoder.encode(JSON.stringify(message));
    // Only the newest main is of any use.
    return { bytes, key: message.type, isUrgent: isUrgent(message), isLatestOnly: message.type === 'main' };
  }

  join(parts: readonly Part[], head: AnswerHead): Bytes {
    // The parts are JSON already.
    const opening = textEncoder.encode(`${JSON.stringify(head).slice(0, -1)},"messages":[`);
    const pieces = parts.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [comma, bytes]));
    return joined([opening, ...pieces, closing]);
  }

  #framesOf(request: Request): Bytes[] {
    const frames: Bytes[] = [];
    const add = (message: Message): void => {
      const { kind, metadata, payload } = packMessage(message);
      frames.push(this.#frame(kind, metadata, payload));
    };
    if (request.layout !== undefined) {
      const layout = this.#layouts.indexOf(request.layout, add);
      add({ ...request.message, layout });
    } else add(request.message);
    return frames;
  }

  #frame(kind: number, metadata: Bytes, payload: Bytes): Bytes {
    const number = this.#frames;
    this.#frames = (number + 1) >>> 0;
    return encodeFrame({ kind, flags: 0, channel, number, totalLength: payload.length }, metadata, payload);
  }
}

const comma = textEncoder.encode(',');
const closing = textEncoder.encode(']}');

/** A child that waits for main would wait for nothing. */
function isUrgent(message: JsonAnswer): boolean {
  const { type } = message;
  if (type === 'receipt') return message.status !== 'applied' && message.status !== 'accepted';
  return type === 'rejected' || type === 'refusal' || type === 'goodbye';
}

function parse(body: Bytes): unknown {
  try {
    return JSON.parse(textDecoder.decode(body));
  } catch (cause) {
    throw new MalformedDataError('the body is no JSON in UTF-8', { cause });
  }
}

function joined(pieces: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
