import { BufferPool } from './BufferPool.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of a slab, and the most that are cut out of one: what holds a piece holds all of it. */
const slabBytes = 16_384;
const pieceBytesMax = 4_096;

/**
 * Memory for what lives shortly and is made often: an array of bytes with memory of its own costs more to make and to
 * collect than a frame takes to fill. Small pieces are cut out of a slab, side by side; large ones can be given back.
 */
export class Slab {
  #bytes: Bytes = new Uint8Array(0);
  #at = 0;

  readonly #large = new BufferPool();

  /** So many bytes; what is in them may be left from before. */
  take(length: number): Bytes {
    if (length > pieceBytesMax) return this.#large.take(length);
    if (this.#at + length > this.#bytes.length) {
      this.#bytes = new Uint8Array(slabBytes);
      this.#at = 0;
    }
    const piece = new Uint8Array(this.#bytes.buffer, this.#at, length);
    this.#at += length;
    return piece;
  }

  /** A copy of these bytes. */
  copy(bytes: Bytes): Bytes {
    const piece = this.take(bytes.length);
    piece.set(bytes);
    return piece;
  }

  /** Takes back what nobody will read or write any more, where it is worth it. */
  give(bytes: Bytes): void {
    if (bytes.length > pieceBytesMax) this.#large.give(bytes);
  }
}

/** One behind the other, `length` bytes together: a copy, but where one slab has them so already. */
export function joinedBytes(parts: readonly Bytes[], length: number, memory: Slab): Bytes {
  const runs = runsOf(parts);
  return runs.length === 1 ? (runs[0] as Bytes) : fill(memory.take(length), runs);
}

/** Writes them one behind the other. */
export function fill(target: Bytes, parts: readonly Bytes[]): Bytes {
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
  return target;
}

/** Parts that lie side by side become one. */
function runsOf(parts: readonly Bytes[]): readonly Bytes[] {
  const runs: Bytes[] = [];
  for (let first = 0; first < parts.length; ) {
    const { buffer, byteOffset } = parts[first] as Bytes;
    let end = byteOffset;
    let next = first;
    for (let part = parts[next]; part?.buffer === buffer && part.byteOffset === end; part = parts[++next])
      end += part.length;
    runs.push(
      next === first + 1 ? (parts[first] as Bytes) : new Uint8Array(buffer, byteOffset, end - byteOffset),
    );
    first = next;
  }
  return runs;
}
