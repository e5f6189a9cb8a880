import { DivergedError } from '../errors.ts';
import type { Optimizer, OptimizerState } from '../optimizers/Optimizer.ts';
import type { Values } from '../parameters/values.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import { shuffle } from '../random.ts';
import { finishMean } from './meanCost.ts';
import type { Objective } from './Objective.ts';
import type { IterationReport, TrainingStep } from './trainOptions.ts';

/** A penalty on the size of the weights; biases go free. */
export interface Penalty {
  /** λ of λ/2 · ‖weights‖². */
  l2: number;
}

/** All that one training needs. `values` and `state` are changed in place. */
export interface TrainingPlan {
  readonly objective: Objective;
  readonly values: Values;
  readonly optimizer: Optimizer;
  readonly state: OptimizerState;
  readonly learningRate: number;
  readonly penalty: Penalty;
  readonly batchSize: number;
  readonly iterations: number;
  readonly tolerance: number;
  readonly random: Random;
  /** Where the gradient of the last iteration is kept, if it is. */
  readonly savedGradient: Float64Array | undefined;
  readonly onIteration: ((report: IterationReport) => boolean | undefined | void) | undefined;
}

/**
 * Mini-batch gradient descent as a generator: each `next()` works through one chunk of rows, so that a loop with
 * something else to do can stop between any two. Returns the cost of each iteration.
 */
export function* trainInSteps(plan: TrainingPlan): Generator<TrainingStep, number[]> {
  const { objective, iterations, tolerance, onIteration } = plan;
  const costs: number[] = [];
  const gradient = new Float64Array(plan.values.length);
  const hasBatches = plan.batchSize < objective.rows;
  const order = hasBatches ? new Int32Array(objective.rows) : undefined;
  for (let iteration = 1; iteration <= iterations; iteration++) {
    if (order !== undefined) {
      for (let i = 0; i < order.length; i++) order[i] = i;
      shuffle(order, plan.random);
    }
    const cost = yield* runIteration(plan, iteration, order, gradient);
    const before = costs[costs.length - 1];
    costs.push(cost);
    yield { iteration, rows: objective.rows, cost };
    if (onIteration?.({ iteration, cost }) === false) break;
    if (before !== undefined && Math.abs(before - cost) < tolerance) break;
  }
  const bad = findNonFinite(plan.values);
  if (bad >= 0) throw diverged(costs.length, `parameter ${bad} became ${plan.values[bad]}`);
  return costs;
}

/** One pass over the rows; returns the row-weighted mean of its batches' costs. */
function* runIteration(
  plan: TrainingPlan,
  iteration: number,
  order: Int32Array | undefined,
  gradient: Float64Array<ArrayBuffer>,
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
    if (savedGradient !== undefined) addShare(savedGradient, gradient, (end - batch) / rows);
    plan.state.steps++;
    plan.optimizer.step(plan.state, values, gradient, plan.learningRate);
    if (end < rows) yield { iteration, rows: end, cost: undefined };
  }
  return total / rows;
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
