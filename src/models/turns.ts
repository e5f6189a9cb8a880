import type { Clock } from '../clock.ts';
import { AbortedError } from '../errors.ts';
import type { Pass } from '../kernels/TrainingSession.ts';
import type { PassingStep } from './training.ts';

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
    const pass = (step.value as Partial<PassingStep> | undefined)?.pass;
    if (pass !== undefined) await untilEnded(pass, signal);
    else if (clock.now() - turnStart < turnMsMax) continue;
    else await clock.yieldTurn();
    turnStart = clock.now();
  }
}

/** Waits for a pass, which ends early when the signal aborts. */
async function untilEnded(pass: Pass, signal: AbortSignal | undefined): Promise<void> {
  const stop = (): void => pass.stop();
  // A listener does not hear of what was before.
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop);
  try {
    await pass.ended;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
