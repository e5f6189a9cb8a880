const alignment = 64;

/** Places in a block that is not there yet: what goes where, and how large all of it is. */
export class Reservation {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** The offset of so many bytes in the block, at a cache line. */
  add(bytes: number): number {
    const at = this.#bytes;
    this.#bytes += Math.ceil(bytes / alignment) * alignment;
    return at;
  }
}
