import { DivergedError } from '../errors.ts';
import type { Pass, PassSession, TrainingSession } from '../kernels/TrainingSession.ts';
import type { Values } from '../parameters/values.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import { shuffle } from '../random.ts';
import type { EarlyStopping } from './earlyStopping.ts';
import type { CostTask } from './meanCost.ts';
import { meanCostInSteps } from './meanCost.ts';
import type { IterationReport, TrainingStep } from './trainOptions.ts';
import { reportOf } from './trainOptions.ts';

/** All that one training needs. `values` are up to date after each pass, and when it ends. */
export interface TrainingPlan {
  readonly session: TrainingSession | PassSession;
  readonly rows: number;
  readonly values: Values;
  /** The state of the optimizer, which is up to date with the values. */
  readonly slots: readonly Float64Array[];
  readonly batchSize: number;
  readonly iterations: number;
  readonly tolerance: number;
  readonly random: Random;
  readonly validation: CostTask | undefined;
  readonly earlyStopping: EarlyStopping | undefined;
  readonly onIteration: ((report: IterationReport) => boolean | undefined | void) | undefined;
  /** Whether there are pauses within a pass. */
  readonly isSliced: boolean;
}

/** A step that is not done before its pass has ended elsewhere; until then `next()` must not be called. */
export interface PassingStep extends TrainingStep {
  readonly pass: Pass;
}

/**
 * Mini-batch gradient descent as a generator: each `next()` works through one chunk of rows, so that a loop with
 * something else to do can stop between any two. Returns the cost of each iteration.
 */
export function* trainInSteps(plan: TrainingPlan): Generator<TrainingStep, number[]> {
  const { session, rows, values, iterations, tolerance, earlyStopping, onIteration } = plan;
  const costs: number[] = [];
  const order = plan.batchSize < rows ? new Int32Array(rows) : undefined;
  // Somebody may look at the parameters between two passes.
  const isWatched = plan.isSliced || onIteration !== undefined || plan.validation !== undefined;
  try {
    for (let iteration = 1; iteration <= iterations; iteration++) {
      if (order !== undefined) {
        for (let i = 0; i < order.length; i++) order[i] = i;
        shuffle(order, plan.random);
      }
      const cost =
        'startPass' in session
          ? yield* awaitPass(session.startPass(order), iteration)
          : yield* runIteration(plan, session, order, iteration);
      if (isWatched) session.sync();
      const validationCost = yield* validate(plan, iteration);
      const before = costs[costs.length - 1];
      costs.push(cost);
      if (plan.isSliced) yield { iteration, rows, cost };
      const goesOn = validationCost === undefined || earlyStopping?.observe(validationCost, values) !== false;
      if (onIteration?.(reportOf(iteration, cost, validationCost)) === false || !goesOn) break;
      if (before !== undefined && Math.abs(before - cost) < tolerance) break;
    }
  } finally {
    session.sync();
    session.release();
  }
  earlyStopping?.restore(values);
  const bad = findNonFinite(values);
  if (bad >= 0) throw diverged(costs.length, `parameter ${bad} became ${values[bad]}`);
  // A square of a gradient that overflows stops its parameter for good, and says nothing.
  if (plan.slots.some((slot) => findNonFinite(slot) >= 0)) {
    throw diverged(costs.length, 'gradients became too large for the state of the optimizer');
  }
  return costs;
}

/** One pass over the rows; returns the row-weighted mean of its batches' costs. */
function* runIteration(
  { rows, batchSize, isSliced }: TrainingPlan,
  session: TrainingSession,
  order: Int32Array | undefined,
  iteration: number,
): Generator<TrainingStep, number> {
  const { chunkRows } = session;
  session.begin(order);
  let total = 0;
  for (let batch = 0; batch < rows; batch += batchSize) {
    const end = Math.min(batch + batchSize, rows);
    let first = batch;
    for (; first + chunkRows < end; first += chunkRows) {
      session.add(first, chunkRows);
      if (isSliced) yield { iteration, rows: first + chunkRows, cost: undefined };
    }
    const cost = session.complete(first, end - first);
    if (!Number.isFinite(cost)) throw diverged(iteration, `the cost became ${cost}`);
    total += cost * (end - batch);
    if (isSliced && end < rows) yield { iteration, rows: end, cost: undefined };
  }
  return total / rows;
}

/** The same, done elsewhere. */
function* awaitPass(pass: Pass, iteration: number): Generator<PassingStep, number> {
  yield { iteration, rows: 0, cost: undefined, pass };
  const cost = pass.cost();
  if (!Number.isFinite(cost)) throw diverged(iteration, `the cost became ${cost}`);
  return cost;
}

/** The cost of the validation data, if there is any. */
function* validate(
  { rows, validation, values, isSliced }: TrainingPlan,
  iteration: number,
): Generator<TrainingStep, number | undefined> {
  if (validation === undefined) return undefined;
  const work = meanCostInSteps(validation, values);
  for (;;) {
    if (isSliced) yield { iteration, rows, cost: undefined };
    const { done, value } = work.next();
    if (done !== true) continue;
    if (!Number.isFinite(value)) throw diverged(iteration, `the cost of the validation data became ${value}`);
    return value;
  }
}

function diverged(iteration: number, what: string): DivergedError {
  return new DivergedError(
    iteration,
    `training diverged in iteration ${iteration}: ${what}; use a lower learning rate or scale the features`,
  );
}
