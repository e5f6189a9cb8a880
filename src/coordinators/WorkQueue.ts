import type { Clock } from '../clock.ts';
import { MalformedDataError } from '../errors.ts';
import type { Steps } from '../steps.ts';
import { isSteps } from '../steps.ts';

/** Jobs one behind the other, done in slices by whoever drives. */
export class WorkQueue<Job> {
  readonly #start: (job: Job) => Steps<void>;
  readonly #jobs: Job[] = [];
  #first = 0;
  /** The rest of the first job, where it was begun. */
  #begun: Generator<undefined, void> | undefined;
  #isRunning = false;

  /** `start` does a job, at once or in slices. It handles the job's errors. */
  constructor(start: (job: Job) => Steps<void>) {
    this.#start = start;
  }

  /** Jobs that wait or are half done. */
  get length(): number {
    return this.#jobs.length - this.#first;
  }

  push(job: Job): void {
    this.#jobs.push(job);
  }

  /**
   * Works until all is done or `budgetMs` has passed; true where all is done. The clock is read after each slice. A
   * call from inside a job does nothing: the outer one goes on. Throws MalformedDataError for a budget below 0.
   */
  run(clock: Clock, budgetMs: number): boolean {
    if (!(budgetMs >= 0))
      throw new MalformedDataError(`budgetMs is ${budgetMs}, expected a number of milliseconds, 0 or more`);
    if (this.#isRunning) return false;
    this.#isRunning = true;
    try {
      const end = budgetMs === Infinity ? Infinity : clock.now() + budgetMs;
      while (this.length > 0) {
        if (this.#isFirstDone()) this.#shift();
        if (end !== Infinity && this.length > 0 && clock.now() >= end) return false;
      }
      return true;
    } finally {
      this.#isRunning = false;
    }
  }

  /** Does a slice of the first job. */
  #isFirstDone(): boolean {
    if (this.#begun === undefined) {
      const work = this.#start(this.#jobs[this.#first] as Job);
      if (!isSteps(work)) return true;
      this.#begun = work;
    }
    if (this.#begun.next().done !== true) return false;
    this.#begun = undefined;
    return true;
  }

  /** Removing from the front of an array one by one is quadratic: the front moves, and is cut off now and then. */
  #shift(): void {
    this.#first++;
    if (this.#first < 64 || this.#first * 2 < this.#jobs.length) return;
    this.#jobs.splice(0, this.#first);
    this.#first = 0;
  }
}
