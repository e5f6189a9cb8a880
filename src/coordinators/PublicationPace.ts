import type { Clock } from '../clock.ts';
import { publicationLimits } from '../limits.ts';

/**
 * How often main is published: whenever it changes, as long as that costs little, and else as often as a budget of bytes
 * a second allows (a token bucket). With ten children every change goes out at once; with ten thousand, ten thousand
 * changes go out as a few.
 */
export class PublicationPace {
  readonly #clock: Clock;
  readonly #publish: () => number;
  #bytes: number = publicationLimits.burstBytes;
  #filledMs: number;
  #cancel: (() => void) | undefined;

  /** `publish` does it and returns the bytes that it cost. */
  constructor(clock: Clock, publish: () => number) {
    this.#clock = clock;
    this.#publish = publish;
    this.#filledMs = clock.now();
  }

  /** Publishes now, or when there is room. */
  request(): void {
    if (this.#cancel !== undefined) return;
    this.#fill();
    if (this.#bytes > 0) {
      this.#bytes -= this.#publish();
      return;
    }
    const waitMs = Math.ceil((1 - this.#bytes) / publicationLimits.bytesPerMs);
    this.#cancel = this.#clock.schedule(() => {
      this.#cancel = undefined;
      this.request();
    }, waitMs);
  }

  /** Forgets what waits. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #fill(): void {
    const { burstBytes, bytesPerMs } = publicationLimits;
    const nowMs = this.#clock.now();
    this.#bytes = Math.min(burstBytes, this.#bytes + (nowMs - this.#filledMs) * bytesPerMs);
    this.#filledMs = nowMs;
  }
}
