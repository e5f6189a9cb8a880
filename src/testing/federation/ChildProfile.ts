import { checkOptions, expecting } from '../../models/options.ts';
import type { Delay } from '../networkFaults.ts';
import { isDelay, isProbability } from '../networkFaults.ts';
import type { Behaviour } from './behaviours.ts';
import { isBehaviour } from './behaviours.ts';

/** What one simulated child is like. Times are virtual milliseconds. */
export interface ChildProfile {
  /** How long a training takes: the child's computer. 1,000. */
  readonly trainingMs?: Delay;
  /** How long a message is on its way, besides its bytes. 0. */
  readonly latencyMs?: Delay;
  /** Of its link, each way. Infinity. */
  readonly bytesPerSecond?: number;
  /** Probability that it leaves before its update has arrived. 0. */
  readonly leaves?: number;
  /** What it sends; `'honest'` unless given. */
  readonly behaviour?: Behaviour;
}

export type ResolvedProfile = Required<ChildProfile>;

const delay = expecting('milliseconds, 0 or more: a number, [minimum, maximum], or a function', isDelay);

const checks = {
  trainingMs: delay,
  latencyMs: delay,
  bytesPerSecond: expecting('bytes, above 0', (value) => typeof value === 'number' && value > 0),
  leaves: expecting('a probability, 0 to 1', isProbability),
  behaviour: expecting("'honest', 'signFlip', 'noise', 'nonFinite', or a function", isBehaviour),
};

const defaults: ResolvedProfile = {
  trainingMs: 1_000,
  latencyMs: 0,
  bytesPerSecond: Infinity,
  leaves: 0,
  behaviour: 'honest',
};

/** Fills the defaults in. Throws InvalidOptionError. */
export function resolveProfile(profile: ChildProfile): ResolvedProfile {
  return { ...defaults, ...checkOptions<ChildProfile>(profile, checks) };
}
