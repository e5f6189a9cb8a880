import { MalformedDataError } from '../errors.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A varint of a whole number below 2³² has so many bytes at most. */
const varintBytesMax = 5;

/** Bytes that are written one behind the other; they grow as needed. Numbers are little endian. */
export class ByteWriter {
  #bytes: Bytes;
  #view: DataView;
  #length = 0;

  constructor(expected = 64) {
    this.#bytes = new Uint8Array(expected);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#bytes[this.#grow(1)] = value;
  }

  /** A whole number below 2³², seven bits in a byte, the lowest first. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest & 127) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  float32(value: number): void {
    const at = this.#grow(4);
    this.#view.setFloat32(at, value, true);
  }

  /** Room for so many bytes, all 0, to be filled before anything else is written. */
  room(count: number): Bytes {
    const at = this.#grow(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** What has been written: a view. */
  finish(): Bytes {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Reads what a stranger may have sent. Every method throws MalformedDataError where the bytes end too soon. */
export class ByteReader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes that have not been read yet. */
  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  varint(): number {
    let value = 0;
    for (let place = 0; place < varintBytesMax; place++) {
      const byte = this.byte();
      value += (byte & 127) * 128 ** place;
      if (byte < 128 && value < 2 ** 32) return value;
      if (byte < 128) break;
    }
    throw new MalformedDataError('a number in a packed payload has 2³² or more, expected less');
  }

  float32(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  /** The next bytes: a view. */
  bytes(count: number): Bytes {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.rest) {
      throw new MalformedDataError(
        `a packed payload ends ${count - this.rest} bytes too soon (it has ${this.#bytes.length})`,
      );
    }
    this.#at += count;
    return at;
  }
}
