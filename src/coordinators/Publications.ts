import type { Clock } from '../clock.ts';
import { publicationLimits } from '../limits.ts';

/** Who gets main. */
export interface Subscriber {
  /** Sends main where the subscriber can take it; bytes that went out. */
  offer(): number;
}

/**
 * When main is published. A change waits for a turn of the event loop in which no update comes: children that wait for
 * main send none, and those that send without a pause need not hear of each change. It goes out over several turns where
 * the children are many, and what it costs sets how long the next one waits. So with ten children every round goes out
 * at once; with ten thousand, ten thousand changes go out as a few.
 */
export class Publications {
  readonly #clock: Clock;
  readonly #subscribers: () => Iterable<Subscriber>;
  /** Undefined where nothing is under way. Another object: what is under way is not wanted any more. */
  #run: object | undefined;
  /** Main has changed since some of them got it. */
  #isStale = false;
  /** Updates have come. */
  #hasHeard = false;
  #readyMs = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, subscribers: () => Iterable<Subscriber>) {
    this.#clock = clock;
    this.#subscribers = subscribers;
  }

  /** Main has changed. */
  request(): void {
    this.#isStale = true;
    if (this.#run === undefined) this.#begin();
  }

  /** An update has come. */
  heard(): void {
    this.#hasHeard = true;
  }

  /** Forgets what waits. */
  stop(): void {
    this.#run = undefined;
    this.#isStale = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #begin(): void {
    const run = {};
    this.#run = run;
    const start = (): void => {
      this.#cancel = undefined;
      void this.#publish(run);
    };
    const waitMs = this.#readyMs - this.#clock.now();
    // Timers are no finer than that.
    if (waitMs < 1) start();
    else this.#cancel = this.#clock.schedule(start, waitMs);
  }

  async #publish(run: object): Promise<void> {
    const { quietMsMax, sliceMs, bytesPerMs, pauseFactor } = publicationLimits;
    const clock = this.#clock;
    const sinceMs = clock.now();
    do {
      this.#hasHeard = false;
      await clock.yieldTurn();
      if (this.#run !== run) return;
    } while (this.#hasHeard && clock.now() - sinceMs < quietMsMax);
    this.#isStale = false;
    let bytes = 0;
    let workMs = 0;
    let startMs = clock.now();
    for (const subscriber of [...this.#subscribers()]) {
      bytes += subscriber.offer();
      const passedMs = clock.now() - startMs;
      if (passedMs < sliceMs) continue;
      workMs += passedMs;
      await clock.yieldTurn();
      if (this.#run !== run) return;
      startMs = clock.now();
    }
    const nowMs = clock.now();
    workMs += nowMs - startMs;
    this.#readyMs = nowMs + pauseFactor * Math.max(workMs, bytes / bytesPerMs);
    this.#run = undefined;
    if (this.#isStale) this.#begin();
  }
}
