import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';

/**
 * How far a gradient may reach before a step: `{ norm }` scales it down to this Euclidean norm (Pascanu, Mikolov
 * and Bengio 2013, algorithm 1), `{ value }` cuts each number off at ±value.
 */
export type GradientClipping = { readonly norm: number } | { readonly value: number };

/** Throws InvalidOptionError unless the value is a legal `gradientClipping` option. */
export function checkClipping(value: unknown, name: string): void {
  const [entry, ...others] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [kind, limit] = entry ?? [];
  const isLegal = (kind === 'norm' || kind === 'value') && Number.isFinite(limit) && (limit as number) > 0;
  if (isLegal && others.length === 0) return;
  throw new InvalidOptionError(
    `${name} is ${show(value)}, expected { norm } or { value } with a finite number above 0`,
  );
}

/** Clips the gradient, which may lie in several pieces, in place. */
export function clipGradient(pieces: readonly Float64Array[], clipping: GradientClipping): void {
  if ('value' in clipping) {
    for (const piece of pieces) clipValues(piece, clipping.value);
    return;
  }
  const norm = normOf(pieces);
  if (!(norm > clipping.norm)) return;
  // Divided first: the share of a huge norm may be below the smallest number.
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++) piece[i] = ((piece[i] as number) / norm) * clipping.norm;
  }
}

function clipValues(gradient: Float64Array, value: number): void {
  for (let i = 0; i < gradient.length; i++) {
    gradient[i] = Math.max(-value, Math.min(value, gradient[i] as number));
  }
}

/** The norm of all pieces together, scaled by the largest number so that no square overflows. */
function normOf(pieces: readonly Float64Array[]): number {
  let largest = 0;
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++) largest = Math.max(largest, Math.abs(piece[i] as number));
  }
  if (largest === 0) return 0;
  let sum = 0;
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++) sum += ((piece[i] as number) / largest) ** 2;
  }
  return largest * Math.sqrt(sum);
}
