import type { Gradients } from '../parameters/Gradients.ts';
import { requireGradients } from '../parameters/Gradients.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';

/** What is added to a mean gradient before each step: proximal · (w − start) + correction. */
export interface GradientTerm {
  /** μ of FedProx; 0 where there is none. */
  readonly proximal: number;
  /** The parameters that the training started from. */
  readonly start: Values;
  /** Constant over the training. */
  readonly correction: Values | undefined;
}

/**
 * The term of a training that begins at these values; undefined where nothing is added. Throws LayoutMismatchError or
 * NonFiniteError for a correction that cannot be added.
 */
export function createGradientTerm(
  layout: ParameterLayout,
  values: Values,
  { proximal = 0, gradientCorrection }: { proximal?: number; gradientCorrection?: Gradients },
): GradientTerm | undefined {
  if (gradientCorrection !== undefined) {
    layout.assertFits(
      requireGradients(gradientCorrection).layout,
      'gradientCorrection',
      'the parameters of the model',
    );
    gradientCorrection.assertFinite('gradientCorrection');
  }
  if (proximal === 0 && gradientCorrection === undefined) return undefined;
  return { proximal, start: values.slice(), correction: gradientCorrection?.values };
}

/** The same for the values from `start` to before `end`. */
export function termOf(term: GradientTerm, start: number, end: number): GradientTerm {
  return {
    proximal: term.proximal,
    start: term.start.subarray(start, end),
    correction: term.correction?.subarray(start, end),
  };
}

/** gradient ← gradient + the term at these values. */
export function addTerm(gradient: Float64Array, values: Values, term: GradientTerm): void {
  const { proximal, start, correction } = term;
  if (proximal > 0) {
    for (let i = 0; i < gradient.length; i++) {
      const drift = (values[i] as number) - (start[i] as number);
      gradient[i] = (gradient[i] as number) + proximal * drift;
    }
  }
  if (correction === undefined) return;
  for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) + (correction[i] as number);
}
