import { InvalidOptionError } from '../../errors.ts';
import type { Values } from '../../parameters/values.ts';
import type { WasmBuild } from './compile.ts';
import { moduleOf } from './compile.ts';
import type { KernelExports } from './KernelExports.ts';

const pageBytes = 65_536;
/** Blocks begin at cache lines, which is more than vectors ask for. */
const alignment = 64;
/** Room for the constants of the code. */
const ownBytes = 4_096;

/** A free stretch of memory. */
interface Gap {
  start: number;
  end: number;
}

/**
 * One WebAssembly memory with the code that works on it, and who has which part. Views of it never leave the room:
 * they end when it grows, and what is freed will hold another model's numbers.
 */
export class KernelMemory {
  readonly code: KernelExports;
  readonly #memory: WebAssembly.Memory;
  readonly #bytesMax: number;
  /** Sorted by place, never adjacent. */
  readonly #gaps: Gap[];
  readonly #sizes = new Map<number, number>();
  /** End of all that was ever handed out. */
  #mark = 0;
  #floats: Float32Array<ArrayBuffer>;
  #doubles: Float64Array<ArrayBuffer>;
  #integers: Int32Array<ArrayBuffer>;

  /** Grows from `bytes` to at most `bytesMax`. With a module for shared memory it is that of several threads. */
  constructor(build: WasmBuild, bytes: number, bytesMax: number, sharedModule?: WebAssembly.Module) {
    const initial = Math.max(1, Math.ceil((bytes + ownBytes) / pageBytes));
    const maximum = Math.max(initial, Math.ceil(bytesMax / pageBytes));
    this.#memory = new WebAssembly.Memory({ initial, maximum, shared: sharedModule !== undefined });
    this.#bytesMax = maximum * pageBytes;
    const module = sharedModule ?? moduleOf(build);
    if (module === undefined) throw new InvalidOptionError(`kernels ${build} cannot be compiled here`);
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.code = instance.exports as unknown as KernelExports;
    // Before it are constants of the code; and an address of 0 means "none".
    const start = Math.ceil(Math.max(alignment, this.code.heapBase()) / alignment) * alignment;
    this.#gaps = [{ start, end: initial * pageBytes }];
    // Shared or not, it is read and written alike, and no view leaves the room.
    const buffer = this.#memory.buffer as ArrayBuffer;
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#integers = new Int32Array(buffer);
  }

  /** The memory itself, for the threads that share it. */
  get memory(): WebAssembly.Memory {
    return this.#memory;
  }

  /** Bytes that are in use. */
  get usedBytes(): number {
    let used = 0;
    for (const size of this.#sizes.values()) used += size;
    return used;
  }

  /** Bytes that can be handed out in all, once it has grown. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  /**
   * The address of a block at a multiple of 64, whose first `zeroedBytes` are 0 and the others anything, or undefined
   * where there is no room.
   */
  allocate(bytes: number, zeroedBytes: number = bytes): number | undefined {
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    const gap = this.#gaps.find(({ start, end }) => end - start >= size) ?? this.#grow(size);
    if (gap === undefined) return undefined;
    const { start } = gap;
    gap.start += size;
    if (gap.start === gap.end) this.#gaps.splice(this.#gaps.indexOf(gap), 1);
    this.#sizes.set(start, size);
    // Beyond the mark nobody has written yet, and new memory is 0.
    const dirtyEnd = Math.min(start + zeroedBytes, this.#mark);
    if (dirtyEnd > start) this.#integers.fill(0, start >> 2, Math.ceil(dirtyEnd / 4));
    this.#mark = Math.max(this.#mark, start + size);
    return start;
  }

  /** Gives a block back. */
  free(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) return;
    this.#sizes.delete(address);
    this.#insert({ start: address, end: address + size });
  }

  /** `length` numbers from an address. Good until the next allocation. */
  view(address: number, length: number, dtype: 'float32'): Float32Array<ArrayBuffer>;
  view(address: number, length: number, dtype: 'float64'): Float64Array<ArrayBuffer>;
  view(address: number, length: number, dtype: 'float32' | 'float64'): Values;
  view(address: number, length: number, dtype: 'float32' | 'float64'): Values {
    if (dtype === 'float32') return this.#floats.subarray(address >> 2, (address >> 2) + length);
    return this.#doubles.subarray(address >> 3, (address >> 3) + length);
  }

  /** The whole memory as 32-bit integers. Good until the next allocation. */
  get integers(): Int32Array<ArrayBuffer> {
    return this.#integers;
  }

  /** The whole memory as floats. Good until the next allocation. */
  get floats(): Float32Array<ArrayBuffer> {
    return this.#floats;
  }

  /** The whole memory as doubles. Good until the next allocation. */
  get doubles(): Float64Array<ArrayBuffer> {
    return this.#doubles;
  }

  /** Makes room at the end, at least doubling, so that growing stays rare. */
  #grow(size: number): Gap | undefined {
    const bytes = this.#integers.byteLength;
    const last = this.#gaps[this.#gaps.length - 1];
    const missing = size - (last !== undefined && last.end === bytes ? last.end - last.start : 0);
    if (bytes + missing > this.#bytesMax) return undefined;
    const target = Math.min(this.#bytesMax, Math.max(2 * bytes, bytes + missing));
    if (!this.#growBy(target - bytes) && !this.#growBy(missing)) return undefined;
    const buffer = this.#memory.buffer as ArrayBuffer;
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#integers = new Int32Array(buffer);
    this.#insert({ start: bytes, end: buffer.byteLength });
    return this.#gaps.find(({ start, end }) => end - start >= size);
  }

  /** Whether the engine gave so many bytes more. */
  #growBy(bytes: number): boolean {
    try {
      this.#memory.grow(Math.ceil(bytes / pageBytes));
      return true;
    } catch {
      return false;
    }
  }

  #insert(gap: Gap): void {
    const place = this.#gaps.findIndex(({ start }) => start > gap.start);
    const index = place < 0 ? this.#gaps.length : place;
    this.#gaps.splice(index, 0, gap);
    const next = this.#gaps[index + 1];
    if (next !== undefined && next.start === gap.end) {
      gap.end = next.end;
      this.#gaps.splice(index + 1, 1);
    }
    const before = this.#gaps[index - 1];
    if (before !== undefined && before.end === gap.start) {
      before.end = gap.end;
      this.#gaps.splice(index, 1);
    }
  }
}
