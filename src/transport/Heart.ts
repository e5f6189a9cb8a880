import type { Clock } from '../clock.ts';

/** Something that looks at the time now and then. */
export interface Beating {
  /** May remove itself, and others. */
  beat(nowMs: number): void;
}

/**
 * One timer for any number of connections. It is a background timer: it keeps no process alive. A beat that comes late
 * is not passed on, but counted from anew: then it was this thread that was held up, and what the others have said
 * meanwhile waits to be read.
 */
export class Heart {
  readonly intervalMs: number;
  readonly #clock: Clock;
  readonly #beating = new Set<Beating>();
  #cancel: (() => void) | undefined;
  #dueMs = 0;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.intervalMs = intervalMs;
  }

  now(): number {
    return this.#clock.now();
  }

  add(one: Beating): void {
    this.#beating.add(one);
    if (this.#cancel === undefined) this.#schedule();
  }

  remove(one: Beating): void {
    this.#beating.delete(one);
    if (this.#beating.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): void {
    this.#dueMs = this.#clock.now() + this.intervalMs;
    this.#cancel = this.#clock.schedule(() => this.#beat(), this.intervalMs, { isBackground: true });
  }

  #beat(): void {
    const nowMs = this.#clock.now();
    const isLate = nowMs > this.#dueMs + this.intervalMs;
    this.#schedule();
    if (isLate) return;
    for (const one of [...this.#beating]) one.beat(nowMs);
  }
}
