import type { ResolvedSettings } from './settings.ts';
import { resolveSettings } from './settings.ts';

/** From exact to small; error feedback goes through all of them, so that a change loses nothing. */
const rungs: readonly { readonly settings: ResolvedSettings; readonly bytesPerValue: number }[] = [
  { settings: resolveSettings('none'), bytesPerValue: 4 },
  { settings: resolveSettings('bfloat16'), bytesPerValue: 2 },
  { settings: resolveSettings({ codec: 'int8', errorFeedback: true }), bytesPerValue: 1 },
  { settings: resolveSettings({ codec: 'int4', errorFeedback: true }), bytesPerValue: 0.5 },
  { settings: resolveSettings('oneBit'), bytesPerValue: 0.127 },
  { settings: resolveSettings('topK'), bytesPerValue: 0.032 },
];

/** Nothing is known of a link at first: in the middle. */
const firstRung = 2;
/** So many quick answers in a row before more is sent. */
const quickAnswers = 3;

/**
 * How small updates have to be, from how long they took. It goes down at once where an answer takes longer than it may,
 * and up again, a rung at a time, where even the larger update would have been quick enough.
 */
export class Ladder {
  readonly #targetMs: number;
  #rung = firstRung;
  #quick = 0;

  constructor(targetMs: number) {
    this.#targetMs = targetMs;
  }

  /** Of the next update. */
  get settings(): ResolvedSettings {
    return { ...(rungs[this.#rung] as (typeof rungs)[number]).settings, targetMs: this.#targetMs };
  }

  /** An update was answered after so long, or has been waiting for it. */
  observe(elapsedMs: number): void {
    const bytes = this.#bytes(this.#rung);
    if (elapsedMs > this.#targetMs) {
      this.#quick = 0;
      // As far as it takes, where the time is all for bytes.
      const wanted = (bytes * this.#targetMs) / elapsedMs;
      while (this.#rung < rungs.length - 1 && this.#bytes(this.#rung) > wanted) this.#rung++;
      return;
    }
    const isQuick = this.#rung > 0 && (elapsedMs * this.#bytes(this.#rung - 1)) / bytes <= this.#targetMs;
    this.#quick = isQuick ? this.#quick + 1 : 0;
    if (this.#quick < quickAnswers) return;
    this.#quick = 0;
    this.#rung--;
  }

  #bytes(rung: number): number {
    return (rungs[rung] as (typeof rungs)[number]).bytesPerValue;
  }
}
