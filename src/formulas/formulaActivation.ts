import { InvalidOptionError } from '../errors.ts';
import type { Activation, Initialisation } from '../models/activations.ts';
import { checkOptions, expecting } from '../models/options.ts';
import { compileFormula } from './Formula.ts';

/** Options of formulaActivation. */
export interface FormulaActivationOptions {
  /** How weights in front of it start: `'he'`, `'glorot'` (unless given) or `'lecun'`. */
  initialisation?: Initialisation;
}

const initialisations: readonly unknown[] = ['he', 'glorot', 'lecun'];

/**
 * An activation of a layer from a formula in x, such as `'x * sigmoid(x)'`; its slope is the formula's derivative.
 * It works out float32 layers in float64. Throws FormulaError, and InvalidOptionError for a formula without x.
 */
export function formulaActivation(text: string, options: FormulaActivationOptions = {}): Activation {
  const { initialisation = 'glorot' } = checkOptions<FormulaActivationOptions>(options, {
    initialisation: expecting("'he', 'glorot' or 'lecun'", (value) => initialisations.includes(value)),
  });
  const formula = compileFormula(text, { variables: ['x'] });
  if (formula.variables.length === 0) {
    throw new InvalidOptionError(`the activation ${text} is the same for every x, expected a formula in x`);
  }
  const slope = formula.derivative('x');
  let slopes = new Float64Array(0);
  return {
    description: { formula: text },
    initialisation,
    needsInputs: true,
    forward(values, rows, columns) {
      const used = values.subarray(0, rows * columns);
      formula.evaluateAll({ x: used }, used);
    },
    backward(delta, _outputs, inputs, rows, columns) {
      const length = rows * columns;
      if (slopes.length < length) slopes = new Float64Array(length);
      const used = slopes.subarray(0, length);
      slope.evaluateAll({ x: inputs.subarray(0, length) }, used);
      for (let i = 0; i < length; i++) delta[i] = (delta[i] as number) * (used[i] as number);
    },
  };
}
