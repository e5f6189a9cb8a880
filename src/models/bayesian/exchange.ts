import { DidNotConvergeError, InvalidOptionError } from '../../errors.ts';
import { aboveZero, checkOptions, countOfOneOrMore, expecting } from '../options.ts';
import type { BayesianModel } from './BayesianModel.ts';
import type { Belief, Beliefs } from './beliefs.ts';
import type { RoundReport } from './Convergence.ts';
import { Convergence } from './Convergence.ts';
import type { Proposals } from './SharedVariables.ts';
import { SharedVariables } from './SharedVariables.ts';

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
export interface Exchange<B extends Beliefs> {
  readonly variables: SharedVariables<B>;
  readonly posterior: B;
  readonly rounds: readonly RoundReport[];
  /** The change of the last round. */
  readonly residual: number;
}

const checks = {
  schedule: expecting("'serial' or 'parallel'", (value) => value === 'serial' || value === 'parallel'),
  tolerance: aboveZero,
  maximumNumberOfRounds: countOfOneOrMore,
};

/**
 * Lets models exchange messages, in this process, until nothing changes: then each believes what all data together say, as one
 * model with all of them would. Throws DidNotConvergeError with the residual after `maximumNumberOfRounds`.
 */
export function exchangeMessages<B extends Beliefs>(
  machines: Readonly<Record<string, BayesianModel<B>>>,
  options: ExchangeOptions = {},
): Exchange<B> {
  const {
    schedule = 'serial',
    tolerance = 1e-6,
    maximumNumberOfRounds = 100,
  } = checkOptions<ExchangeOptions>(options, checks);
  const [first] = Object.values(machines);
  if (first === undefined) throw new InvalidOptionError('there are no machines, expected at least one');
  const variables = new SharedVariables<B>(first.prior);
  const convergence = new Convergence(tolerance);
  const rounds: RoundReport[] = [];
  while (rounds.length < maximumNumberOfRounds) {
    const before = variables.posterior;
    const proposals =
      schedule === 'serial'
        ? inTurn(machines, variables, convergence.damping)
        : allAtOnce(machines, variables, convergence.damping);
    const report = convergence.ended({ before, after: variables.posterior, ...summed(proposals, variables) });
    rounds.push(report);
    const { residual, isConverged } = report;
    if (isConverged) return { variables, posterior: variables.posterior, rounds, residual };
  }
  const residual = rounds.at(-1)?.residual ?? Infinity;
  throw new DidNotConvergeError(
    residual,
    `the messages still changed by ${residual} after ${maximumNumberOfRounds} rounds, expected less than ${tolerance}`,
  );
}

type Machines<B extends Beliefs> = Readonly<Record<string, BayesianModel<B>>>;

function inTurn<B extends Beliefs>(
  machines: Machines<B>,
  variables: SharedVariables<B>,
  damping: number,
): Proposals<B>[] {
  return Object.keys(machines)
    .sort()
    .map((name) => {
      const message = (machines[name] as BayesianModel<B>).computeMessage(variables.inboxOf(name));
      const proposals = variables.propose(new Map([[name, message]]), damping);
      variables.adopt(proposals);
      return proposals;
    });
}

function allAtOnce<B extends Beliefs>(
  machines: Machines<B>,
  variables: SharedVariables<B>,
  damping: number,
): Proposals<B>[] {
  const said = Object.entries(machines).map(
    ([name, machine]) => [name, machine.computeMessage(variables.inboxOf(name))] as const,
  );
  const proposals = variables.propose(new Map(said), damping);
  variables.adopt(proposals);
  return [proposals];
}

function summed<B extends Beliefs>(
  proposals: readonly Proposals<B>[],
  { machines, prior }: SharedVariables<B>,
): { clipped: number; skipped: number; messages: number; bytes: number } {
  const size = Object.values(prior).reduce((sum: number, { natural }: Belief) => sum + natural.byteLength, 0);
  const messages = machines.length;
  let [clipped, skipped] = [0, 0];
  for (const proposal of proposals) {
    clipped += proposal.clipped;
    skipped += proposal.skipped;
  }
  return { clipped, skipped, messages, bytes: messages * size };
}
