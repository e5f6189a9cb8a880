import { InvalidOptionError, LayoutMismatchError } from '../../errors.ts';
import { show } from '../../show.ts';
import type { Distribution, Numbers } from './families/Distribution.ts';

/** A member of any family. */
export interface Belief extends Distribution<Belief> {}

/** What is believed, or said, of several variables, by their names. */
export type Beliefs = Readonly<Record<string, Belief>>;

/** Throws InvalidOptionError unless it is a prior: distributions by name, all of them proper. */
export function checkPrior(prior: unknown): void {
  const isRecord = typeof prior === 'object' && prior !== null && !isBelief(prior);
  if (!isRecord || Object.keys(prior).length === 0)
    throw new InvalidOptionError(
      `prior is ${show(prior)}, expected distributions by name: { rate: Gamma.of(1, 1) }`,
    );
  for (const [name, belief] of Object.entries(prior as Beliefs)) {
    if (!isBelief(belief))
      throw new InvalidOptionError(`prior.${name} is ${show(belief)}, expected a distribution`);
    if (!belief.isProper)
      throw new InvalidOptionError(`prior.${name} is improper, expected one that can be normalised`);
  }
}

/** a · b, variable by variable. Throws LayoutMismatchError unless both speak of the same. */
export function multiplyBeliefs<B extends Beliefs>(a: B, b: B): B {
  return combine(a, b, (x, y) => x.multiply(y));
}

/** a / b, variable by variable. Throws LayoutMismatchError unless both speak of the same. */
export function divideBeliefs<B extends Beliefs>(a: B, b: B): B {
  return combine(a, b, (x, y) => x.divide(y));
}

/** Says nothing of any of the variables. */
export function uniformBeliefs<B extends Beliefs>(like: B): B {
  return Object.fromEntries(Object.entries(like).map(([name, belief]) => [name, belief.power(0)])) as B;
}

/** Throws LayoutMismatchError unless it speaks of these variables, each in its family. */
export function requireSameVariables(got: unknown, expected: Beliefs): void {
  const names = Object.keys(expected);
  const given = typeof got === 'object' && got !== null ? (got as Beliefs) : {};
  const others = Object.keys(given).filter((name) => !Object.hasOwn(expected, name));
  const missing = names.filter((name) => !Object.hasOwn(given, name));
  if (others.length + missing.length > 0)
    throw new LayoutMismatchError(`got beliefs about ${list(Object.keys(given))}, expected ${list(names)}`);
  for (const name of names) {
    const [family, wanted] = [given[name]?.family, expected[name]?.family];
    if (family !== wanted)
      throw new LayoutMismatchError(`${name} is a ${family ?? show(given[name])}, expected a ${wanted}`);
  }
}

/** The largest change of a mean in standard deviations, or of the logarithm of a variance, over all variables. */
export function changeOfBeliefs(before: Beliefs, after: Beliefs): number {
  return Math.max(
    ...Object.keys(before).map((name) => changeOf(before[name] as Belief, after[name] as Belief)),
  );
}

/** The same of one variable. */
export function changeOf(before: Belief, after: Belief): number {
  const [means, variances] = [numbers(before.mean), numbers(before.variance)];
  const [nextMeans, nextVariances] = [numbers(after.mean), numbers(after.variance)];
  let most = 0;
  for (let i = 0; i < means.length; i++) {
    const [old, variance] = [variances[i] as number, nextVariances[i] as number];
    const moved = Math.abs((nextMeans[i] as number) - (means[i] as number)) / Math.sqrt(variance);
    // Both may be infinite.
    const widened = old === variance ? 0 : Math.abs(Math.log(variance / old));
    most = Math.max(most, moved, widened);
  }
  return most;
}

/** By how much natural parameters have moved, of the largest of their variable: quickly, and whatever that means for mean and variance. */
export function moveOfNaturals(before: Beliefs, after: Beliefs): number {
  let most = 0;
  for (const [name, { natural }] of Object.entries(before)) {
    const next = (after[name] as Belief).natural;
    let [size, moved] = [Number.MIN_VALUE, 0];
    for (let i = 0; i < natural.length; i++) {
      size = Math.max(size, Math.abs(next[i] as number));
      moved = Math.max(moved, Math.abs((next[i] as number) - (natural[i] as number)));
    }
    most = Math.max(most, moved / size);
  }
  return most;
}

/** Also of another copy of the package. */
function isBelief(value: unknown): value is Belief {
  const { family, natural } = (value ?? {}) as Partial<Belief>;
  return typeof family === 'string' && natural instanceof Float64Array;
}

function combine<B extends Beliefs>(a: B, b: B, both: (x: Belief, y: Belief) => Belief): B {
  requireSameVariables(b, a);
  return Object.fromEntries(
    Object.entries(a).map(([name, belief]) => [name, both(belief, b[name] as Belief)]),
  ) as B;
}

function numbers(value: number | Numbers): Numbers {
  return typeof value === 'number' ? new Float64Array([value]) : value;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}
