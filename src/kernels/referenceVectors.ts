import type { VectorKernels } from './VectorKernels.ts';

/** The kernels of sums in plain TypeScript: the same bits on every machine. */
export const referenceVectors: VectorKernels = {
  dot(x, y) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number);
    return sum;
  },

  squaredNorm(x) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (x[i] as number);
    return sum;
  },

  largestMagnitude(x) {
    let largest = 0;
    for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i] as number));
    return largest;
  },
};
