import type { Values } from '../parameters/values.ts';
import { referenceVectors } from './referenceVectors.ts';
import { selectedBuild } from './selection.ts';
import { wasmVectors } from './wasm/wasmVectors.ts';

/** Sums over the values of one or two arrays of one length, in float64 whatever they hold. */
export interface VectorKernels {
  /** Σ x y. */
  dot(x: Values, y: Values): number;
  /** Σ x²; may overflow, and lose what is small, where the norm does not. */
  squaredNorm(x: Values): number;
  /** The largest |x|, 0 of no values, NaN where there is one. */
  largestMagnitude(x: Values): number;
}

/** The kernels that are selected. */
export function vectorKernels(): VectorKernels {
  const build = selectedBuild();
  return build === undefined ? referenceVectors : wasmVectors(build);
}

// Squares of numbers outside of these add up to nothing that has all digits.
const smallestSquaredNorm = 1e-280;

/** √ Σ x² without overflow or underflow: where the squares leave the range, the values are scaled first. */
export function norm(x: Values): number {
  const kernels = vectorKernels();
  const squared = kernels.squaredNorm(x);
  if (squared > smallestSquaredNorm && Number.isFinite(squared)) return Math.sqrt(squared);
  const largest = kernels.largestMagnitude(x);
  if (!(largest > 0 && Number.isFinite(largest))) return largest;
  const scaled = Float64Array.from(x, (value) => value / largest);
  return largest * Math.sqrt(kernels.squaredNorm(scaled));
}
