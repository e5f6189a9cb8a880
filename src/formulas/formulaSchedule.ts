import { InvalidOptionError } from '../errors.ts';
import type { LearningRateSchedule } from '../optimizers/LearningRateSchedule.ts';
import { compileFormula } from './Formula.ts';

/**
 * A learning rate that follows a formula in base, step and round (see ScheduleContext), such as
 * `'base * 0.99 ^ round'`. Throws FormulaError; `rateAt` throws InvalidOptionError where the formula gives a rate
 * that is not finite or below 0.
 */
export function formulaSchedule(text: string): LearningRateSchedule {
  const formula = compileFormula(text, { variables: ['base', 'step', 'round'] });
  return {
    description: { formula: text },
    rateAt({ base, step, round }) {
      const rate = formula.evaluate({ base, step, round });
      if (Number.isFinite(rate) && rate >= 0) return rate;
      throw new InvalidOptionError(
        `the learning rate ${text} is ${rate} where base is ${base}, step ${step} and round ${round}, expected a finite number, 0 or more`,
      );
    },
  };
}
