import type { DataType, Values } from '../parameters/values.ts';
import { createValues, dataTypeOf } from '../parameters/values.ts';
import { inSlices } from '../steps.ts';

/** The latest mains, as children have got them: what updates that started from one of them are compared with. */
export class MainHistory {
  readonly #mains = new Map<number, Values>();
  #size: number;

  /** Keeps so many mains. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Keeps so many from now on; the oldest go first. */
  resize(size: number): void {
    this.#size = size;
    for (const version of this.#mains.keys()) {
      if (this.#mains.size <= size) return;
      this.#mains.delete(version);
    }
  }

  /** Takes a copy of a main. */
  *remember(version: number, values: Float64Array, dtype: DataType): Generator<undefined, void> {
    const { length } = values;
    const oldest = this.#mains.keys().next().value;
    const isFull = this.#mains.size >= this.#size && oldest !== undefined;
    // The oldest one's memory is used again.
    const spare = isFull ? this.#mains.get(oldest) : undefined;
    if (isFull) this.#mains.delete(oldest);
    const isFit = spare?.length === length && dataTypeOf(spare) === dtype;
    const copy = isFit ? spare : createValues(dtype, length);
    yield* inSlices(length, (start, end) => copy.set(values.subarray(start, end), start));
    this.#mains.set(version, copy);
  }

  /** A main of before, unless it is too long ago. */
  find(version: number): Values | undefined {
    return this.#mains.get(version);
  }
}
