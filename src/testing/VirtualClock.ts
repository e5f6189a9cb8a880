import type { Clock, ScheduleOptions } from '../clock.ts';
import { InvalidOptionError } from '../errors.ts';
import type { VirtualTimer } from './TimerHeap.ts';
import { TimerHeap } from './TimerHeap.ts';

/** A clock that stands still until it is told to go on. Timers run in the order of their times, then of their making. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new TimerHeap();
  /** How often `yieldTurn` was called. */
  turns = 0;

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** Throws InvalidOptionError for a delay that is no finite number; a negative one counts as 0. */
  schedule(
    callback: () => void,
    delayMs: number,
    { isBackground = false }: ScheduleOptions = {},
  ): () => void {
    if (!Number.isFinite(delayMs))
      throw new InvalidOptionError(`delayMs is ${delayMs}, expected a finite number of milliseconds`);
    const atMs = this.#now + Math.max(0, delayMs);
    const timer: VirtualTimer = { atMs, order: this.#order++, callback, isBackground, isCancelled: false };
    this.#timers.add(timer);
    return () => this.#timers.cancel(timer);
  }

  async yieldTurn(): Promise<void> {
    this.turns++;
  }

  /** Timers that have not run yet, but for background ones: those alone keep nothing going. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets time pass; timers that fall due run, each at its own time. Throws InvalidOptionError for a time below 0. */
  advance(byMs: number): void {
    if (!(Number.isFinite(byMs) && byMs >= 0))
      throw new InvalidOptionError(`byMs is ${byMs}, expected a finite number of milliseconds, 0 or more`);
    const end = this.#now + byMs;
    while (this.runNext(end));
    this.#now = Math.max(this.#now, end);
  }

  /** Goes on to the timer that is due first and runs it; false where none is due until `untilMs`, and then stays. */
  runNext(untilMs: number = Infinity): boolean {
    const timer = this.#timers.take(untilMs);
    if (timer === undefined) return false;
    this.#now = Math.max(this.#now, timer.atMs);
    timer.callback();
    return true;
  }
}
