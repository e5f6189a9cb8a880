import type { HalfFloatKernels } from '../HalfFloatKernels.ts';
import { referenceHalfFloats } from '../referenceHalfFloats.ts';
import type { WasmBuild } from './compile.ts';
import { blockLength, roundUp, Scratch } from './Scratch.ts';

/** Fewer values are converted sooner than they are copied. */
const smallestLength = 64;

const known = new Map<WasmBuild, HalfFloatKernels>();

/** 16-bit floats in WebAssembly; ordinary arrays pass through it in blocks. */
export function wasmHalfFloats(build: WasmBuild): HalfFloatKernels {
  const made = known.get(build);
  if (made !== undefined) return made;
  const scratch = Scratch.in(build);
  if (scratch === undefined) return referenceHalfFloats;
  const { code } = scratch.memory;
  const kernels: HalfFloatKernels = {
    encodeFloat16(values, codes) {
      if (values.length < smallestLength) referenceHalfFloats.encodeFloat16(values, codes);
      else encode(scratch, code.encodeFloat16, values, codes);
    },
    decodeFloat16(codes, values) {
      if (values.length < smallestLength) referenceHalfFloats.decodeFloat16(codes, values);
      else decode(scratch, code.decodeFloat16, codes, values);
    },
    encodeBfloat16(values, codes) {
      if (values.length < smallestLength) referenceHalfFloats.encodeBfloat16(values, codes);
      else encode(scratch, code.encodeBfloat16, values, codes);
    },
    decodeBfloat16(codes, values) {
      if (values.length < smallestLength) referenceHalfFloats.decodeBfloat16(codes, values);
      else decode(scratch, code.decodeBfloat16, codes, values);
    },
  };
  known.set(build, kernels);
  return kernels;
}

type Convert = (target: number, source: number, n: number) => void;

function encode(scratch: Scratch, convert: Convert, values: Float32Array, codes: Uint16Array): void {
  const { memory, sums: source, reference: target } = scratch;
  for (let from = 0; from < values.length; from += blockLength) {
    const to = Math.min(values.length, from + blockLength);
    convert(target, source, scratch.putFloats(values, from, to, source));
    codes.set(new Uint16Array(memory.integers.buffer, target, to - from), from);
  }
}

function decode(scratch: Scratch, convert: Convert, codes: Uint16Array, values: Float32Array): void {
  const { memory, sums: source, reference: target } = scratch;
  for (let from = 0; from < values.length; from += blockLength) {
    const to = Math.min(values.length, from + blockLength);
    new Uint16Array(memory.integers.buffer, source, to - from).set(codes.subarray(from, to));
    convert(target, source, roundUp(to - from, 8));
    values.set(memory.view(target, to - from, 'float32'), from);
  }
}
