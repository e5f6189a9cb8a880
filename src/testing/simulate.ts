import { InvalidOptionError, SimulationError, toError } from '../errors.ts';
import { simulationLimits } from '../limits.ts';
import { checkOptions, expecting } from '../models/options.ts';
import type { Random } from '../random.ts';
import { seededRandom } from '../random.ts';
import { driveTime, timeLimit } from './driveTime.ts';
import type { NetworkStatistics } from './NetworkTrace.ts';
import type { NetworkFaults } from './networkFaults.ts';
import { resolveFaults } from './networkFaults.ts';
import { VirtualClock } from './VirtualClock.ts';
import { VirtualNetwork } from './VirtualNetwork.ts';

/** What a simulation gives to its run. */
export interface SimulatedWorld {
  readonly seed: number;
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  /** Chance for the run itself, apart from that of the network. */
  readonly random: Random;
  /** Resolves when so much virtual time has passed. */
  sleep(forMs: number): Promise<void>;
}

/** Options of `simulate`. */
export interface SimulationOptions<Result> {
  /** Integer that fixes the run, 0. */
  seed?: number;
  /** Faults of the network at the start; none unless given. */
  faults?: NetworkFaults;
  /** Virtual milliseconds that the run may take, 3,600,000 (an hour). */
  timeLimitMs?: number;
  /** What happens. Time goes on while it waits; it must wait for nothing outside its world. */
  run(world: SimulatedWorld): Promise<Result> | Result;
}

/** A simulation that has ended well. */
export interface Simulation<Result> {
  readonly seed: number;
  /** What `run` returned. */
  readonly result: Result;
  /** `traceHash` of the network: equal for two runs of the same seed. */
  readonly traceHash: string;
  readonly statistics: NetworkStatistics;
  /** Virtual milliseconds that it took. */
  readonly tookMs: number;
}

/** The chance of the run must not depend on how often the network draws. */
const runStream = 1;

/**
 * Runs a program over a VirtualNetwork and lets virtual time pass while it waits. Rejects with a SimulationError
 * that names the seed where the run fails, waits for something that can never come, or reaches the limit of time.
 *
 * ```ts
 * for (let seed = 0; seed < 100; seed++) await simulate({ seed, run });
 * await simulate({ seed: 37, run }); // replays what failed
 * ```
 */
export async function simulate<Result>(options: SimulationOptions<Result>): Promise<Simulation<Result>> {
  const checked = checkOptions<SimulationOptions<Result>>(options, {
    seed: expecting('an integer', Number.isSafeInteger),
    faults: (value) => {
      resolveFaults(value as NetworkFaults);
    },
    timeLimitMs: timeLimit,
    run: expecting('a function', (value) => typeof value === 'function'),
  });
  const { seed = 0, faults = {}, timeLimitMs = simulationLimits.timeLimitMs, run } = checked;
  if (run === undefined) throw new InvalidOptionError('simulate needs a run: simulate({ seed, run })');
  const clock = new VirtualClock();
  const network = new VirtualNetwork({ seed, clock, faults });
  const sleep = (forMs: number): Promise<void> =>
    new Promise((resolve) => void clock.schedule(resolve, forMs));
  const world: SimulatedWorld = { seed, clock, network, random: seededRandom(seed, runStream), sleep };
  try {
    const result = await driveRun(clock, timeLimitMs, async () => run(world));
    const { traceHash, statistics } = network;
    return { seed, result, traceHash, statistics, tookMs: clock.now() };
  } catch (thrown) {
    const { message } = toError(thrown);
    throw new SimulationError(
      seed,
      `seed ${seed}, after ${clock.now()} ms: ${message}; replay with simulate({ seed: ${seed}, run })`,
      thrown,
    );
  }
}

/** Lets time pass until the run has ended. */
async function driveRun<Result>(
  clock: VirtualClock,
  timeLimitMs: number,
  run: () => Promise<Result>,
): Promise<Result> {
  let hasEnded = false;
  const result = run().finally(() => {
    hasEnded = true;
  });
  // Whoever stops waiting for it must not leave a rejection that nobody handles.
  result.catch(() => {});
  const { timersMax, idleTurnsMax } = simulationLimits;
  const limits = { endMs: timeLimitMs, timersMax, idleTurnsMax };
  const outcome = await driveTime(clock, limits, () => hasEnded);
  if (outcome === 'done') return result;
  if (outcome === 'quiet')
    throw new Error('the run waits for what can never come: no frame is on its way, no timer is set');
  const limit = outcome === 'timeLimit' ? `${timeLimitMs} ms of virtual time` : `${timersMax} timers`;
  throw new Error(`the run did not end within ${limit}`);
}
