import { systemClock } from '../../clock.ts';
import { InvalidOptionError, SimulationError, toError } from '../../errors.ts';
import { simulationLimits } from '../../limits.ts';
import type { Features } from '../../models/features.ts';
import type { Labels } from '../../models/labels.ts';
import type { Model } from '../../models/Model.ts';
import { anInteger, checkOptions, countOfOneOrMore, expecting } from '../../models/options.ts';
import type { TrainOptions } from '../../models/trainOptions.ts';
import type { ModelParameters } from '../../parameters/ModelParameters.ts';
import type { Random } from '../../random.ts';
import type { CoordinatorDescription } from '../../replay/description.ts';
import { checkDescription } from '../../replay/description.ts';
import type { Store } from '../../storage/Store.ts';
import { timeLimit } from '../driveTime.ts';
import type { ChildProfile } from './ChildProfile.ts';
import type { FederationCounts } from './FederationRun.ts';
import { FederationRun } from './FederationRun.ts';

/** The rows of one child. */
export interface ChildRows {
  readonly features: Features;
  readonly labels: Labels;
}

/** A main of a simulated federation. */
export interface SimulatedMain {
  readonly version: number;
  /** Virtual milliseconds since the start. */
  readonly atMs: number;
  readonly main: ModelParameters;
}

/** Options of `simulateFederation`. */
export interface FederationSimulationOptions {
  /** How many children there are. What is kept grows with those at work, not with these. */
  readonly children: number;
  /** Children at work at once; in synchronous rounds those that begin with each new main. All, at most 100, unless given. */
  readonly atOnce?: number;
  /** In plain JSON. Unless given: synchronous rounds of `atOnce` children that send parameters, or fewer where some are late. */
  readonly coordinator?: CoordinatorDescription;
  /** A model; one serves all children, one after the other. Its first parameters are the first main. */
  createModel(): Model;
  /** The rows of a child, asked for when it trains; `skewedShards` gives some. */
  rows(child: number): ChildRows;
  /** What a child is like; asked for when it begins to work. Its random numbers are the child's own, always the same. */
  profile?(child: number, random: Random): ChildProfile;
  /** What each training is told. */
  readonly training?: Pick<TrainOptions, 'maximumNumberOfIterations'>;
  /** Versions of main after the first, 100. */
  readonly versions?: number;
  /** Integer that fixes the run, 0. */
  readonly seed?: number;
  /** Virtual milliseconds, an hour for each version. */
  readonly timeLimitMs?: number;
  /** Called with each main; returning false ends the run. */
  onMain?(main: SimulatedMain): boolean | undefined | void;
  /** Where a log is written that `replayLog` of mainstem/replay makes main of again. */
  readonly log?: Store;
}

/** What came of a simulated federation. */
export interface FederationSimulation {
  readonly seed: number;
  readonly main: ModelParameters;
  /** Versions of main after the first. */
  readonly versions: number;
  /** Virtual milliseconds. */
  readonly tookMs: number;
  /** What children have done. */
  readonly counts: FederationCounts;
}

const method = expecting('a function', (value) => typeof value === 'function');
const checks = {
  children: countOfOneOrMore,
  atOnce: countOfOneOrMore,
  coordinator: (value: unknown): void => void checkDescription(value as CoordinatorDescription),
  createModel: method,
  rows: method,
  profile: method,
  training: expecting('options of train', (value) => typeof value === 'object' && value !== null),
  versions: countOfOneOrMore,
  seed: anInteger,
  timeLimitMs: timeLimit,
  onMain: method,
  log: expecting('a Store', (value) => typeof (value as Store)?.batch === 'function'),
};

const atOnceDefault = 100;
/** Events between two turns of the real event loop. */
const eventsPerTurn = 64;

/**
 * Thousands of children in one thread, at virtual time: each begins with main, trains its rows for as long as its profile
 * says, sends what came of it, and is forgotten. The same seed gives the same main, bit for bit, with the same kernel.
 * Rejects with a SimulationError that names the seed, where main stops moving and nobody is left who could move it, or the limit of
 * time is reached.
 */
export async function simulateFederation(
  options: FederationSimulationOptions,
): Promise<FederationSimulation> {
  const checked = checkOptions<FederationSimulationOptions>(options, checks);
  const { children, createModel, rows, seed = 0, versions = 100 } = checked;
  if (children === undefined || createModel === undefined || rows === undefined)
    throw new InvalidOptionError('simulateFederation needs children, createModel and rows');
  const atOnce = Math.min(children, checked.atOnce ?? atOnceDefault);
  const coordinator: CoordinatorDescription = checked.coordinator ?? {
    kind: 'parameters',
    mode: { mode: 'synchronous', children: atOnce, quorum: 1 },
  };
  const { timeLimitMs = versions * simulationLimits.timeLimitMs } = checked;
  // As it was given: its methods may need it.
  const run = new FederationRun({ ...options, coordinator, atOnce, versions, seed });
  try {
    await run.begin();
    for (let event = 1; !run.isDone; event++) {
      if (!(await run.next(timeLimitMs))) throw new Error(run.stalled(timeLimitMs));
      if (event % eventsPerTurn === 0) await systemClock.yieldTurn();
    }
    return await run.end();
  } catch (thrown) {
    const error = toError(thrown);
    if (error instanceof InvalidOptionError) throw error;
    throw new SimulationError(seed, `seed ${seed}, after ${run.nowMs} ms: ${error.message}`, thrown);
  } finally {
    await run.close();
  }
}
