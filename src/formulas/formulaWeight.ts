import { InvalidWeightError } from '../errors.ts';
import type { MergeChild } from '../mergers/Merger.ts';
import { compileFormula } from './Formula.ts';

/**
 * A child's weight in a merge, for the `weights` of ModelParametersMerger, from a formula such as
 * `'samples / sqrt(1 + staleness)'`. Its variables: samples, the rows that the child trained on; staleness, the
 * versions of main that have passed since it started, 0 where it does not say; index, its place among the children.
 * Throws FormulaError; the weight throws InvalidWeightError where the formula needs samples that the child does not
 * tell, or gives a weight that is not finite or below 0.
 */
export function formulaWeight(text: string): (child: MergeChild) => number {
  const formula = compileFormula(text, { variables: ['samples', 'staleness', 'index'] });
  const needsSamples = formula.variables.includes('samples');
  return ({ id, index, sampleCount, staleness = 0 }) => {
    if (needsSamples && sampleCount === undefined) {
      throw new InvalidWeightError(`the weight ${text} needs samples, but ${id} has no sampleCount`);
    }
    const weight = formula.evaluate({ samples: sampleCount ?? 0, staleness, index });
    if (Number.isFinite(weight) && weight >= 0) return weight;
    throw new InvalidWeightError(
      `the weight ${text} of ${id} is ${weight} where samples is ${sampleCount}, staleness ${staleness} and index ${index}, expected a finite number, 0 or more`,
    );
  };
}
