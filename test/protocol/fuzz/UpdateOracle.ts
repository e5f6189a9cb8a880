import { decode } from '@msgpack/msgpack';
import type { Bytes } from './drafts.ts';

/** What is known of a conversation by reading its frames, without a line of the code that is tested. */
interface Conversation {
  hasSaidHello: boolean;
  pieces: Bytes[];
  metadata: Bytes;
}

const helloKind = 16;
const updateKind = 20;
const more = 2;
const continues = 4;
const unknownFlags = 0xf8;

/** Reads what comes on one connection, as docs/protocol.md says, and knows which update a frame completes. */
export class UpdateOracle {
  readonly #conversations = new Map<number, Conversation>();
  #expected = 0;
  #last: { bytes: Bytes; metadataLength: number; conversation: Conversation } | undefined;

  /** The number of the next frame. */
  get expected(): number {
    return this.#expected;
  }

  /** Takes a frame in. */
  read(bytes: Bytes): void {
    this.#last = undefined;
    if (bytes.length < 32) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint32(8, true) !== this.#expected) return;
    this.#expected = (this.#expected + 1) >>> 0;
    const flags = view.getUint16(4, true);
    const channel = view.getUint16(6, true);
    const metadataLength = view.getUint32(12, true);
    const start = Math.ceil((32 + metadataLength) / 8) * 8;
    const kind = bytes[3] as number;
    if (start + view.getUint32(16, true) !== bytes.length || kind < helloKind) return;
    let conversation = this.#conversations.get(channel);
    if (conversation === undefined) {
      conversation = { hasSaidHello: false, pieces: [], metadata: bytes };
      this.#conversations.set(channel, conversation);
    }
    if (kind === helloKind) conversation.hasSaidHello = true;
    if ((flags & continues) === 0) {
      conversation.pieces = [];
      conversation.metadata = bytes.subarray(32, 32 + metadataLength);
    }
    conversation.pieces.push(bytes.subarray(start));
    this.#last = { bytes, metadataLength, conversation };
  }

  /** The values of the legal update that the last frame has completed; undefined where it was none. */
  get update(): Float32Array | Float64Array | undefined {
    if (this.#last === undefined) return undefined;
    const { bytes, metadataLength, conversation } = this.#last;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const isLegal =
      bytes[0] === 0x4d &&
      bytes[1] === 0x53 &&
      bytes[2] === 1 &&
      (view.getUint16(4, true) & (unknownFlags | more)) === 0 &&
      isSealed(bytes, metadataLength) &&
      bytes[3] === updateKind &&
      conversation.hasSaidHello;
    return isLegal ? valuesIn(conversation, view.getUint32(20, true)) : undefined;
  }
}

function valuesIn(
  { metadata, pieces }: Conversation,
  total: number,
): Float32Array | Float64Array | undefined {
  let fields: unknown;
  try {
    fields = decode(metadata);
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields)) return undefined;
  const payload = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
  if (payload.length !== total) return undefined;
  const values =
    fields[1] === 0 && payload.length === 12
      ? new Float32Array(payload.buffer)
      : fields[1] === 1 && payload.length === 24
        ? new Float64Array(payload.buffer)
        : undefined;
  return values?.every((value) => Number.isFinite(value)) ? values : undefined;
}

/** CRC-32C of header and metadata, bit by bit. */
function isSealed(bytes: Bytes, metadataLength: number): boolean {
  let crc = -1;
  for (let at = 0; at < 32 + metadataLength; at++) {
    if (at >= 28 && at < 32) continue;
    crc ^= bytes[at] as number;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0 === new DataView(bytes.buffer, bytes.byteOffset).getUint32(28, true);
}
