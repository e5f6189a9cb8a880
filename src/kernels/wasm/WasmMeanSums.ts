import type { Values } from '../../parameters/values.ts';
import type { MeanSums } from '../MergeKernels.ts';
import type { Block } from './arena.ts';
import { allocateBlock, sharedBlockBytesMax } from './arena.ts';
import type { WasmBuild } from './compile.ts';
import { blockLength, roundUp } from './Scratch.ts';

/** Bytes of a block that is kept for the next merge: fresh memory costs as much as the sums of a child. */
const spareBytesMax = 2 ** 26;

/** A list of one address and one weight. */
const listBytes = 64;

/** A block of this many bytes, free again. */
interface Spare {
  readonly block: Block;
  readonly bytes: number;
}

const spares = new Map<WasmBuild, Spare>();
/** Blocks of the shared memory come back when nobody has the sums any more, should a merge be given up. */
const abandoned = new FinalizationRegistry<Block>((block) => block.release());

/** Sums in the memory of the kernels, or undefined where it has no room. */
export function createWasmMeanSums(build: WasmBuild, length: number): MeanSums | undefined {
  // Eight more: a range may end anywhere, and its rest is worked on as eight.
  const padded = roundUp(length, 8) + 8;
  const bytes = listBytes + 8 * (2 * padded + Math.min(padded, blockLength));
  const spare = spares.get(build);
  if (spare?.bytes === bytes) {
    spares.delete(build);
    return new WasmMeanSums(build, spare.block, bytes, padded);
  }
  const block = allocateBlock(build, bytes);
  return block === undefined ? undefined : new WasmMeanSums(build, block, bytes, padded);
}

class WasmMeanSums implements MeanSums {
  readonly #build: WasmBuild;
  readonly #bytes: number;
  readonly #list: number;
  readonly #reference: number;
  readonly #sums: number;
  readonly #staging: number;
  #block: Block | undefined;
  #isSingle = true;

  constructor(build: WasmBuild, block: Block, bytes: number, padded: number) {
    this.#build = build;
    this.#block = block;
    this.#bytes = bytes;
    this.#list = block.address;
    this.#reference = this.#list + listBytes;
    this.#sums = this.#reference + 8 * padded;
    this.#staging = this.#sums + 8 * padded;
    abandoned.register(this, block, this);
  }

  setReference(values: Values, start: number, end: number): void {
    const { code, doubles, floats } = this.#memory();
    const [reference, sums] = [this.#reference >> 3, this.#sums >> 3];
    doubles.fill(0, sums + start, sums + end);
    if (values instanceof Float64Array) {
      doubles.set(values.subarray(start, end), reference + start);
      return;
    }
    for (let from = start; from < end; from += blockLength) {
      const to = Math.min(end, from + blockLength);
      const whole = to - ((to - from) % 8);
      floats.set(values.subarray(from, to), this.#staging >> 2);
      code.widen(this.#reference + 8 * from, this.#staging, whole - from);
      for (let i = whole; i < to; i++) doubles[reference + i] = values[i] as number;
    }
  }

  add(values: Values, weight: number, start: number, end: number): void {
    this.#isSingle = false;
    const { code, doubles, floats, integers } = this.#memory();
    const [list, staging] = [this.#list, this.#staging];
    integers[list >> 2] = staging;
    doubles[(list >> 3) + 1] = weight;
    for (let from = start; from < end; from += blockLength) {
      const to = Math.min(end, from + blockLength);
      const whole = to - ((to - from) % 8);
      const [sums, reference] = [this.#sums + 8 * from, this.#reference + 8 * from];
      if (values instanceof Float32Array) {
        floats.set(values.subarray(from, whole), staging >> 2);
        code.addDifferences32(list, list + 8, 1, sums, reference, 0, whole - from, 0);
      } else {
        doubles.set(values.subarray(from, whole), staging >> 3);
        code.addDifferences64(list, list + 8, 1, sums, reference, 0, whole - from, 0);
      }
      if (whole < to) this.#addRest(values, whole, to);
    }
  }

  /** Fewer than eight values: in the places of others the reference itself, which adds 0. */
  #addRest(values: Values, start: number, end: number): void {
    const { code, doubles } = this.#memory();
    const [at, reference] = [this.#staging >> 3, (this.#reference >> 3) + start];
    doubles.copyWithin(at, reference, reference + 8);
    for (let i = start; i < end; i++) doubles[at + i - start] = values[i] as number;
    const [sums, list] = [this.#sums + 8 * start, this.#list];
    code.addDifferences64(list, list + 8, 1, sums, this.#reference + 8 * start, 0, 8, 0);
  }

  finish(total: number, target: Float64Array<ArrayBuffer>, start: number, end: number): void {
    const memory = this.#memory();
    if (this.#isSingle) {
      target.set(memory.view(this.#reference + 8 * start, end - start, 'float64'), start);
      return;
    }
    for (let from = start; from < end; from += blockLength) {
      const to = Math.min(end, from + blockLength);
      const [sums, reference] = [this.#sums + 8 * from, this.#reference + 8 * from];
      memory.code.finishDifferences(this.#staging, sums, reference, total, roundUp(to - from, 2));
      target.set(memory.view(this.#staging, to - from, 'float64'), from);
    }
  }

  release(): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#block = undefined;
    abandoned.unregister(this);
    if (this.#bytes > sharedBlockBytesMax && this.#bytes <= spareBytesMax) {
      spares.set(this.#build, { block, bytes: this.#bytes });
    } else block.release();
  }

  #memory(): Block['memory'] {
    if (this.#block === undefined) throw new TypeError('the sums of this merge were given back');
    return this.#block.memory;
  }
}
