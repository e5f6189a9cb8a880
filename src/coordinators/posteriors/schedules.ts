import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import type { DeadlineOption } from '../rounds/Deadline.ts';
import type { Mode } from '../rounds/Mode.ts';
import { createMode } from '../rounds/Mode.ts';

/**
 * Who speaks when:
 * - `asynchronous`: all at once; each message is taken in when it comes, and everybody is asked again.
 * - `serial`: one after the other, each with what the one before has just said: the fewest messages.
 * - `parallel`: all begin a round with what was said in the round before: about twice the rounds, but as many machines at once.
 */
export type Schedule = 'asynchronous' | 'serial' | 'parallel';

/** A round that goes on without somebody has to be made up for, so that a pause of a second is no reason. */
const patient: DeadlineOption = { factor: 3, floor: 1_000, ceiling: 60_000 };

/** The rounds of a schedule. A message replaces an earlier one, so that none comes too late or twice. */
export function scheduleMode(schedule: Schedule, deadline: DeadlineOption = patient): Mode {
  switch (schedule) {
    case 'serial':
      return {
        ...createMode({ mode: 'synchronous', children: 1, ask: 1, selection: 'roundRobin', deadline }),
        stalenessMax: Infinity,
      };
    case 'parallel':
      return {
        ...createMode({ mode: 'synchronous', deadline }),
        ask: Infinity,
        stalenessMax: Infinity,
      };
    case 'asynchronous':
      return { ...scheduleMode('parallel', deadline), needed: 1, quorum: 1, deadline: undefined };
    default:
      throw new InvalidOptionError(
        `schedule is ${show(schedule)}, expected 'asynchronous', 'serial' or 'parallel'`,
      );
  }
}

/** Nobody is asked: what comes is taken in at once. */
export const quiet: Mode = createMode('immediate');
