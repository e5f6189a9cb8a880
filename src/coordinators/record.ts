import { LimitExceededError, MalformedDataError } from '../errors.ts';
import { frameLimits } from '../limits.ts';

/** A record of the store: its kind, a little metadata, and raw bytes. */
export interface StoredRecord {
  /** 0 … 255. */
  readonly kind: number;
  readonly metadata: unknown;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** `MS` and the version of the layout. */
const magic = 0x534d;
const version = 1;
const headerBytes = 12;
const alignment = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Bytes of a record: u16 magic, u8 version, u8 kind, u32 metadata length, u32 payload length (little endian), the
 * metadata as JSON in UTF-8, zeros up to a multiple of 8, the payload. The padding keeps a payload of float64
 * aligned.
 */
export function encodeRecord(
  kind: number,
  metadata: unknown,
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  return encodeRecordText(kind, JSON.stringify(metadata), payload);
}

/** The same of metadata that is JSON already. */
export function encodeRecordText(kind: number, json: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = encoder.encode(json);
  checkLengths(text.length, payload.length);
  const start = payloadStart(text.length);
  const bytes = new Uint8Array(start + payload.length);
  const header = new DataView(bytes.buffer);
  header.setUint16(0, magic, true);
  header.setUint8(2, version);
  header.setUint8(3, kind);
  header.setUint32(4, text.length, true);
  header.setUint32(8, payload.length, true);
  bytes.set(text, headerBytes);
  bytes.set(payload, start);
  return bytes;
}

/** Reads a record. The payload is a view of `bytes`. Throws MalformedDataError or LimitExceededError. */
export function decodeRecord(bytes: Uint8Array<ArrayBuffer>): StoredRecord {
  if (bytes.length < headerBytes)
    throw new MalformedDataError(`record of ${bytes.length} bytes, its header alone has ${headerBytes}`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (header.getUint16(0, true) !== magic) throw new MalformedDataError('not a record of mainstem');
  if (header.getUint8(2) !== version) {
    throw new MalformedDataError(`record version ${header.getUint8(2)}, expected ${version}`);
  }
  const metadataLength = header.getUint32(4, true);
  const payloadLength = header.getUint32(8, true);
  checkLengths(metadataLength, payloadLength);
  const start = payloadStart(metadataLength);
  if (start + payloadLength !== bytes.length) {
    throw new MalformedDataError(`record of ${bytes.length} bytes announces ${start + payloadLength}`);
  }
  return {
    kind: header.getUint8(3),
    metadata: parse(bytes.subarray(headerBytes, headerBytes + metadataLength)),
    payload: bytes.subarray(start),
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new MalformedDataError('the metadata of a record is not JSON', { cause });
  }
}

function payloadStart(metadataLength: number): number {
  return Math.ceil((headerBytes + metadataLength) / alignment) * alignment;
}

function checkLengths(metadata: number, payload: number): void {
  if (metadata > frameLimits.metadataBytesMax || payload > frameLimits.payloadBytesMax) {
    throw new LimitExceededError(
      `record with ${metadata} bytes of metadata and ${payload} of payload; at most ${frameLimits.metadataBytesMax} and ${frameLimits.payloadBytesMax} are allowed`,
    );
  }
}
