import { InvalidOptionError } from '../errors.ts';
import type { JsonValue } from '../parameters/architecture.ts';
import { show } from '../show.ts';
import type { LearningRateSchedule, ScheduleContext } from './LearningRateSchedule.ts';

/** Settings of `'step'`. */
export interface StepScheduleOptions {
  /** Steps between two changes, 1 or more. */
  readonly every: number;
  /** What the rate is multiplied with at each change, above 0; 0.1. */
  readonly factor?: number;
}

/** Settings of `'cosine'`. */
export interface CosineScheduleOptions {
  /** Steps until the minimum, 1 or more. */
  readonly steps: number;
  /** The share of the base that is left then, 0 to 1; 0. */
  readonly minimum?: number;
}

function schedule(
  description: JsonValue,
  rateAt: (context: ScheduleContext) => number,
): LearningRateSchedule {
  return { description, rateAt };
}

/** η = η₀. */
export function constantSchedule(): LearningRateSchedule {
  return schedule('constant', ({ base }) => base);
}

/** η = η₀ factor^⌊t / every⌋. */
export function stepSchedule({ every, factor = 0.1 }: StepScheduleOptions): LearningRateSchedule {
  checkSteps(every, 'every');
  checkFactor(factor);
  return schedule(
    { name: 'step', every, factor },
    ({ base, step }) => base * factor ** Math.floor(step / every),
  );
}

/** η = η₀ factor^t. */
export function exponentialSchedule({ factor }: { readonly factor: number }): LearningRateSchedule {
  checkFactor(factor);
  return schedule({ name: 'exponential', factor }, ({ base, step }) => base * factor ** step);
}

/**
 * η = η₀ (m + (1 − m) (1 + cos(π t / T)) / 2) for the first T steps, then η₀ m (Loshchilov and Hutter 2017,
 * equation 5, without restarts).
 */
export function cosineSchedule({ steps, minimum = 0 }: CosineScheduleOptions): LearningRateSchedule {
  checkSteps(steps, 'steps');
  if (!(Number.isFinite(minimum) && minimum >= 0 && minimum <= 1))
    throw illegal('minimum', minimum, 'a share, 0 to 1');
  return schedule({ name: 'cosine', steps, minimum }, ({ base, step }) => {
    if (step >= steps) return base * minimum;
    return base * (minimum + ((1 - minimum) * (1 + Math.cos((Math.PI * step) / steps))) / 2);
  });
}

/**
 * η = η₀ min((t + 1) / w, √(w / (t + 1))): up to η₀ in w steps, then down with the root of the steps (Vaswani et
 * al. 2017, equation 3, scaled so that its peak is the base).
 */
export function inverseSquareRootSchedule({
  warmUpSteps,
}: {
  readonly warmUpSteps: number;
}): LearningRateSchedule {
  checkSteps(warmUpSteps, 'warmUpSteps');
  return schedule({ name: 'inverseSquareRoot', warmUpSteps }, ({ base, step }) => {
    return base * Math.min((step + 1) / warmUpSteps, Math.sqrt(warmUpSteps / (step + 1)));
  });
}

/** η = η₀ (t + 1) / w for the first w steps; then what `after` says, which counts its steps from there. */
export function linearWarmUpSchedule(steps: number, after: LearningRateSchedule): LearningRateSchedule {
  checkSteps(steps, 'steps');
  const description = { name: 'linearWarmUp', steps, after: after.description };
  return schedule(description, ({ base, step, round }) => {
    return step < steps ? (base * (step + 1)) / steps : after.rateAt({ base, step: step - steps, round });
  });
}

function checkSteps(value: number, name: string): void {
  if (!(Number.isSafeInteger(value) && value >= 1)) throw illegal(name, value, 'a whole number, 1 or more');
}

function checkFactor(value: number): void {
  if (!(Number.isFinite(value) && value > 0)) throw illegal('factor', value, 'a finite number above 0');
}

function illegal(name: string, value: unknown, expected: string): InvalidOptionError {
  return new InvalidOptionError(`${name} of a learningRateSchedule is ${show(value)}, expected ${expected}`);
}
