import { crc32c } from '../../../src/transport/crc32c.ts';
import { decodeFrame } from '../../../src/transport/frame.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** A frame before it has bytes: anything may be wrong with it. */
export interface Draft {
  kind: number;
  flags: number;
  channel: number;
  /** The next one, unless given. */
  number: number | undefined;
  metadata: Bytes;
  payload: Bytes;
  totalLength: number;
}

/** Reads a frame that is legal. */
export function draftOf(bytes: Bytes): Draft {
  const { metadata, payload, ...head } = decodeFrame(bytes);
  return { ...head, number: undefined, metadata: metadata.slice(), payload: payload.slice() };
}

/** Writes a frame as it is, with checksums that fit. */
export function writeDraft(draft: Draft, next: number): Bytes {
  const { kind, flags, channel, number = next, metadata, payload, totalLength } = draft;
  const start = Math.ceil((32 + metadata.length) / 8) * 8;
  const bytes = new Uint8Array(start + payload.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  bytes.set([0x4d, 0x53, 1, kind]);
  view.setUint16(4, flags, true);
  view.setUint16(6, channel, true);
  view.setUint32(8, number, true);
  view.setUint32(12, metadata.length, true);
  view.setUint32(16, payload.length, true);
  view.setUint32(20, totalLength, true);
  if ((flags & 1) !== 0) view.setUint32(24, crc32c(payload), true);
  bytes.set(metadata, 32);
  bytes.set(payload, start);
  seal(bytes);
  return bytes;
}

/** Makes the checksum of the header fit again, as far as there is one. */
export function seal(bytes: Bytes): void {
  if (bytes.length < 32) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = Math.min(bytes.length, 32 + view.getUint32(12, true));
  view.setUint32(28, crc32c(bytes, 32, end, crc32c(bytes, 0, 28)), true);
}

/** A message in pieces of so many bytes. */
export function inPieces(draft: Draft, bytes: number): Draft[] {
  const { payload } = draft;
  const pieces: Draft[] = [];
  for (let start = 0; start < payload.length; start += bytes) {
    const isLast = start + bytes >= payload.length;
    pieces.push({
      ...draft,
      flags: (draft.flags & 1) | (start > 0 ? 4 : 0) | (isLast ? 0 : 2),
      metadata: start > 0 ? new Uint8Array(0) : draft.metadata,
      payload: payload.slice(start, start + bytes),
    });
  }
  return pieces;
}
