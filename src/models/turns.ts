import type { Clock } from '../clock.ts';
import { AbortedError } from '../errors.ts';

/** The longest that an asynchronous training keeps the event loop to itself, in milliseconds. */
const turnMsMax = 4;

/** Does all steps, giving the event loop its turn in between. Throws AbortedError when the signal aborts. */
export async function drainInTurns<Result>(
  steps: Generator<unknown, Result>,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Result> {
  let turnStart = clock.now();
  for (;;) {
    if (signal?.aborted === true) throw new AbortedError('training was aborted', signal.reason);
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.now() - turnStart < turnMsMax) continue;
    await clock.yieldTurn();
    turnStart = clock.now();
  }
}
