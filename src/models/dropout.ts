import type { Values } from '../parameters/values.ts';
import type { Random } from '../random.ts';

/** The dropout of a training: the share of each layer's units that is left out, and where chance comes from. */
export interface Dropout {
  readonly shares: readonly number[];
  readonly random: Random;
}

/**
 * Draws which units a chunk of rows keeps: 0 with probability `share`, else 1/(1 − share), so that the mean of what
 * is kept is the whole (Srivastava et al. 2014, inverted so that predictions need no scaling).
 */
export function drawMask(mask: Values, count: number, share: number, random: Random): void {
  const kept = 1 / (1 - share);
  for (let i = 0; i < count; i++) mask[i] = random.next() < share ? 0 : kept;
}

/** target ← source ⊙ mask, for the first `count` numbers. */
export function applyMask(target: Values, source: Values, mask: Values, count: number): void {
  for (let i = 0; i < count; i++) target[i] = (source[i] as number) * (mask[i] as number);
}
