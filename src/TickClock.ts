import type { Clock, ScheduleOptions } from './clock.ts';
import { systemClock } from './clock.ts';
import { InvalidOptionError } from './errors.ts';
import type { Timer } from './TimerHeap.ts';
import { TimerHeap } from './TimerHeap.ts';

/**
 * A clock that stands still until it is told to go on: the ticks of a simulation, say. It pauses with the game, since
 * nobody advances it then. Timers run in the order of their times, then of their making. The `roundClock` of a coordinator
 * whose deadlines are in ticks.
 */
export class TickClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new TimerHeap();

  /** Throws InvalidOptionError where the start is no finite number. */
  constructor(start = 0) {
    if (!Number.isFinite(start)) throw new InvalidOptionError(`start is ${start}, expected a finite number`);
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Throws InvalidOptionError for a delay that is no finite number; a negative one counts as 0. */
  schedule(callback: () => void, delay: number, { isBackground = false }: ScheduleOptions = {}): () => void {
    if (!Number.isFinite(delay))
      throw new InvalidOptionError(`delay is ${delay}, expected a finite number of this clock's units`);
    const at = this.#now + Math.max(0, delay);
    const timer: Timer = { at, order: this.#order++, callback, isBackground, isCancelled: false };
    this.#timers.add(timer);
    return () => this.#timers.cancel(timer);
  }

  yieldTurn(): Promise<void> {
    return systemClock.yieldTurn();
  }

  /** Timers that have not run yet, but for background ones: those alone keep nothing going. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets time pass; timers that fall due run, each at its own time. Throws InvalidOptionError for a time below 0. */
  advance(by = 1): void {
    if (!(Number.isFinite(by) && by >= 0))
      throw new InvalidOptionError(`by is ${by}, expected a finite number of this clock's units, 0 or more`);
    const end = this.#now + by;
    while (this.runNext(end));
    this.#now = Math.max(this.#now, end);
  }

  /** Goes on to the timer that is due first and runs it; false where none is due until `until`, and then stays. */
  runNext(until: number = Infinity): boolean {
    const timer = this.#timers.take(until);
    if (timer === undefined) return false;
    this.#now = Math.max(this.#now, timer.at);
    timer.callback();
    return true;
  }
}
