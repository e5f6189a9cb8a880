import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';
import type { WasmBuild } from './wasm/compile.ts';
import { bestBuild, moduleOf } from './wasm/compile.ts';

/**
 * The kernels that there are: `reference`, plain TypeScript, has the same bits on every machine; `simd` is
 * WebAssembly with 128-bit vectors; `relaxedSimd` the same with fused multiply-add, where the engine has it.
 */
export type KernelName = 'reference' | WasmBuild;

const names: readonly KernelName[] = ['reference', 'simd', 'relaxedSimd'];

let selected: KernelName | undefined;

/** The kernels of this thread. A change holds for what begins after it. */
export const kernels: {
  readonly name: KernelName;
  readonly available: readonly KernelName[];
  select(name: KernelName): void;
} = {
  /** The kernels in use: the fastest that this engine takes, unless others were selected. */
  get name(): KernelName {
    return selected ?? fastest();
  },
  /** What this engine takes, the fastest last. */
  get available(): readonly KernelName[] {
    return names.slice(0, names.indexOf(fastest()) + 1);
  },
  /** Throws InvalidOptionError for a name that this engine does not take. */
  select(name) {
    const { available } = kernels;
    if (!available.includes(name)) {
      throw new InvalidOptionError(`kernels are ${show(name)}, expected one of ${available.join(', ')} here`);
    }
    selected = name;
  },
};

/** Compiles the better build where that has not been done: only then it is known to work. */
function fastest(): KernelName {
  if (compiled !== undefined) return compiled;
  best ??= bestBuild();
  if (best !== undefined && moduleOf(best) !== undefined) compiled = best;
  return compiled ?? 'reference';
}

let best: WasmBuild | undefined;
/** The better build, once it is compiled: each prediction asks. */
let compiled: WasmBuild | undefined;

/** The WebAssembly build in use, or undefined where it is the reference. */
export function selectedBuild(): WasmBuild | undefined {
  const name = selected ?? fastest();
  return name === 'reference' ? undefined : name;
}
