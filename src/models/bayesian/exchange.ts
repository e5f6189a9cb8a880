import { DidNotConvergeError, InvalidOptionError } from '../../errors.ts';
import { checkOptions, expecting } from '../options.ts';
import type { Distribution, Numbers } from './families/Distribution.ts';
import { SharedVariable } from './SharedVariable.ts';

/** A family whose members have a mean and a variance, of one number or of each of several. */
export interface Belief<D extends Distribution<D>> extends Distribution<D> {
  readonly mean: number | Numbers;
  readonly variance: number | Numbers;
}

/**
 * One machine: a model of a shared variable with data of its own. It is asked again and again, and what it remembers between
 * two rounds is its own affair.
 */
export interface Machine<D> {
  /** Over the shared variable; the same on all machines. */
  readonly prior: D;
  /** What the data of this machine say, given what those of all others say: the prior is in neither. */
  computeMessage(inbox: D): D;
}

/** Options of `exchangeMessages`. */
export interface ExchangeOptions {
  /**
   * `'serial'` (default): each machine hears what the one before has just said. `'parallel'`: all begin a round with what
   * was said in the round before; more rounds, but as many machines at once.
   */
  readonly schedule?: 'serial' | 'parallel';
  /** Largest change of a mean, in standard deviations, and of the logarithm of a variance, in the last round. 1e-6. */
  readonly tolerance?: number;
  /** 100. */
  readonly maximumNumberOfRounds?: number;
}

/** What came of an exchange. */
export interface Exchange<D extends Distribution<D>> {
  readonly variable: SharedVariable<D>;
  readonly posterior: D;
  readonly rounds: number;
  /** The change of the last round. */
  readonly residual: number;
  /** Rounds in which the product of all messages was improper, and was not taken over whole. */
  readonly improperRounds: number;
}

const checks = {
  schedule: expecting("'serial' or 'parallel'", (value) => value === 'serial' || value === 'parallel'),
  tolerance: expecting('a number above 0', (value) => Number.isFinite(value) && Number(value) > 0),
  maximumNumberOfRounds: expecting(
    'a whole number, 1 or more',
    (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  ),
};

const dampingMin = 0.1;

/**
 * Lets machines exchange messages until nothing changes: then each believes what all data together say, as one machine with
 * all of them would. Rejects nothing silently: throws DidNotConvergeError with the residual after
 * `maximumNumberOfRounds`.
 */
export function exchangeMessages<D extends Belief<D>>(
  machines: Readonly<Record<string, Machine<D>>>,
  options: ExchangeOptions = {},
): Exchange<D> {
  const {
    schedule = 'serial',
    tolerance = 1e-6,
    maximumNumberOfRounds = 100,
  } = checkOptions<ExchangeOptions>(options, checks);
  const names = Object.keys(machines).sort();
  const [first] = names;
  if (first === undefined) throw new InvalidOptionError('there are no machines, expected at least one');
  const variable = new SharedVariable<D>('shared', (machines[first] as Machine<D>).prior);
  let [damping, residual, improperRounds] = [1, Infinity, 0];
  for (let round = 1; round <= maximumNumberOfRounds; round++) {
    const before = variable.posterior;
    const inboxes = names.map((name) => variable.inboxOf(name));
    for (const [index, name] of names.entries()) {
      const inbox = schedule === 'serial' ? variable.inboxOf(name) : (inboxes[index] as D);
      const message = (machines[name] as Machine<D>).computeMessage(inbox);
      variable.receive(name, message, { round, damping });
    }
    const { posterior } = variable;
    const isProper = posterior.isProper;
    if (!isProper) improperRounds++;
    const change = isProper && before.isProper ? changeOf(before, posterior) : Infinity;
    // It turns in circles, or away: smaller steps have the same fixed points.
    if (!isProper || (change > residual && round > 2)) damping = Math.max(dampingMin, damping / 2);
    residual = change;
    // A small step says little of how far there is to go.
    if (residual < tolerance * damping)
      return { variable, posterior, rounds: round, residual, improperRounds };
  }
  throw new DidNotConvergeError(
    residual,
    `the messages still changed by ${residual} after ${maximumNumberOfRounds} rounds, expected less than ${tolerance}`,
  );
}

/** The largest change of a mean in standard deviations, or of the logarithm of a variance. */
export function changeOf<D extends Belief<D>>(before: D, after: D): number {
  const numbers = (value: number | Numbers): Numbers =>
    typeof value === 'number' ? new Float64Array([value]) : value;
  const [means, variances] = [numbers(before.mean), numbers(before.variance)];
  const [nextMeans, nextVariances] = [numbers(after.mean), numbers(after.variance)];
  let most = 0;
  for (let i = 0; i < means.length; i++) {
    const variance = nextVariances[i] as number;
    const moved = Math.abs((nextMeans[i] as number) - (means[i] as number)) / Math.sqrt(variance);
    most = Math.max(most, moved, Math.abs(Math.log(variance / (variances[i] as number))));
  }
  return most;
}
