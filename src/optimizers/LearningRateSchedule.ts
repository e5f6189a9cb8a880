import { InvalidOptionError } from '../errors.ts';
import type { JsonValue } from '../parameters/architecture.ts';
import { show } from '../show.ts';

/** Where a training stands when it asks for its learning rate. */
export interface ScheduleContext {
  /** The learning rate that was given: what a schedule scales. */
  readonly base: number;
  /** Optimizer steps taken before this one, from 0; kept with the optimizer's state. */
  readonly step: number;
  /** Version of main that the parameters started from; 0 where there is no main. */
  readonly round: number;
}

/** How the learning rate changes as training goes on. A pure function: all that it knows is what it is given. */
export interface LearningRateSchedule {
  /** Plain JSON that `createSchedule` understands, or that names a schedule of your own. */
  readonly description: JsonValue;
  /** The learning rate of the next step: finite, 0 or more. */
  rateAt(context: ScheduleContext): number;
}

/** The rate of a schedule for the next step. Throws InvalidOptionError where it is negative or not finite. */
export function scheduledRate(schedule: LearningRateSchedule, context: ScheduleContext): number {
  const rate: unknown = schedule.rateAt(context);
  if (typeof rate === 'number' && rate >= 0 && rate < Infinity) return rate;
  throw new InvalidOptionError(
    `learningRateSchedule ${show(schedule.description)} gave ${show(rate)} at step ${context.step}, round ${context.round}, expected a finite number, 0 or more`,
  );
}
