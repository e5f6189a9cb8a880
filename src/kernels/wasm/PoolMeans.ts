import type { DataType, Values } from '../../parameters/values.ts';
import { dataTypeOf, findNonFinite } from '../../parameters/values.ts';
import { sumOf } from '../referenceMerging.ts';
import type { WasmBuild } from './compile.ts';
import { KernelMemory } from './KernelMemory.ts';
import { roundUp } from './Scratch.ts';

/** Where the values of a child lie. */
export interface Place {
  readonly address: number;
  readonly dtype: DataType;
}

/** Children that are read at once, each as a stream: as many as the prefetcher of a processor follows. */
const groupSize = 13;
/** Coordinates for which each stream runs on: long, since every start of a stream waits for memory. */
const streamLength = 131_072;
/** Coordinates of a block of differences, whose sums and reference stay in the cache. */
const blockLength = 32_768;
/** What lies between two slots, so that equal places of them do not compete for the same lines of a cache. */
const slotGapBytes = 16_576;

/** A memory of slots, and the means over them. */
export class PoolMeans {
  readonly build: WasmBuild;
  readonly #length: number;
  readonly #memory: KernelMemory;
  /** Addresses: a list, then sums, then results, both as long as a stream. */
  readonly #table: number;
  readonly #sums: number;
  readonly #result: number;

  private constructor(build: WasmBuild, length: number, memory: KernelMemory, address: number) {
    this.build = build;
    this.#length = length;
    this.#memory = memory;
    this.#table = address;
    this.#sums = address + 1_024;
    this.#result = this.#sums + 8 * streamLength;
  }

  /** Undefined where the machine has no room for it. It grows with its slots, to `bytesMax`. */
  static create(build: WasmBuild, length: number, bytesMax: number): PoolMeans | undefined {
    const bytes = 1_024 + 16 * streamLength;
    try {
      const memory = new KernelMemory(build, bytes, bytesMax);
      const address = memory.allocate(bytes);
      return address === undefined ? undefined : new PoolMeans(build, length, memory, address);
    } catch {
      // Out of memory or of address space.
      return undefined;
    }
  }

  /** Room for one more child. What fills the values up to a multiple of 16 is zero for good. */
  allocate(dtype: DataType): number | undefined {
    const bytes = roundUp(this.#length, 16) * (dtype === 'float32' ? 4 : 8);
    return this.#memory.allocate(bytes + slotGapBytes);
  }

  write(address: number, values: Values): void {
    if (values instanceof Float32Array) this.#memory.floats.set(values, address >> 2);
    else this.#memory.doubles.set(values, address >> 3);
  }

  read({ address, dtype }: Place, target: Values, start: number, end: number): void {
    const bytes = dtype === 'float32' ? 4 : 8;
    target.set(this.#memory.view(address + bytes * start, end - start, dtype), start);
  }

  mean(
    places: readonly Place[],
    weights: readonly number[],
    target: Values | Place,
    start: number,
    end: number,
  ): boolean {
    const [first] = places;
    if (first === undefined) return true;
    if (places.length === 1) return this.#copy(first, target, start, end);
    const dtype = isPlace(target) ? target.dtype : dataTypeOf(target);
    const areFloats = dtype === 'float32' && places.every((place) => place.dtype === 'float32');
    return areFloats
      ? this.#meanOfFloats(places, weights, target, start, end)
      : this.#meanOfAny(places, weights, target, start, end);
  }

  #copy(from: Place, target: Values | Place, start: number, end: number): boolean {
    const values = this.#memory.view(from.address, end, from.dtype);
    if (isPlace(target))
      this.#memory.view(target.address, end, target.dtype).set(values.subarray(start), start);
    else target.set(values.subarray(start), start);
    return findNonFinite(values, start, end) < 0;
  }

  sum(addresses: readonly number[]): number {
    const { code } = this.#memory;
    let sum = 0;
    for (const address of addresses) sum += code.sum32(address, roundUp(this.#length, 16));
    return sum;
  }

  /** See meanOfFloats in wasmMerging.ts. */
  #meanOfFloats(
    places: readonly Place[],
    weights: readonly number[],
    target: Values | Place,
    start: number,
    end: number,
  ): boolean {
    const { code, integers, doubles } = this.#memory;
    const total = sumOf(weights);
    const weightsAt = this.#table + 8 * groupSize;
    let odd = 0;
    for (let from = start; from < end; from += streamLength) {
      const length = Math.min(end - from, streamLength);
      const padded = roundUp(length, 8);
      // What a slot gets beyond the range are the means that belong there.
      const result = isPlace(target) ? target.address + 4 * from : this.#result;
      for (let first = 0; first < places.length; first += groupSize) {
        const count = Math.min(groupSize, places.length - first);
        for (let row = 0; row < count; row++) {
          integers[(this.#table >> 2) + row] = (places[first + row] as Place).address;
          doubles[(weightsAt >> 3) + row] = (weights[first + row] as number) / total;
        }
        const isFirst = first === 0 ? 1 : 0;
        const [table, sums] = [this.#table, this.#sums];
        if (first + count < places.length) {
          code.addProducts32(table, weightsAt, count, sums, 4 * from, padded, isFirst);
        } else odd |= code.finishProducts32(table, weightsAt, count, sums, 4 * from, padded, isFirst, result);
      }
      if (!isPlace(target)) target.set(this.#memory.view(result, length, 'float32'), from);
    }
    return odd === 0;
  }

  #meanOfAny(
    places: readonly Place[],
    weights: readonly number[],
    target: Values | Place,
    start: number,
    end: number,
  ): boolean {
    const { code } = this.#memory;
    const [first] = places as [Place];
    const total = sumOf(weights);
    const [sums, result] = [this.#sums, this.#result];
    // Sums and results have room for a stream, which is four blocks.
    const widened = sums + 8 * blockLength;
    const narrowed = result + 8 * blockLength;
    let odd = 0;
    for (let from = start; from < end; from += blockLength) {
      const length = Math.min(end - from, blockLength);
      const padded = roundUp(length, 8);
      const reference = first.dtype === 'float64' ? first.address + 8 * from : widened;
      if (first.dtype === 'float32') code.widen(reference, first.address + 4 * from, padded);
      this.#addDifferences(places, weights, reference, from, padded);
      odd |= code.finishDifferences(result, sums, reference, total, padded);
      const dtype = isPlace(target) ? target.dtype : dataTypeOf(target);
      if (dtype === 'float32') code.narrow(narrowed, result, padded);
      const merged = this.#memory.view(dtype === 'float32' ? narrowed : result, length, dtype);
      if (isPlace(target)) this.#memory.view(target.address, end, dtype).set(merged, from);
      else target.set(merged, from);
    }
    return odd === 0;
  }

  /** sums = Σ w (θ − reference), in groups of children of one type. */
  #addDifferences(
    places: readonly Place[],
    weights: readonly number[],
    reference: number,
    from: number,
    length: number,
  ): void {
    const { code, integers, doubles } = this.#memory;
    const table = this.#table;
    const weightsAt = table + 8 * groupSize;
    for (let first = 1; first < places.length; ) {
      const { dtype } = places[first] as Place;
      let count = 0;
      for (; count < groupSize && places[first + count]?.dtype === dtype; count++) {
        integers[(table >> 2) + count] = (places[first + count] as Place).address;
        doubles[(weightsAt >> 3) + count] = weights[first + count] as number;
      }
      const add = dtype === 'float32' ? code.addDifferences32 : code.addDifferences64;
      const offset = (dtype === 'float32' ? 4 : 8) * from;
      add(table, weightsAt, count, this.#sums, reference, offset, length, first === 1 ? 1 : 0);
      first += count;
    }
  }
}

function isPlace(target: Values | Place): target is Place {
  return 'address' in target;
}
