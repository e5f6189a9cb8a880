// Every public name of mainstem/formulas, by hand: expressions that users write instead of code.

export { FormulaError } from '../errors.ts';
export type { Formula, FormulaOptions } from './Formula.ts';
export { compileFormula } from './Formula.ts';
export type { FormulaActivationOptions } from './formulaActivation.ts';
export { formulaActivation } from './formulaActivation.ts';
export { formulaSchedule } from './formulaSchedule.ts';
export { formulaWeight } from './formulaWeight.ts';
export type { MathjsMatrix } from './mathjs.ts';
export { toMathjs } from './toMathjs.ts';
