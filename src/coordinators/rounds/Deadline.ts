import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';

/** When a round stops waiting for those that are late, in units of the coordinator's `roundClock`. */
export interface DeadlineOptions {
  /** k of: median + k · MAD of the arrivals seen, where MAD is the median of their distances to the median; 3. */
  factor?: number;
  /** It is never earlier; 0. */
  floor?: number;
  /** It is never later, and is this before there are enough arrivals to tell; 60,000. */
  ceiling?: number;
}

/** A number is a deadline that does not adapt; `'none'` lets a round wait as long as it takes. */
export type DeadlineOption = number | 'none' | DeadlineOptions;

/** Arrivals that the deadline is made of: the latest ones. */
const arrivalsMax = 256;

/** Fewer say nothing yet. */
const arrivalsMin = 5;

/** How long rounds wait: what the arrivals of earlier ones say. */
export class Deadline {
  readonly factor: number;
  readonly floor: number;
  readonly ceiling: number;
  readonly #arrivals: number[] = [];
  #next = 0;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(option: number | DeadlineOptions) {
    const given = typeof option === 'number' ? { floor: option, ceiling: option } : option;
    if (typeof given !== 'object' || given === null)
      throw new InvalidOptionError(`deadline is ${show(option)}, expected a number, 'none' or options`);
    refuseUnknownOptions(given, ['factor', 'floor', 'ceiling'], 'deadline');
    const { factor = 3, floor = 0, ceiling = 60_000 }: DeadlineOptions = given;
    if (
      !(factor >= 0 && floor >= 0 && ceiling >= floor && Number.isFinite(factor) && Number.isFinite(ceiling))
    )
      throw new InvalidOptionError(
        `deadline has factor ${factor}, floor ${floor}, ceiling ${ceiling}, expected finite numbers, 0 or more, and floor ≤ ceiling`,
      );
    this.factor = factor;
    this.floor = floor;
    this.ceiling = ceiling;
  }

  /** An update has come, so long after its round had begun: in time or not. */
  saw(elapsed: number): void {
    this.#arrivals[this.#next] = elapsed;
    this.#next = (this.#next + 1) % arrivalsMax;
  }

  /** How long the round that begins now may wait. */
  get length(): number {
    if (this.#arrivals.length < arrivalsMin) return this.ceiling;
    const median = medianOf(this.#arrivals);
    const spread = medianOf(this.#arrivals.map((arrival) => Math.abs(arrival - median)));
    return Math.min(this.ceiling, Math.max(this.floor, median + this.factor * spread));
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
