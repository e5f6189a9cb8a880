type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of a slab, and the most that are cut out of one: what holds a piece holds all of it. */
const slabBytes = 16_384;
const pieceBytesMax = 4_096;

/**
 * Memory for what is small, lives shortly and is made often: an array of bytes with memory of its own costs more to make
 * and to collect than a frame of a kilobyte takes to fill. Pieces that follow each other lie side by side.
 */
export class Slab {
  #bytes: Bytes = new Uint8Array(0);
  #at = 0;

  /** Zeros, which nobody else has had. */
  allocate(length: number): Bytes {
    if (length > pieceBytesMax) return new Uint8Array(length);
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
    // Unlike an array of its own it is not filled with zeros first.
    if (bytes.length > pieceBytesMax) return bytes.slice();
    const piece = this.allocate(bytes.length);
    piece.set(bytes);
    return piece;
  }
}

/** One behind the other, `length` bytes together: a copy, but where one slab has them so already. */
export function joinedBytes(parts: readonly Bytes[], length: number): Bytes {
  const runs = runsOf(parts);
  if (runs.length === 1) return runs[0] as Bytes;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const run of runs) {
    whole.set(run, at);
    at += run.length;
  }
  return whole;
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
