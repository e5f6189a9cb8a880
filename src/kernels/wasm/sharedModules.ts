import type { WasmBuild } from './compile.ts';
import { bytesOfDigits } from './compile.ts';
import { KernelMemory } from './KernelMemory.ts';
import { plain, relaxed } from './sharedBinaries.ts';

/** What the module for shared memory exports: a thread's share of a pass, by the address of its record. */
export interface SharedKernelExports {
  runPass32(member: number): void;
  runPass64(member: number): void;
}

/** What a thread needs to work in a shared memory. It can be sent to other threads. */
export interface SharedKernels {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

const initialBytes = 2 ** 20;
/** Address space, not memory: some engines have less of it to give. */
const bytesMaxTries = [2 ** 31, 2 ** 30, 2 ** 28];

/**
 * A memory that threads can share, and the module that works in it. Throws what the engine throws where it has no
 * address space left.
 */
export function createSharedMemory(build: WasmBuild): { memory: KernelMemory; kernels: SharedKernels } {
  const module = new WebAssembly.Module(bytesOfDigits(build === 'simd' ? plain : relaxed));
  let failure: unknown;
  for (const bytesMax of bytesMaxTries) {
    try {
      const memory = new KernelMemory(build, initialBytes, bytesMax, module);
      return { memory, kernels: { module, memory: memory.memory } };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
