import type { Beliefs } from './beliefs.ts';
import { changeOfBeliefs } from './beliefs.ts';

/** A training ends when no mean moves by more than that many standard deviations. */
const tolerance = 1e-6;

/** Something that is inferred in iterations. */
interface Inference {
  posterior(): Beliefs;
  iterate(): void;
}

/**
 * Iterates until nothing changes, or so often. Returns the residual of each iteration: the largest change of a mean, in standard
 * deviations, or of the logarithm of a variance.
 */
export function settle({ posterior, iterate }: Inference, iterationsMax: number): number[] {
  const residuals: number[] = [];
  let before = posterior();
  while (residuals.length < iterationsMax) {
    iterate();
    const after = posterior();
    const residual = changeOfBeliefs(before, after);
    residuals.push(residual);
    if (residual < tolerance) break;
    before = after;
  }
  return residuals;
}
