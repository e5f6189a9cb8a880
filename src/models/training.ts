import { DivergedError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import { shuffle } from '../random.ts';
import type { EarlyStopping } from './earlyStopping.ts';
import { finishMean, meanCostInSteps } from './meanCost.ts';
import type { Objective } from './Objective.ts';
import type { StepRule } from './ParameterSteps.ts';
import { ParameterSteps } from './ParameterSteps.ts';
import type { Penalty } from './penalty.ts';
import type { IterationReport, TrainingStep } from './trainOptions.ts';
import { reportOf } from './trainOptions.ts';

/** All that one training needs. `values` and the state in `rule` are changed in place. */
export interface TrainingPlan {
  readonly objective: Objective;
  readonly values: Values;
  readonly rule: StepRule;
  readonly penalty: Required<Penalty>;
  readonly batchSize: number;
  readonly iterations: number;
  readonly tolerance: number;
  readonly random: Random;
  /** Where the gradient of the last iteration is kept, if it is. */
  readonly savedGradient: Float64Array | undefined;
  readonly validation: Objective | undefined;
  readonly earlyStopping: EarlyStopping | undefined;
  readonly onIteration: ((report: IterationReport) => boolean | undefined | void) | undefined;
}

/** What the iterations of a training work with. */
interface Workspace {
  readonly gradient: Float64Array<ArrayBuffer>;
  readonly steps: ParameterSteps;
  readonly order: Int32Array | undefined;
}

/**
 * Mini-batch gradient descent as a generator: each `next()` works through one chunk of rows, so that a loop with
 * something else to do can stop between any two. Returns the cost of each iteration.
 */
export function* trainInSteps(plan: TrainingPlan): Generator<TrainingStep, number[]> {
  const { objective, values, iterations, tolerance, earlyStopping, onIteration } = plan;
  const costs: number[] = [];
  const gradient = new Float64Array(values.length);
  const steps = new ParameterSteps(plan.rule, values, gradient);
  const order = plan.batchSize < objective.rows ? new Int32Array(objective.rows) : undefined;
  for (let iteration = 1; iteration <= iterations; iteration++) {
    if (order !== undefined) {
      for (let i = 0; i < order.length; i++) order[i] = i;
      shuffle(order, plan.random);
    }
    const cost = yield* runIteration(plan, iteration, { gradient, steps, order });
    const validationCost = yield* validate(plan, iteration);
    const before = costs[costs.length - 1];
    costs.push(cost);
    yield { iteration, rows: objective.rows, cost };
    const goesOn = validationCost === undefined || earlyStopping?.observe(validationCost, values) !== false;
    if (onIteration?.(reportOf(iteration, cost, validationCost)) === false || !goesOn) break;
    if (before !== undefined && Math.abs(before - cost) < tolerance) break;
  }
  earlyStopping?.restore(values);
  const bad = findNonFinite(values);
  if (bad >= 0) throw diverged(costs.length, `parameter ${bad} became ${values[bad]}`);
  return costs;
}

/** One pass over the rows; returns the row-weighted mean of its batches' costs. */
function* runIteration(
  plan: TrainingPlan,
  iteration: number,
  { gradient, steps, order }: Workspace,
): Generator<TrainingStep, number> {
  const { objective, values, savedGradient } = plan;
  const { rows, chunkRows } = objective;
  let total = 0;
  savedGradient?.fill(0);
  for (let batch = 0; batch < rows; batch += plan.batchSize) {
    const end = Math.min(batch + plan.batchSize, rows);
    gradient.fill(0);
    let sum = 0;
    for (let first = batch; first < end; first += chunkRows) {
      const count = Math.min(chunkRows, end - first);
      sum += objective.accumulate(values, order, first, count, gradient);
      if (first + count < end) yield { iteration, rows: first + count, cost: undefined };
    }
    const cost = finishMean(objective, values, plan.penalty, gradient, sum, end - batch);
    if (!Number.isFinite(cost)) throw diverged(iteration, `the cost became ${cost}`);
    total += cost * (end - batch);
    // Before the step, which clips the gradient in place: what is saved is the gradient of the cost.
    if (savedGradient !== undefined) addShare(savedGradient, gradient, (end - batch) / rows);
    steps.take();
    if (end < rows) yield { iteration, rows: end, cost: undefined };
  }
  return total / rows;
}

/** The cost of the validation data, if there is any. */
function* validate(
  { objective, validation, values, penalty }: TrainingPlan,
  iteration: number,
): Generator<TrainingStep, number | undefined> {
  if (validation === undefined) return undefined;
  const work = meanCostInSteps(validation, values, penalty);
  for (;;) {
    yield { iteration, rows: objective.rows, cost: undefined };
    const { done, value } = work.next();
    if (done !== true) continue;
    if (!Number.isFinite(value)) throw diverged(iteration, `the cost of the validation data became ${value}`);
    return value;
  }
}

function addShare(target: Float64Array, source: Float64Array, share: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + share * (source[i] as number);
}

function diverged(iteration: number, what: string): DivergedError {
  return new DivergedError(
    iteration,
    `training diverged in iteration ${iteration}: ${what}; use a lower learning rate or scale the features`,
  );
}
