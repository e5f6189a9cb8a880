/** Something that may stand in one row. */
export interface Standing<T> {
  /** Behind it in the row; for the row alone. */
  next: T | undefined;
}

/**
 * First come, first served, without memory of its own: ten thousand rows of which most are empty, and arrays that are
 * emptied keep what they had.
 */
export class Row<T extends Standing<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#first;
  }

  /** To the end; it must not stand in a row already. */
  push(one: T): void {
    if (this.#last === undefined) this.#first = one;
    else this.#last.next = one;
    this.#last = one;
    this.#length++;
  }

  /** The first leaves. */
  shift(): T | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    this.#first = first.next;
    if (this.#first === undefined) this.#last = undefined;
    first.next = undefined;
    this.#length--;
    return first;
  }

  clear(): void {
    while (this.#first !== undefined) this.shift();
  }
}
