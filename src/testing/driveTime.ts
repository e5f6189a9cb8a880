import { systemClock } from '../clock.ts';
import { simulationLimits } from '../limits.ts';
import { checkOptions, expecting } from '../models/options.ts';
import type { VirtualClock } from './VirtualClock.ts';

/** How far `settle` goes. */
export interface SettleOptions {
  /** Virtual milliseconds after which it stops, 3,600,000 (an hour). */
  timeLimitMs?: number;
  /** Timers after which it stops, 1,000,000: what calls itself without delay never reaches a limit of time. */
  timersMax?: number;
}

/**
 * `quiet`: nothing is left to happen. `timeLimit`: the limit of virtual time was reached, and timers still wait
 * (`drive: 'timers'` never ends). `timerLimit`: so many timers ran; something may call itself without delay.
 */
export type SettleOutcome = 'quiet' | 'timeLimit' | 'timerLimit';

export const timeLimit: (value: unknown, name: string) => void = expecting(
  'milliseconds, 0 or more',
  (value) => Number.isFinite(value) && (value as number) >= 0,
);

/** Where driving ends, whatever is left. */
interface DriveLimits {
  readonly endMs: number;
  readonly timersMax: number;
  /** Turns of the event loop without a timer before nothing is taken to be left. */
  readonly idleTurnsMax: number;
}

/**
 * Runs timers, and between any two all promises that they have settled, as an event loop would. Stops where nothing is
 * left, at a limit, or when `isDone` says so.
 */
export async function driveTime(
  clock: VirtualClock,
  { endMs, timersMax, idleTurnsMax }: DriveLimits,
  isDone: () => boolean = () => false,
): Promise<SettleOutcome | 'done'> {
  let ran = 0;
  for (let idle = 0; idle < idleTurnsMax; ) {
    // A turn of the real event loop: only that says that no promise is left to be settled.
    await systemClock.yieldTurn();
    if (isDone()) return 'done';
    if (ran >= timersMax) return 'timerLimit';
    const isGoing = clock.pendingTimers > 0;
    if (isGoing && clock.runNext(endMs)) {
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
  const checked = checkOptions<SettleOptions>(options, {
    timeLimitMs: timeLimit,
    timersMax: expecting(
      'a whole number, 1 or more',
      (value) => Number.isSafeInteger(value) && Number(value) >= 1,
    ),
  });
  const { timeLimitMs = simulationLimits.timeLimitMs, timersMax = simulationLimits.timersMax } = checked;
  const limits = {
    endMs: clock.now() + timeLimitMs,
    timersMax,
    idleTurnsMax: simulationLimits.quietTurnsMax,
  };
  return (await driveTime(clock, limits)) as SettleOutcome;
}
