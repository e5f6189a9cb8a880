import type { Clock } from '../clock.ts';

/** A piece of work in slices. It handles its own errors. */
export type Job = Generator<undefined, void>;

/** Jobs one behind the other, done in slices by whoever drives. */
export class WorkQueue {
  readonly #jobs: Job[] = [];
  #first = 0;
  #isRunning = false;

  /** Jobs that wait or are half done. */
  get length(): number {
    return this.#jobs.length - this.#first;
  }

  push(job: Job): void {
    this.#jobs.push(job);
  }

  /**
   * Works until all is done or `budgetMs` has passed; true where all is done. The clock is read after each slice. A
   * call from inside a job does nothing: the outer one goes on.
   */
  run(clock: Clock, budgetMs: number): boolean {
    if (this.#isRunning) return false;
    this.#isRunning = true;
    try {
      const end = budgetMs === Infinity ? Infinity : clock.now() + budgetMs;
      while (this.length > 0) {
        const job = this.#jobs[this.#first] as Job;
        if (job.next().done === true) this.#shift();
        if (end !== Infinity && this.length > 0 && clock.now() >= end) return false;
      }
      return true;
    } finally {
      this.#isRunning = false;
    }
  }

  /** Removing from the front of an array one by one is quadratic: the front moves, and is cut off now and then. */
  #shift(): void {
    this.#first++;
    if (this.#first < 64 || this.#first * 2 < this.#jobs.length) return;
    this.#jobs.splice(0, this.#first);
    this.#first = 0;
  }
}
