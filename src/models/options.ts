import { InvalidOptionError } from '../errors.ts';
import type { OptimizerOption } from '../optimizers/createOptimizer.ts';
import { createOptimizer } from '../optimizers/createOptimizer.ts';
import type { ScheduleOption } from '../optimizers/createSchedule.ts';
import { createSchedule } from '../optimizers/createSchedule.ts';
import { checkTensorPatterns } from '../parameters/tensorPatterns.ts';
import type { DataType } from '../parameters/values.ts';
import { checkDataType } from '../parameters/values.ts';
import type { PreprocessingOption } from '../preprocessing/createPreprocessing.ts';
import { createPreprocessing } from '../preprocessing/createPreprocessing.ts';
import { show } from '../show.ts';
import type { GradientClipping } from './gradientClipping.ts';
import { checkClipping } from './gradientClipping.ts';
import type { Penalty } from './penalty.ts';
import { checkPenalty } from './penalty.ts';

/** Options of every model. */
export interface TrainingOptions {
  /** Step size, 0 or more. 0 changes nothing. Default: the optimizer's own (0.1; 0.001 for Adam). */
  learningRate?: number;
  /** Passes over the rows in one training, 0 or more. 500; 100 for networks. */
  maximumNumberOfIterations?: number;
  /**
   * How the learning rate changes, `learningRate` being its base: a name with settings, or an object. It counts the
   * steps of the optimizer's state, over all trainings. Constant unless given.
   */
  learningRateSchedule?: ScheduleOption;
  /** A name, a name with settings, or an object. `'gradientDescent'` (regressions), `'adam'` (networks). */
  optimizer?: OptimizerOption;
  /**
   * What is done to features before the model sees them, in training and in prediction: `new StandardScaler()`, a list
   * of steps, or a fitted Preprocessing. Steps are fitted on the rows of the first training; children that merge must
   * share what is fitted on the rows of all of them. Nothing unless given.
   */
  preprocessing?: PreprocessingOption;
  /** l1 ‖weights‖₁ + l2/2 ‖weights‖²; none unless given. */
  penalty?: Penalty;
  /**
   * μ of μ/2 ‖w − w₀‖², w₀ being the parameters that the training started from: keeps a child near main (FedProx, Li
   * and others 2020). Costs and saved gradients are without it. 0, which is plain training.
   */
  proximal?: number;
  /** Limits the mean gradient, penalty included, before each step; none unless given. Saved gradients are whole. */
  gradientClipping?: GradientClipping;
  /**
   * Tensors that training leaves as they are, by name or by the beginning of a name: `['layers.0.*']`. Gradients
   * are still those of all tensors. None unless given.
   */
  frozen?: readonly string[];
  /** Training ends when the cost changes by less from one iteration to the next. 0: never. */
  tolerance?: number;
  /** Rows per update. All rows (regressions), 32 (networks). Rows are shuffled where there is more than one batch. */
  batchSize?: number;
  /** Numbers of 4 or 8 bytes. `'float64'` (regressions), `'float32'` (networks). */
  dtype?: DataType;
  /** Integer that fixes everything random, 0. */
  seed?: number;
}

/** Checks one option; throws InvalidOptionError. */
export type Check = (value: unknown, name: string) => void;

/** Makes a check that names the option, what was got and what is expected. */
export function expecting(expected: string, isLegal: (value: unknown) => boolean): Check {
  return (value, name) => {
    if (!isLegal(value)) throw new InvalidOptionError(`${name} is ${show(value)}, expected ${expected}`);
  };
}

/** Checks that many options have in common. */
export const aboveZero: Check = expecting(
  'a number above 0',
  (value) => Number.isFinite(value) && Number(value) > 0,
);
export const countOfOneOrMore: Check = expecting(
  'a whole number, 1 or more',
  (value) => Number.isSafeInteger(value) && Number(value) >= 1,
);
export const anInteger: Check = expecting('an integer', Number.isSafeInteger);
export const trueOrFalse: Check = expecting('true or false', (value) => typeof value === 'boolean');

const isFiniteFromZero = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;

/** The checks of the options that all models share. */
export const trainingChecks: Readonly<Record<keyof TrainingOptions, Check>> = {
  learningRate: expecting('a finite number, 0 or more', isFiniteFromZero),
  maximumNumberOfIterations: expecting(
    'a whole number, 0 or more',
    (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  ),
  optimizer: (value) => {
    createOptimizer(value as OptimizerOption);
  },
  learningRateSchedule: (value) => {
    createSchedule(value as ScheduleOption);
  },
  penalty: checkPenalty,
  proximal: expecting('a finite number, 0 or more', isFiniteFromZero),
  gradientClipping: checkClipping,
  frozen: (value) => {
    checkTensorPatterns(value, 'frozen');
  },
  preprocessing: (value) => {
    createPreprocessing(value as PreprocessingOption);
  },
  tolerance: expecting('a finite number, 0 or more', isFiniteFromZero),
  batchSize: countOfOneOrMore,
  dtype: (value) => {
    checkDataType(value);
  },
  seed: anInteger,
};

/**
 * The given options that are not undefined, each checked. Throws InvalidOptionError for an illegal value and for
 * a name that is no option: a misspelt one must not be ignored.
 */
export function checkOptions<Options extends object>(
  given: Partial<Options>,
  checks: Readonly<Record<keyof Options, Check>>,
): Partial<Options> {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(`options are ${show(given)}, expected an object`);
  }
  const known: Partial<Options> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(checks, name)) {
      throw new InvalidOptionError(
        `there is no option ${name}; options are ${Object.keys(checks).join(', ')}`,
      );
    }
    if (value === undefined) continue;
    checks[name as keyof Options](value, name);
    known[name as keyof Options] = value as Options[keyof Options];
  }
  return known;
}
