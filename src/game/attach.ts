import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { InvalidOptionError, toError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { guardedLogger, silentLogger } from '../logger.ts';
import { show } from '../show.ts';
import type { TickClock } from '../TickClock.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { DurationSummary } from './Durations.ts';
import { Durations } from './Durations.ts';
import type { GameLoop } from './GameLoop.ts';
import { listenToTicks } from './GameLoop.ts';

/** What a loop drives: a coordinator with `drive: 'tick'` is one. */
export interface Driven {
  readonly drive: string;
  readonly queuedUpdates: number;
  tick(budgetMs: number): boolean;
}

/** Options of `attach`. */
export interface AttachOptions {
  /** Milliseconds of each tick, for all coordinators together. 2. */
  budgetMs?: number;
  /** What an event emitter calls its ticks. `'tick'`. */
  event?: string;
  /** Goes on by 1 in each tick, first of all: the `roundClock` of coordinators whose deadlines are in ticks. */
  roundClock?: TickClock;
  /** What measures how long the work takes; the platform unless given. */
  clock?: Clock;
  /** Where an error goes that would have ended the tick; silent unless given. */
  logger?: Logger;
}

/** What an attachment has cost the loop so far. */
export interface AttachmentStats {
  /** Ticks of the loop. */
  readonly ticks: number;
  /** Milliseconds of work, in those ticks that had any. */
  readonly work: DurationSummary;
  /** Milliseconds beyond the budget, of those ticks that went beyond. */
  readonly overruns: DurationSummary;
  /** Ticks at whose end work was left for the next one. */
  readonly unfinishedTicks: number;
  /** Updates that wait now. */
  readonly queuedUpdates: number;
  /** Errors that would have ended a tick. The loop went on. */
  readonly failures: number;
}

/** The tie between a loop and the coordinators that it drives. */
export interface Attachment {
  /** What it has cost so far. */
  stats(): AttachmentStats;
  /** The loop drives no longer; what waits stays. May be called again. */
  detach(): void;
}

const defaultBudgetMs = 2;

/**
 * Has a game loop drive coordinators with `drive: 'tick'`: in each tick they work until `budgetMs` has passed, at most one
 * slice more. With several, each begins a tick in its turn. Throws InvalidOptionError.
 */
export function attach(
  loop: GameLoop,
  coordinators: Driven | readonly Driven[],
  options: AttachOptions = {},
): Attachment {
  refuseUnknownOptions(options, ['budgetMs', 'event', 'roundClock', 'clock', 'logger'], 'attach');
  const driver = new Driver(requireDriven(coordinators), options);
  const end = listenToTicks(loop, options.event ?? 'tick', () => driver.tick());
  return {
    stats: () => driver.stats(),
    detach: () => {
      if (driver.end()) end();
    },
  };
}

class Driver {
  readonly #coordinators: readonly Driven[];
  readonly #budgetMs: number;
  readonly #roundClock: TickClock | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #work = new Durations();
  readonly #overruns = new Durations();
  #ticks = 0;
  #unfinishedTicks = 0;
  #failures = 0;
  #isEnded = false;

  constructor(coordinators: readonly Driven[], options: AttachOptions) {
    const { budgetMs = defaultBudgetMs, roundClock, clock = systemClock, logger = silentLogger } = options;
    if (!(Number.isFinite(budgetMs) && budgetMs >= 0))
      throw new InvalidOptionError(`budgetMs is ${show(budgetMs)}, expected milliseconds, 0 or more`);
    this.#coordinators = coordinators;
    this.#budgetMs = budgetMs;
    this.#roundClock = roundClock;
    this.#clock = clock;
    this.#logger = guardedLogger(logger);
  }

  /** Never throws: there is a game in this loop. */
  tick(): void {
    if (this.#isEnded) return;
    const first = this.#ticks++ % this.#coordinators.length;
    const start = this.#clock.now();
    this.#guard(() => this.#roundClock?.advance(1));
    if (this.#queuedUpdates === 0) return;
    const order = [...this.#coordinators.slice(first), ...this.#coordinators.slice(0, first)];
    let isDone = true;
    for (const coordinator of order) {
      const left = this.#budgetMs - (this.#clock.now() - start);
      if (left < 0 && !isDone) break;
      this.#guard(() => {
        if (!coordinator.tick(Math.max(0, left))) isDone = false;
      });
    }
    if (!isDone) this.#unfinishedTicks++;
    const ms = this.#clock.now() - start;
    this.#work.add(ms);
    if (ms > this.#budgetMs) this.#overruns.add(ms - this.#budgetMs);
  }

  /** False where it was ended before. */
  end(): boolean {
    const wasEnded = this.#isEnded;
    this.#isEnded = true;
    return !wasEnded;
  }

  stats(): AttachmentStats {
    return {
      ticks: this.#ticks,
      work: this.#work.summary(),
      overruns: this.#overruns.summary(),
      unfinishedTicks: this.#unfinishedTicks,
      queuedUpdates: this.#queuedUpdates,
      failures: this.#failures,
    };
  }

  get #queuedUpdates(): number {
    return this.#coordinators.reduce((sum, { queuedUpdates }) => sum + queuedUpdates, 0);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#failures++;
      this.#logger.error('a tick failed', { error: toError(thrown) });
    }
  }
}

function requireDriven(coordinators: Driven | readonly Driven[]): readonly Driven[] {
  const list = Array.isArray(coordinators) ? (coordinators as readonly Driven[]) : [coordinators as Driven];
  if (list.length === 0) throw new InvalidOptionError('coordinators is an empty list, expected one or more');
  for (const one of list) {
    if (typeof one?.tick !== 'function')
      throw new InvalidOptionError(`coordinator is ${show(one)}, expected a coordinator`);
    if (one.drive !== 'tick')
      throw new InvalidOptionError(`the coordinator has drive '${one.drive}', a loop needs drive: 'tick'`);
  }
  return list;
}
