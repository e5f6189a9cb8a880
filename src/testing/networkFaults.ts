import { InvalidOptionError } from '../errors.ts';
import { checkOptions, expecting } from '../models/options.ts';
import type { Random } from '../random.ts';
import { show } from '../show.ts';

/** Virtual milliseconds: always the same, uniform between two, or drawn by a function from the network's own chance. */
export type Delay = number | readonly [minimum: number, maximum: number] | ((random: Random) => number);

/**
 * What goes wrong on a VirtualNetwork; all 0 unless given. Probabilities are for each frame. `delayMs` and `cut`
 * keep the contract of a Connection (frames whole, once, in order, until it closes); `drop`, `duplicate` and
 * `reorder` break it, which no transport of mainstem does: they show what a protocol would survive.
 */
export interface NetworkFaults {
  /** Probability that the frame is lost, in silence. */
  drop?: number;
  /** Probability that the frame arrives a second time, later. */
  duplicate?: number;
  /** Probability that the frame overtakes others that are on their way. */
  reorder?: number;
  /** How long the frame is on its way. It waits for frames before it. */
  delayMs?: Delay;
  /** Probability that the connection breaks as the frame is sent; the frame is lost. */
  cut?: number;
  /** After such a break, how much later than the sender the receiver hears of it. */
  halfOpenMs?: Delay;
}

/** Faults with every default in place. */
export type ResolvedFaults = Readonly<Required<NetworkFaults>>;

const isFiniteFromZero = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;

/** True for a number from 0 to 1. */
export function isProbability(value: unknown): boolean {
  return isFiniteFromZero(value) && (value as number) <= 1;
}

/** True for a Delay. */
export function isDelay(value: unknown): boolean {
  if (typeof value === 'function' || isFiniteFromZero(value)) return true;
  if (!Array.isArray(value) || value.length !== 2 || !value.every(isFiniteFromZero)) return false;
  return (value[0] as number) <= (value[1] as number);
}

const probability = expecting('a probability, 0 to 1', isProbability);
const delay = expecting('milliseconds, 0 or more: a number, [minimum, maximum], or a function', isDelay);

const checks = {
  drop: probability,
  duplicate: probability,
  reorder: probability,
  delayMs: delay,
  cut: probability,
  halfOpenMs: delay,
};

const noFaults: ResolvedFaults = { drop: 0, duplicate: 0, reorder: 0, delayMs: 0, cut: 0, halfOpenMs: 0 };

/** Fills the defaults in. Throws InvalidOptionError for an illegal value and for a name that is no fault. */
export function resolveFaults(faults: NetworkFaults): ResolvedFaults {
  return { ...noFaults, ...checkOptions<NetworkFaults>(faults, checks) };
}

/** True with this probability. What cannot or must happen draws nothing. */
export function happens(probabilityOfIt: number, random: Random): boolean {
  if (probabilityOfIt <= 0) return false;
  return probabilityOfIt >= 1 || random.next() < probabilityOfIt;
}

/** A delay in milliseconds. Throws InvalidOptionError where a function gives none. */
export function drawDelay(given: Delay, random: Random): number {
  if (typeof given === 'number') return given;
  if (typeof given !== 'function') {
    const [minimum, maximum] = given;
    return minimum + (maximum - minimum) * random.next();
  }
  const drawn = given(random);
  if (isFiniteFromZero(drawn)) return drawn;
  throw new InvalidOptionError(`a delay function returned ${show(drawn)}, expected milliseconds, 0 or more`);
}
