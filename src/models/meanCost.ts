import type { Values } from '../parameters/values.ts';
import type { Objective } from './Objective.ts';
import type { Penalty } from './penalty.ts';
import { addPenalty } from './penalty.ts';

/** The mean cost (penalty included) over all rows of the data, and its gradient. */
export function meanGradient(
  objective: Objective,
  values: Values,
  penalty: Required<Penalty>,
): { cost: number; gradient: Float64Array<ArrayBuffer> } {
  const gradient = new Float64Array(values.length);
  let sum = 0;
  for (let first = 0; first < objective.rows; first += objective.chunkRows) {
    const count = Math.min(objective.chunkRows, objective.rows - first);
    sum += objective.accumulate(values, undefined, first, count, gradient);
  }
  const cost = finishMean(objective, values, penalty, gradient, sum, objective.rows);
  return { cost, gradient };
}

/** The mean cost (penalty included) over all rows of the data, pausing after each chunk of them. */
export function* meanCostInSteps(
  objective: Objective,
  values: Values,
  penalty: Required<Penalty>,
): Generator<undefined, number> {
  let sum = 0;
  for (let first = 0; first < objective.rows; first += objective.chunkRows) {
    sum += objective.cost(values, first, Math.min(objective.chunkRows, objective.rows - first));
    yield;
  }
  return sum / objective.rows + addPenalty(objective.network, values, penalty);
}

/** Turns summed cost and gradient into means and adds the penalty. */
export function finishMean(
  objective: Objective,
  values: Values,
  penalty: Required<Penalty>,
  gradient: Float64Array,
  sum: number,
  rows: number,
): number {
  for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) / rows;
  return sum / rows + addPenalty(objective.network, values, penalty, gradient);
}
