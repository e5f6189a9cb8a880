import type { Clock } from '../clock.ts';

/** Calls again and again, until it is stopped; a call may stop it too. */
export class Timers {
  #cancel: (() => void) | undefined;

  /** Does nothing where it runs already. */
  start(clock: Clock, intervalMs: number, work: () => void): void {
    if (this.#cancel !== undefined) return;
    const turn = (): void => {
      work();
      if (this.#cancel !== undefined) this.#cancel = clock.schedule(turn, intervalMs);
    };
    this.#cancel = clock.schedule(turn, intervalMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
