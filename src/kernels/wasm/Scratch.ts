import type { Values } from '../../parameters/values.ts';
import type { Block } from './arena.ts';
import { allocateBlock } from './arena.ts';
import type { WasmBuild } from './compile.ts';
import type { KernelMemory } from './KernelMemory.ts';

/** Coordinates of a block that passes through the scratch. */
export const blockLength = 16_384;
/** Children of which a block is there at once: with their sums, what a cache of a processor keeps. */
export const groupSize = 8;

const blockBytes = 8 * blockLength;
/** 512 children have comparators of 77,816 bytes. */
const tableBytes = 81_920;
/** Rows begin at different places of the cache: at a distance of a power of two they would push each other out. */
export const rowStride: number = 4 * blockLength + 192;
export const rowsBytes: number = groupSize * rowStride;

/** A fixed part of the shared memory through which blocks of ordinary arrays pass. Nothing in it outlives a call. */
export class Scratch {
  readonly memory: KernelMemory;
  /** Addresses: lists of 80 KiB, three blocks of doubles, and rows. */
  readonly table: number;
  readonly sums: number;
  readonly reference: number;
  readonly result: number;
  readonly rows: number;

  /** Kept, since a block comes back when nobody refers to it any more. */
  readonly #block: Block;

  private constructor(block: Block) {
    this.#block = block;
    this.memory = this.#block.memory;
    const { address } = block;
    this.table = address;
    this.sums = address + tableBytes;
    this.reference = this.sums + blockBytes;
    this.result = this.reference + blockBytes;
    this.rows = this.result + blockBytes;
  }

  /** Undefined where the shared memory has no room. */
  static in(build: WasmBuild): Scratch | undefined {
    const known = scratches.get(build);
    if (known !== undefined) return known;
    const block = allocateBlock(build, tableBytes + 3 * blockBytes + rowsBytes);
    if (block === undefined) return undefined;
    const scratch = new Scratch(block);
    scratches.set(build, scratch);
    return scratch;
  }

  /** Copies floats in and fills up with zeros to a multiple of `multiple`. Returns how many there are with them. */
  putFloats(values: Float32Array, start: number, end: number, address: number, multiple = 8): number {
    const { floats } = this.memory;
    const at = address >> 2;
    floats.set(start === 0 && end === values.length ? values : values.subarray(start, end), at);
    const length = roundUp(end - start, multiple);
    if (length > end - start) floats.fill(0, at + end - start, at + length);
    return length;
  }

  /** The same as doubles, whatever they were. Floats pass through the block for results. */
  putDoubles(values: Values, start: number, end: number, address: number, multiple = 8): number {
    const { memory } = this;
    const length = roundUp(end - start, multiple);
    if (values instanceof Float32Array) {
      this.putFloats(values, start, end, this.result, multiple);
      memory.code.widen(address, this.result, length);
      return length;
    }
    const at = address >> 3;
    memory.doubles.set(start === 0 && end === values.length ? values : values.subarray(start, end), at);
    if (length > end - start) memory.doubles.fill(0, at + end - start, at + length);
    return length;
  }

  /** Copies doubles out, rounded where `target` has floats, by way of the rows. */
  takeDoubles(address: number, target: Values, start: number, end: number): void {
    const length = end - start;
    if (target instanceof Float64Array) {
      target.set(this.memory.view(address, length, 'float64'), start);
      return;
    }
    this.memory.code.narrow(this.rows, address, roundUp(length, 8));
    target.set(this.memory.view(this.rows, length, 'float32'), start);
  }
}

const scratches = new Map<WasmBuild, Scratch>();

/** The next multiple. */
export function roundUp(length: number, multiple: number): number {
  return Math.ceil(length / multiple) * multiple;
}
