import type { Clock } from '../clock.ts';
import { InvalidOptionError } from '../errors.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import { show } from '../show.ts';
import type { EarlyStoppingOptions } from './earlyStopping.ts';
import { checkEarlyStopping } from './earlyStopping.ts';
import type { Features } from './features.ts';
import type { Labels } from './labels.ts';
import type { TrainingThreads } from './TrainingThreads.ts';

/** What is reported after each iteration: one pass over the rows. */
export interface IterationReport {
  /** From 1. */
  readonly iteration: number;
  /** Mean over the batches, each taken before its update. */
  readonly cost: number;
  /** Where there is validation data: `computeCost` of it after the iteration. */
  readonly validationCost?: number;
}

/** Options of one training. They replace the model's own for this call. */
export interface TrainOptions {
  maximumNumberOfIterations?: number;
  /** Called after each iteration; returning false ends the training. */
  onIteration?: (report: IterationReport) => boolean | undefined | void;
  /** Rows that are not trained on: their cost is reported after each iteration. */
  validation?: ValidationData;
  /** Ends the training when the cost of the validation data falls no more, which it needs. */
  earlyStopping?: EarlyStoppingOptions;
  /**
   * Added to the mean gradient before each step, the same over the whole training: SCAFFOLD's control variates, say.
   * Of the model's layout; costs and saved gradients are without it. Nothing unless given.
   */
  gradientCorrection?: Gradients;
}

/** Data to validate with; shapes as those of the training. */
export interface ValidationData {
  readonly features: Features;
  readonly labels: Labels;
}

/** Options of an asynchronous training. */
export interface TrainAsyncOptions extends TrainOptions {
  /** Ends the training with an AbortedError; what was learnt is kept. */
  signal?: AbortSignal;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
  /** Threads to train on where that is faster: those of `createThreads` of mainstem/threads. */
  threads?: TrainingThreads;
}

/** What a step of `trainIterator` has done. */
export interface TrainingStep {
  /** The iteration under way, from 1. */
  readonly iteration: number;
  /** Rows of it that are done. */
  readonly rows: number;
  /** The cost of the iteration, once it is complete. */
  readonly cost: number | undefined;
}

const names = [
  'maximumNumberOfIterations',
  'onIteration',
  'validation',
  'earlyStopping',
  'gradientCorrection',
];

/** Checks the options of one call of `train`, but not its data. Throws InvalidOptionError. */
export function checkTrainOptions(options: TrainOptions): TrainOptions {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new InvalidOptionError(`train has no option ${unknown}; it has ${names.join(', ')}`);
  }
  const { maximumNumberOfIterations: iterations = 0, validation, earlyStopping } = options;
  if (!(Number.isSafeInteger(iterations) && iterations >= 0)) {
    throw new InvalidOptionError(
      `maximumNumberOfIterations is ${show(iterations)}, expected a whole number, 0 or more`,
    );
  }
  if (validation !== undefined) checkValidation(validation);
  if (earlyStopping === undefined) return options;
  checkEarlyStopping(earlyStopping);
  if (validation !== undefined) return options;
  throw new InvalidOptionError(
    'earlyStopping needs validation: { features, labels }; the cost of the training rows is watched by the option tolerance',
  );
}

function checkValidation(validation: ValidationData): void {
  const keys = typeof validation === 'object' && validation !== null ? Object.keys(validation) : [];
  if (keys.length === 2 && keys.includes('features') && keys.includes('labels')) return;
  throw new InvalidOptionError(`validation is ${show(validation)}, expected { features, labels }`);
}

/** The report of an iteration; without validation data it has no `validationCost`. */
export function reportOf(
  iteration: number,
  cost: number,
  validationCost: number | undefined,
): IterationReport {
  return validationCost === undefined ? { iteration, cost } : { iteration, cost, validationCost };
}
