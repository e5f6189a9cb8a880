import type { WasmBuild } from '../kernels/wasm/compile.ts';
import type { SharedKernels } from '../kernels/wasm/sharedModules.ts';

/** What a thread is told. */
export type ThreadRequest =
  /** The memory, with its code, that later passes of this build are in. */
  | { readonly kind: 'kernels'; readonly build: WasmBuild; readonly kernels: SharedKernels }
  /** A share of a pass: the address of the thread's record. */
  | {
      readonly kind: 'pass';
      readonly pass: number;
      readonly build: WasmBuild;
      readonly dtype: 'float32' | 'float64';
      readonly member: number;
    };

/** What a thread answers. */
export type ThreadAnswer = { readonly kind: 'ready' } | { readonly kind: 'ended'; readonly pass: number };
