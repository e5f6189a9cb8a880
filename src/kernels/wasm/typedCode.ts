import type { DataType } from '../../parameters/values.ts';
import type { KernelExports } from './KernelExports.ts';
import type { KernelMemory } from './KernelMemory.ts';

type Names = keyof KernelExports;
type Stem<N extends string> = N extends `${infer S}32` ? S : never;

/** The kernels for numbers of one type: `accumulate` is accumulate32 or accumulate64. */
export type TypedCode = { readonly [S in Stem<Names>]: KernelExports[`${S}32` & Names] };

const known = new WeakMap<KernelMemory, Map<DataType, TypedCode>>();

/** The kernels of a memory for one type of number. */
export function typedCode(memory: KernelMemory, dtype: DataType): TypedCode {
  const codes = known.get(memory) ?? new Map<DataType, TypedCode>();
  known.set(memory, codes);
  const found = codes.get(dtype);
  if (found !== undefined) return found;
  const bits = dtype === 'float32' ? '32' : '64';
  const entries = Object.entries(memory.code)
    .filter(([name]) => name.endsWith(bits))
    .map(([name, kernel]) => [name.slice(0, -2), kernel]);
  const code = Object.fromEntries(entries) as TypedCode;
  codes.set(dtype, code);
  return code;
}
