import type { WasmBuild } from './compile.ts';
import { KernelMemory } from './KernelMemory.ts';

/** A block of a kernel's memory, to be given back. */
export interface Block {
  readonly memory: KernelMemory;
  readonly address: number;
  release(): void;
}

/** Blocks up to this size live together in few memories: an engine has room for some hundred, not for thousands. */
export const sharedBlockBytesMax: number = 2 ** 20;
const sharedBytes = 2 ** 20;
const sharedBytesMax = 2 ** 26;
/** Shared memories of a build, each begun when the others are full: half a gigabyte for thousands of open trainings. */
const sharedMemoriesMax = 8;
/** A block larger than this is refused; addresses stay below 2³¹, so that 32-bit shifts leave their sign alone. */
const blockBytesMax = 2 ** 31 - 2 ** 16;

const arenas = new Map<WasmBuild, KernelMemory[]>();

/** The memories in which small blocks live together. */
export function sharedMemories(build: WasmBuild): readonly KernelMemory[] {
  return arenas.get(build) ?? [];
}

/** The last large memory that was given back, for the next one to use unless the engine has taken it. */
const spares = new Map<WasmBuild, WeakRef<KernelMemory>>();

/**
 * A block whose first `zeroedBytes` are 0: a part of `shared`, or of a memory that all sessions share, or for a large one
 * a memory of its own, which goes when nobody refers to it any more. Undefined where there is no room: the caller does
 * without.
 */
export function allocateBlock(
  build: WasmBuild,
  bytes: number,
  zeroedBytes: number = bytes,
  shared?: KernelMemory,
): Block | undefined {
  if (bytes > blockBytesMax) return undefined;
  try {
    return bytes <= sharedBlockBytesMax
      ? allocateShared(build, bytes, zeroedBytes, shared)
      : allocateAlone(build, bytes, zeroedBytes);
  } catch {
    // Out of memory or of address space.
    return undefined;
  }
}

/**
 * Blocks of shared memories that nobody gave back: an iterator over a training that was neither finished nor told to
 * return. Whoever holds a block keeps it; where nobody does any more it comes back when the engine notices.
 */
const forgotten = new FinalizationRegistry<{ memory: KernelMemory; address: number }>(
  ({ memory, address }) => {
    memory.free(address);
  },
);

/** A part of a shared memory. */
class SharedBlock implements Block {
  readonly memory: KernelMemory;
  readonly address: number;

  constructor(memory: KernelMemory, address: number) {
    this.memory = memory;
    this.address = address;
    forgotten.register(this, { memory, address }, this);
  }

  /** Once: a second call must not free what has become another's. */
  release(): void {
    if (forgotten.unregister(this)) this.memory.free(this.address);
  }
}

function allocateShared(
  build: WasmBuild,
  bytes: number,
  zeroedBytes: number,
  given: KernelMemory | undefined,
): Block | undefined {
  if (given !== undefined) {
    const address = given.allocate(bytes, zeroedBytes);
    return address === undefined ? undefined : new SharedBlock(given, address);
  }
  const memories = arenas.get(build) ?? [];
  arenas.set(build, memories);
  for (const memory of memories) {
    const address = memory.allocate(bytes, zeroedBytes);
    if (address !== undefined) return new SharedBlock(memory, address);
  }
  if (memories.length >= sharedMemoriesMax) return undefined;
  const memory = new KernelMemory(build, sharedBytes, sharedBytesMax);
  memories.push(memory);
  const address = memory.allocate(bytes, zeroedBytes);
  return address === undefined ? undefined : new SharedBlock(memory, address);
}

function allocateAlone(build: WasmBuild, bytes: number, zeroedBytes: number): Block | undefined {
  const memory = takeSpare(build, bytes) ?? new KernelMemory(build, bytes + 64, bytes + 64);
  const address = memory.allocate(bytes, zeroedBytes);
  if (address === undefined) return undefined;
  let isHeld = true;
  const release = (): void => {
    if (!isHeld) return;
    isHeld = false;
    memory.free(address);
    spares.set(build, new WeakRef(memory));
  };
  return { memory, address, release };
}

/** A large memory that is free and not much larger than asked for. New memory costs a page fault every 4 kB. */
function takeSpare(build: WasmBuild, bytes: number): KernelMemory | undefined {
  const memory = spares.get(build)?.deref();
  if (memory === undefined || memory.bytesMax < bytes + 4_160 || memory.bytesMax > 4 * bytes)
    return undefined;
  spares.delete(build);
  return memory;
}
