import type { Values } from '../../parameters/values.ts';
import { referenceVectors } from '../referenceVectors.ts';
import type { VectorKernels } from '../VectorKernels.ts';
import type { WasmBuild } from './compile.ts';
import { blockLength, Scratch } from './Scratch.ts';

/** Arrays of fewer values are added up sooner than they are copied. */
const smallestLength = 128;

const known = new Map<WasmBuild, VectorKernels>();

/** The kernels of sums in WebAssembly; ordinary arrays pass through it in blocks. */
export function wasmVectors(build: WasmBuild): VectorKernels {
  const made = known.get(build);
  if (made !== undefined) return made;
  const scratch = Scratch.in(build);
  if (scratch === undefined) return referenceVectors;
  const kernels = createWasmVectors(scratch);
  known.set(build, kernels);
  return kernels;
}

function createWasmVectors(scratch: Scratch): VectorKernels {
  const { code } = scratch.memory;
  const { sums: first, reference: second } = scratch;
  return {
    dot(x, y) {
      if (x.length < smallestLength) return referenceVectors.dot(x, y);
      let sum = 0;
      const areFloats = x instanceof Float32Array && y instanceof Float32Array;
      for (let from = 0; from < x.length; from += blockLength) {
        const to = Math.min(x.length, from + blockLength);
        if (areFloats) {
          scratch.putFloats(x, from, to, first);
          sum += code.dot32(first, second, scratch.putFloats(y, from, to, second));
        } else {
          scratch.putDoubles(x, from, to, first);
          sum += code.dot64(first, second, scratch.putDoubles(y, from, to, second));
        }
      }
      return sum;
    },

    squaredNorm(x) {
      if (x.length < smallestLength) return referenceVectors.squaredNorm(x);
      let sum = 0;
      forEachBlock(scratch, x, (length, bytes) => {
        sum += bytes === 4 ? code.dot32(first, first, length) : code.dot64(first, first, length);
      });
      return sum;
    },

    largestMagnitude(x) {
      if (x.length < smallestLength) return referenceVectors.largestMagnitude(x);
      let largest = 0;
      forEachBlock(scratch, x, (length, bytes) => {
        largest = Math.max(
          largest,
          bytes === 4 ? code.largest32(first, length) : code.largest64(first, length),
        );
      });
      return largest;
    },
  };
}

/** Copies one block after the other to where the sums of means are, in its own type. */
function forEachBlock(scratch: Scratch, x: Values, work: (length: number, bytes: 4 | 8) => void): void {
  for (let from = 0; from < x.length; from += blockLength) {
    const to = Math.min(x.length, from + blockLength);
    if (x instanceof Float32Array) work(scratch.putFloats(x, from, to, scratch.sums), 4);
    else work(scratch.putDoubles(x, from, to, scratch.sums), 8);
  }
}
