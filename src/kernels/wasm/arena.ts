import type { WasmBuild } from './compile.ts';
import { KernelMemory } from './KernelMemory.ts';

/** A block of a kernel's memory, to be given back. */
export interface Block {
  readonly memory: KernelMemory;
  readonly address: number;
  release(): void;
}

/** Blocks up to this size live together in one memory: an engine has room for some hundred memories, not thousands. */
export const sharedBlockBytesMax: number = 2 ** 20;
const sharedBytes = 2 ** 20;
const sharedBytesMax = 2 ** 26;
/** A block larger than this is refused. */
const blockBytesMax = 2 ** 31;

const arenas = new Map<WasmBuild, KernelMemory>();

/** The memory in which small blocks live together. */
export function sharedMemory(build: WasmBuild): KernelMemory {
  const known = arenas.get(build);
  if (known !== undefined) return known;
  const memory = new KernelMemory(build, sharedBytes, sharedBytesMax);
  arenas.set(build, memory);
  return memory;
}

/** The last large memory that was given back, for the next one to use unless the engine has taken it. */
const spares = new Map<WasmBuild, WeakRef<KernelMemory>>();

/**
 * A block whose first `zeroedBytes` are 0: a part of a shared memory, that of the sessions unless given, or for a large
 * one a memory of its own, which goes when nobody refers to it any more. Undefined where there is no room: the caller
 * does without.
 */
export function allocateBlock(
  build: WasmBuild,
  bytes: number,
  zeroedBytes: number = bytes,
  shared?: KernelMemory,
): Block | undefined {
  if (bytes <= sharedBlockBytesMax) {
    const memory = shared ?? sharedMemory(build);
    const address = memory.allocate(bytes, zeroedBytes);
    return address === undefined ? undefined : { memory, address, release: () => memory.free(address) };
  }
  if (bytes > blockBytesMax) return undefined;
  try {
    const memory = takeSpare(build, bytes) ?? new KernelMemory(build, bytes + 64, bytes + 64);
    const address = memory.allocate(bytes, zeroedBytes);
    if (address === undefined) return undefined;
    const release = (): void => {
      memory.free(address);
      spares.set(build, new WeakRef(memory));
    };
    return { memory, address, release };
  } catch {
    // Out of memory or of address space.
    return undefined;
  }
}

/** A large memory that is free and not much larger than asked for. New memory costs a page fault every 4 kB. */
function takeSpare(build: WasmBuild, bytes: number): KernelMemory | undefined {
  const memory = spares.get(build)?.deref();
  if (memory === undefined || memory.bytesMax < bytes + 4_160 || memory.bytesMax > 4 * bytes)
    return undefined;
  spares.delete(build);
  return memory;
}
