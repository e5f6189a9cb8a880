import { systemClock } from '../clock.ts';
import { simulationLimits } from '../limits.ts';
import { checkOptions, expecting } from '../models/options.ts';
import type { VirtualClock } from './VirtualClock.ts';

/** How far `settle` goes. */
export interface SettleOptions {
  /** Virtual milliseconds after which it stops, 3,600,000 (an hour). */
  timeLimitMs?: number;
}

/**
 * `quiet`: nothing is left to happen. `timeLimit`: the limit of virtual time was reached, and timers still wait
 * (`drive: 'timers'` never ends). `timerLimit`: ten million timers ran; something calls itself without delay.
 */
export type SettleOutcome = 'quiet' | 'timeLimit' | 'timerLimit';

export const timeLimit: (value: unknown, name: string) => void = expecting(
  'milliseconds, 0 or more',
  (value) => Number.isFinite(value) && (value as number) >= 0,
);

/**
 * Runs timers, and between any two all promises that they have settled, as an event loop would. Stops where no timer
 * has been left for `turnsMax` turns, at the limit, or when `isDone` says so.
 */
export async function driveTime(
  clock: VirtualClock,
  endMs: number,
  turnsMax: number,
  isDone: () => boolean = () => false,
): Promise<SettleOutcome | 'done'> {
  const { timersMax } = simulationLimits;
  let ran = 0;
  for (let idle = 0; idle < turnsMax; ) {
    // A turn of the real event loop: only that says that no promise is left to be settled.
    await systemClock.yieldTurn();
    if (isDone()) return 'done';
    if (ran >= timersMax) return 'timerLimit';
    if (clock.runNext(endMs)) {
      ran++;
      idle = 0;
    } else if (clock.pendingTimers > 0) {
      clock.advance(Math.max(0, endMs - clock.now()));
      return 'timeLimit';
    } else idle++;
  }
  return 'quiet';
}

/** What `VirtualNetwork.settle` does. */
export async function settleTime(clock: VirtualClock, options: SettleOptions): Promise<SettleOutcome> {
  const { timeLimitMs = simulationLimits.timeLimitMs } = checkOptions<SettleOptions>(options, {
    timeLimitMs: timeLimit,
  });
  const endMs = clock.now() + timeLimitMs;
  return (await driveTime(clock, endMs, simulationLimits.quietTurnsMax)) as SettleOutcome;
}
