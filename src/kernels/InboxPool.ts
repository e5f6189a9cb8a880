import { inboxLimits } from '../limits.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { dataTypeOf } from '../parameters/values.ts';
import { selectedBuild } from './selection.ts';
import { PoolMeans } from './wasm/PoolMeans.ts';

/** The parameters of one child in the memory of the kernels. */
export interface InboxSlot {
  readonly dtype: DataType;
  /** Copies the values from `start` to before `end` into the same places of an ordinary array. */
  copyTo(target: Values, start: number, end: number): void;
  /** Gives the slot back. Nothing may be called after it. */
  release(): void;
}

/**
 * Slots in the memory of the kernels, each for the parameters of one child: they are copied in once, aligned and in
 * their own type, and merged from there as often as wanted. Nobody outside sees a view of them.
 */
export class InboxPool {
  readonly length: number;
  readonly #means: PoolMeans;
  readonly #addresses = new WeakMap<InboxSlot, { readonly address: number; readonly dtype: DataType }>();
  readonly #free: Readonly<Record<DataType, number[]>> = { float32: [], float64: [] };
  #used = 0;

  private constructor(length: number, means: PoolMeans) {
    this.length = length;
    this.#means = means;
  }

  /**
   * A pool for parameters of `length` values, or undefined where there is none: with the reference kernels, for
   * parameters that are small enough to be copied at each merge, or where the machine has no room.
   */
  static create(length: number, bytesMax: number = inboxLimits.bytesMax): InboxPool | undefined {
    const build = selectedBuild();
    if (build === undefined || length < inboxLimits.valuesMin) return undefined;
    const means = PoolMeans.create(build, length, bytesMax);
    return means === undefined ? undefined : new InboxPool(length, means);
  }

  /** Slots in use. */
  get size(): number {
    return this.#used;
  }

  /** Whether the kernels that are selected can work on it. */
  get isSelected(): boolean {
    return selectedBuild() === this.#means.build;
  }

  /** A slot with a copy of these values, as many as `length`; undefined where none is free. */
  put(values: Values): InboxSlot | undefined {
    const dtype = dataTypeOf(values);
    if (values.length !== this.length) return undefined;
    const address = this.#free[dtype].pop() ?? this.#means.allocate(dtype);
    if (address === undefined) return undefined;
    this.#means.write(address, values);
    this.#used++;
    const slot: InboxSlot = {
      dtype,
      copyTo: (target, start, end) => this.#means.read(this.#find(slot), target, start, end),
      release: () => this.#release(slot),
    };
    this.#addresses.set(slot, { address, dtype });
    return slot;
  }

  /** Whether a slot is of this pool, and in use. */
  has(slot: InboxSlot): boolean {
    return this.#addresses.has(slot);
  }

  /** The mean of MergeKernels over slots, into an ordinary array or a slot. */
  mean(
    slots: readonly InboxSlot[],
    weights: readonly number[],
    target: Values | InboxSlot,
    start: number,
    end: number,
  ): boolean {
    const places = slots.map((slot) => this.#find(slot));
    const result = 'copyTo' in target ? this.#find(target) : target;
    return this.#means.mean(places, weights, result, start, end);
  }

  /** Σ of all values of all slots, in floats: what reading them costs, to compare others with. */
  sum(slots: readonly InboxSlot[]): number {
    return this.#means.sum(slots.map((slot) => this.#find(slot).address));
  }

  #find(slot: InboxSlot): { readonly address: number; readonly dtype: DataType } {
    const place = this.#addresses.get(slot);
    if (place === undefined) throw new TypeError('the slot was given back, or is of another pool');
    return place;
  }

  #release(slot: InboxSlot): void {
    const place = this.#addresses.get(slot);
    if (place === undefined) return;
    this.#addresses.delete(slot);
    this.#used--;
    this.#free[place.dtype].push(place.address);
  }
}
