import { CorruptFrameError, LimitExceededError, MalformedDataError } from '../errors.ts';
import { frameLimits } from '../limits.ts';
import { crc32c } from './crc32c.ts';
import { Slab } from './Slab.ts';

/** A frame: a part of a message, or all of it. */
export interface Frame {
  /** 0 … 255; what it means is for the protocol to say. */
  readonly kind: number;
  /** Sum of `frameFlags`. */
  readonly flags: number;
  /** 0 … 65,535: the conversation that it belongs to, of those that share a connection. */
  readonly channel: number;
  /** Counts the frames of one direction of a connection, from 0, modulo 2³². */
  readonly number: number;
  readonly metadata: Uint8Array<ArrayBuffer>;
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Bytes of the payload of the whole message. */
  readonly totalLength: number;
}

/**
 * Flags of a frame. A receiver refuses a frame with a flag below 256 that it does not know, and overlooks those
 * above.
 */
export const frameFlags: Readonly<{
  payloadChecksum: 1;
  /** More of the message comes, in frames that continue it. */
  hasMore: 2;
  /** Goes on with the message that the last frame of this channel left unfinished. */
  continues: 4;
}> = Object.freeze({ payloadChecksum: 1, hasMore: 2, continues: 4 });

/** What the sender of a frame says of it. */
export interface FrameHead {
  readonly kind: number;
  readonly flags: number;
  readonly channel: number;
  readonly number: number;
  readonly totalLength: number;
}

/** The bytes `MS`, as a little-endian number. */
const magic = 0x534d;
const version = 1;
const knownFlags = 7;
const criticalFlags = 255;
export const headerBytes = 32;
const alignment = 8;
/** Of frames: who has sent one, and nobody else has it, may give it back. */
export const frameMemory: Slab = new Slab();

/**
 * Bytes of a frame, see docs/protocol.md: a header of 32 bytes, metadata, zeros up to a multiple of 8, the payload.
 * The checksum in the header is of the header and the metadata, always; one of the payload is there with its flag.
 */
export function encodeFrame(
  head: FrameHead,
  metadata: Uint8Array,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  checkLengths(metadata.length, payload.length, head.totalLength);
  const start = payloadStart(metadata.length);
  const bytes = frameMemory.take(start + payload.length);
  bytes[0] = magic & 255;
  bytes[1] = magic >>> 8;
  bytes[2] = version;
  bytes[3] = head.kind;
  bytes[4] = head.flags;
  bytes[5] = head.flags >>> 8;
  bytes[6] = head.channel;
  bytes[7] = head.channel >>> 8;
  writeUint32(bytes, 8, head.number);
  writeUint32(bytes, 12, metadata.length);
  writeUint32(bytes, 16, payload.length);
  writeUint32(bytes, 20, head.totalLength);
  const hasChecksum = (head.flags & frameFlags.payloadChecksum) !== 0;
  writeUint32(bytes, 24, hasChecksum ? crc32c(payload) : 0);
  bytes.set(metadata, headerBytes);
  for (let at = headerBytes + metadata.length; at < start; at++) bytes[at] = 0;
  if (payload.length > 0) bytes.set(payload, start);
  writeUint32(bytes, 28, headChecksum(bytes, 0, metadata.length));
  return bytes;
}

/**
 * The frames in a message of a transport: one or more, one behind the other. Throws MalformedDataError or
 * LimitExceededError where they are not; then none of them counts.
 */
export function splitFrames(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const frames: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = start + frameLength(bytes, start);
    if (end > bytes.length)
      throw new MalformedDataError(`a frame of ${end - start} bytes in ${bytes.length - start}`);
    frames.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    start = end;
  }
  return frames;
}

/** Reads a frame that a stranger may have made. Its parts are views of `bytes`. */
export function decodeFrame(bytes: Uint8Array<ArrayBuffer>): Frame {
  const length = frameLength(bytes, 0);
  if (length !== bytes.length)
    throw new MalformedDataError(`frame of ${bytes.length} bytes announces ${length}`);
  const metadataLength = readUint32(bytes, 12);
  const start = payloadStart(metadataLength);
  if (readUint32(bytes, 28) !== headChecksum(bytes, 0, metadataLength))
    throw new CorruptFrameError('the checksum of a frame does not fit its header');
  const flags = readUint16(bytes, 4);
  if ((flags & criticalFlags & ~knownFlags) !== 0)
    throw new MalformedDataError(
      `a frame has flags ${flags & criticalFlags}, of which ${knownFlags} are known`,
    );
  if ((flags & frameFlags.payloadChecksum) !== 0 && readUint32(bytes, 24) !== crc32c(bytes, start))
    throw new CorruptFrameError('the checksum of a frame does not fit its payload');
  return {
    kind: bytes[3] as number,
    flags,
    channel: readUint16(bytes, 6),
    number: readUint32(bytes, 8),
    metadata: bytes.subarray(headerBytes, headerBytes + metadataLength),
    payload: bytes.subarray(start),
    totalLength: readUint32(bytes, 20),
  };
}

/** Bytes of the frame that begins at `start`, as its header says. */
function frameLength(bytes: Uint8Array, start: number): number {
  if (bytes.length - start < headerBytes)
    throw new MalformedDataError(
      `frame of ${bytes.length - start} bytes, its header alone has ${headerBytes}`,
    );
  if (readUint16(bytes, start) !== magic) throw new MalformedDataError('not a mainstem frame');
  if (bytes[start + 2] !== version)
    throw new MalformedDataError(`frame version ${bytes[start + 2]}, expected ${version}`);
  const metadataLength = readUint32(bytes, start + 12);
  const payloadLength = readUint32(bytes, start + 16);
  checkLengths(metadataLength, payloadLength, readUint32(bytes, start + 20));
  return payloadStart(metadataLength) + payloadLength;
}

function payloadStart(metadataLength: number): number {
  return Math.ceil((headerBytes + metadataLength) / alignment) * alignment;
}

function checkLengths(metadata: number, payload: number, total: number): void {
  const { metadataBytesMax, payloadBytesMax } = frameLimits;
  if (metadata > metadataBytesMax || total > payloadBytesMax) {
    throw new LimitExceededError(
      `frame with ${metadata} bytes of metadata and ${total} of payload; at most ${metadataBytesMax} and ${payloadBytesMax} are allowed`,
    );
  }
  if (payload > total) throw new MalformedDataError(`frame with ${payload} of ${total} bytes of payload`);
}

/** Of the header, but for the checksum itself, and of the metadata. */
function headChecksum(bytes: Uint8Array, start: number, metadataLength: number): number {
  const header = crc32c(bytes, start, start + 28);
  return crc32c(bytes, start + headerBytes, start + headerBytes + metadataLength, header);
}

function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (readUint16(bytes, at) | (readUint16(bytes, at + 2) << 16)) >>> 0;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
