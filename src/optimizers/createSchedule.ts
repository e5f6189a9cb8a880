import { InvalidOptionError } from '../errors.ts';
import { scheduleDepthMax } from '../limits.ts';
import { show } from '../show.ts';
import type { LearningRateSchedule } from './LearningRateSchedule.ts';
import type { CosineScheduleOptions, StepScheduleOptions } from './schedules.ts';
import {
  constantSchedule,
  cosineSchedule,
  exponentialSchedule,
  inverseSquareRootSchedule,
  linearWarmUpSchedule,
  stepSchedule,
} from './schedules.ts';

/** A built-in schedule with its settings, as plain JSON. Steps are optimizer steps. */
export type ScheduleDescription =
  | { readonly name: 'constant' }
  | ({ readonly name: 'step' } & StepScheduleOptions)
  | { readonly name: 'exponential'; readonly factor: number }
  | ({ readonly name: 'cosine' } & CosineScheduleOptions)
  | { readonly name: 'inverseSquareRoot'; readonly warmUpSteps: number }
  | { readonly name: 'linearWarmUp'; readonly steps: number; readonly after?: ScheduleOption };

/** The built-in schedules. */
export type ScheduleName = ScheduleDescription['name'];

/** Whatever a `learningRateSchedule` option takes: `'constant'`, a name with settings, or an object of your own. */
export type ScheduleOption = 'constant' | ScheduleDescription | LearningRateSchedule;

const settings: Readonly<Record<ScheduleName, readonly string[]>> = {
  constant: [],
  step: ['every', 'factor'],
  exponential: ['factor'],
  cosine: ['steps', 'minimum'],
  inverseSquareRoot: ['warmUpSteps'],
  linearWarmUp: ['steps', 'after'],
};

/** The schedule that an option means. Throws InvalidOptionError for an unknown one and for illegal settings. */
export function createSchedule(option: ScheduleOption): LearningRateSchedule {
  return createNested(option, 1);
}

function createNested(option: ScheduleOption, depth: number): LearningRateSchedule {
  if (depth > scheduleDepthMax) {
    throw new InvalidOptionError(
      `learningRateSchedule holds more than ${scheduleDepthMax} schedules one in another`,
    );
  }
  const description = typeof option === 'string' ? ({ name: option } as ScheduleDescription) : option;
  if (typeof description === 'object' && description !== null) {
    if ('rateAt' in description) return requireSchedule(description);
    refuseUnknownSettings(description);
    switch (description.name) {
      case 'constant':
        return constantSchedule();
      case 'step':
        return stepSchedule(description);
      case 'exponential':
        return exponentialSchedule(description);
      case 'cosine':
        return cosineSchedule(description);
      case 'inverseSquareRoot':
        return inverseSquareRootSchedule(description);
      case 'linearWarmUp': {
        const { steps, after = 'constant' } = description;
        return linearWarmUpSchedule(steps, createNested(after, depth + 1));
      }
    }
  }
  throw new InvalidOptionError(
    `learningRateSchedule is ${show(option)}, expected one of ${Object.keys(settings).join(', ')} with its settings, or an object with description and rateAt; one of your own must be given again after JSON`,
  );
}

function refuseUnknownSettings(description: ScheduleDescription): void {
  if (!Object.hasOwn(settings, description.name)) return;
  const known = ['name', ...settings[description.name]];
  const unknown = Object.keys(description).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new InvalidOptionError(
    `learningRateSchedule ${description.name} has no setting ${unknown}; it has ${known.join(', ')}`,
  );
}

function requireSchedule(schedule: LearningRateSchedule): LearningRateSchedule {
  if (typeof schedule.rateAt === 'function' && schedule.description !== undefined) return schedule;
  throw new InvalidOptionError('a learningRateSchedule object needs description and rateAt');
}
