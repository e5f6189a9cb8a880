import type { Values } from '../../parameters/values.ts';
import type { Random } from '../../random.ts';
import { standardNormal } from '../../random.ts';

/** What a behaviour knows. */
export interface BehaviourContext {
  /** Main that the training started from; the change counts from it. All 0 for gradients. */
  readonly base: Values;
  readonly random: Random;
}

/**
 * What a child makes of its honest update before it sends it, in place: `'signFlip'` sends the opposite of the change,
 * `'noise'` a random one ten times as large, `'nonFinite'` no numbers at all.
 */
export type Behaviour =
  | 'honest'
  | 'signFlip'
  | 'noise'
  | 'nonFinite'
  | ((values: Values, context: BehaviourContext) => void);

const noiseFactor = 10;

const byName: Readonly<
  Record<
    Exclude<Behaviour, (...given: never) => unknown>,
    (values: Values, context: BehaviourContext) => void
  >
> = {
  honest() {},
  signFlip(values, { base }) {
    for (let i = 0; i < values.length; i++) values[i] = 2 * (base[i] as number) - (values[i] as number);
  },
  noise(values, { base, random }) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - (base[i] as number)) ** 2;
    const deviation = noiseFactor * Math.sqrt(sum / values.length);
    for (let i = 0; i < values.length; i++)
      values[i] = (base[i] as number) + deviation * standardNormal(random);
  },
  nonFinite(values) {
    values[0] = Number.NaN;
  },
};

export function isBehaviour(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'string' && Object.hasOwn(byName, value));
}

/** Changes the values of an update as the behaviour wants it. */
export function misbehave(behaviour: Behaviour, values: Values, context: BehaviourContext): void {
  if (typeof behaviour === 'function') behaviour(values, context);
  else byName[behaviour](values, context);
}
