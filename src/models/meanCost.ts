import type { Values } from '../parameters/values.ts';
import { weightRanges } from './DenseNetwork.ts';
import type { Objective } from './Objective.ts';
import type { Penalty } from './training.ts';

/** The mean cost (penalty included) over all rows of the data, and its gradient. */
export function meanGradient(
  objective: Objective,
  values: Values,
  penalty: Penalty,
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

/** Turns summed cost and gradient into means and adds the penalty: λ/2 ‖weights‖² and λ weights. */
export function finishMean(
  objective: Objective,
  values: Values,
  penalty: Penalty,
  gradient: Float64Array,
  sum: number,
  rows: number,
): number {
  for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) / rows;
  let cost = sum / rows;
  if (penalty.l2 === 0) return cost;
  for (const [start, end] of weightRanges(objective.network)) {
    for (let i = start; i < end; i++) {
      const weight = values[i] as number;
      cost += (penalty.l2 / 2) * weight * weight;
      gradient[i] = (gradient[i] as number) + penalty.l2 * weight;
    }
  }
  return cost;
}
