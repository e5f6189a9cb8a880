/** A timer of a TickClock. */
export interface Timer {
  readonly at: number;
  /** Number of the timer: of two that are due at one time, the older runs first. */
  readonly order: number;
  readonly callback: () => void;
  readonly isBackground: boolean;
  isCancelled: boolean;
}

/** Dead timers below this number are not worth a clean-up. */
const deadTimersMin = 64;

/** Timers by the time at which they are due: a binary heap, O(log n) per timer. */
export class TimerHeap {
  readonly #timers: Timer[] = [];
  #cancelled = 0;
  #foreground = 0;

  /** Timers that are neither taken nor cancelled, nor in the background. */
  get size(): number {
    return this.#foreground;
  }

  add(timer: Timer): void {
    if (!timer.isBackground) this.#foreground++;
    this.#insert(timer);
  }

  #insert(timer: Timer): void {
    this.#timers.push(timer);
    this.#rise(this.#timers.length - 1);
  }

  /** Forgets a timer; nothing where it was taken or cancelled before. Only for timers of this heap. */
  cancel(timer: Timer): void {
    if (timer.isCancelled) return;
    timer.isCancelled = true;
    this.#cancelled++;
    if (!timer.isBackground) this.#foreground--;
    // Timeouts that never fire are the common case: they must not stay until their time.
    if (this.#cancelled >= deadTimersMin && this.#cancelled * 2 > this.#timers.length) this.#sweep();
  }

  /** Takes the timer that is due first, at `end` at the latest; undefined where there is none. */
  take(end: number): Timer | undefined {
    for (;;) {
      const first = this.#timers[0];
      if (first === undefined || (first.at > end && !first.isCancelled)) return undefined;
      const last = this.#timers.pop() as Timer;
      if (this.#timers.length > 0) {
        this.#timers[0] = last;
        this.#sink(0);
      }
      if (first.isCancelled) {
        this.#cancelled--;
        continue;
      }
      // From here on, a cancel of it changes nothing.
      first.isCancelled = true;
      if (!first.isBackground) this.#foreground--;
      return first;
    }
  }

  #sweep(): void {
    const live = this.#timers.filter((timer) => !timer.isCancelled);
    this.#timers.length = 0;
    this.#cancelled = 0;
    for (const timer of live) this.#insert(timer);
  }

  #rise(from: number): void {
    let child = from;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #sink(from: number): void {
    let parent = from;
    for (;;) {
      const left = 2 * parent + 1;
      let first = parent;
      if (this.#isBefore(left, first)) first = left;
      if (this.#isBefore(left + 1, first)) first = left + 1;
      if (first === parent) return;
      this.#swap(first, parent);
      parent = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#timers[a];
    const second = this.#timers[b] as Timer;
    if (first === undefined) return false;
    return first.at < second.at || (first.at === second.at && first.order < second.order);
  }

  #swap(a: number, b: number): void {
    const held = this.#timers[a] as Timer;
    this.#timers[a] = this.#timers[b] as Timer;
    this.#timers[b] = held;
  }
}
