type Bytes = Uint8Array<ArrayBuffer>;

const freeBytesMaxDefault = 2 ** 23;

/**
 * Buffers that are used again. An array of 40 KB costs more to make, to fill with zeros and to collect than to copy. They
 * come in sizes of which none is more than a quarter larger than needed.
 */
export class BufferPool {
  readonly #free = new Map<number, ArrayBuffer[]>();
  #freeBytes = 0;
  /** Whoever gives something back that is not from here, or gives it twice, changes nothing. */
  readonly #lent = new WeakSet<ArrayBuffer>();
  readonly #freeBytesMax: number;

  /** Keeps so many bytes that nobody uses, 8 MiB unless given. */
  constructor(freeBytesMax: number = freeBytesMaxDefault) {
    this.#freeBytesMax = freeBytesMax;
  }

  /** So many bytes, at the beginning of a buffer; what is in them is left from before. */
  take(length: number): Bytes {
    const size = sizeFor(length);
    let buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) buffer = new ArrayBuffer(size);
    else this.#freeBytes -= size;
    this.#lent.add(buffer);
    return new Uint8Array(buffer, 0, length);
  }

  /** Takes back what nobody will read or write any more. */
  give({ buffer }: ArrayBufferView<ArrayBuffer>): void {
    if (!this.#lent.delete(buffer)) return;
    const size = buffer.byteLength;
    if (size > this.#freeBytesMax) return;
    if (this.#freeBytes + size > this.#freeBytesMax) {
      // Of sizes that are not asked for any more, perhaps.
      this.#free.clear();
      this.#freeBytes = 0;
    }
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
    this.#freeBytes += size;
  }
}

/** Four sizes from each power of two to the next. */
function sizeFor(length: number): number {
  const step = 2 ** Math.max(3, 29 - Math.clz32(length));
  return Math.ceil(length / step) * step;
}
