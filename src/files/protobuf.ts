/** Wire types of https://protobuf.dev/programming-guides/encoding: how many bytes follow a tag. */
const wire = { varint: 0, lengthDelimited: 2, fixed32: 5 } as const;

const utf8 = new TextEncoder();

/** A protobuf message that is being written: fields by number. Large byte strings are kept as they are until `toBytes`. */
export class ProtobufMessage {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  /** A whole number from 0 to 2^53 − 1. */
  integer(field: number, value: number): this {
    this.#tag(field, wire.varint);
    return this.#push(varint(value));
  }

  /** A 32-bit floating-point number. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#tag(field, wire.fixed32);
    return this.#push(bytes);
  }

  bytes(field: number, bytes: Uint8Array): this {
    this.#tag(field, wire.lengthDelimited);
    return this.#push(varint(bytes.length)).#push(bytes);
  }

  text(field: number, text: string): this {
    return this.bytes(field, utf8.encode(text));
  }

  /** A message within the message, as it is now. */
  message(field: number, inner: ProtobufMessage): this {
    this.#tag(field, wire.lengthDelimited);
    this.#push(varint(inner.#length));
    for (const chunk of inner.#chunks) this.#push(chunk);
    return this;
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  #tag(field: number, wireType: number): void {
    this.#push(varint(field * 8 + wireType));
  }

  #push(chunk: Uint8Array): this {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    return this;
  }
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
