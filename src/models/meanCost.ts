import type { NetworkEvaluator } from '../kernels/TrainingSession.ts';
import type { Values } from '../parameters/values.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import type { Penalty } from './penalty.ts';
import { addPenalty } from './penalty.ts';

/** Rows to be judged, and by what. */
export interface CostTask {
  readonly evaluator: NetworkEvaluator;
  readonly network: DenseNetwork;
  readonly rows: number;
  readonly penalty: Required<Penalty>;
}

/** The gradient of the mean cost (penalty included) over all rows of the data. */
export function meanGradient(task: CostTask, values: Values): Float64Array<ArrayBuffer> {
  const { evaluator, network, rows, penalty } = task;
  const gradient = new Float64Array(values.length);
  evaluator.begin(values);
  for (let first = 0; first < rows; first += evaluator.chunkRows) {
    evaluator.add(first, Math.min(evaluator.chunkRows, rows - first), true);
  }
  evaluator.readGradient(gradient);
  for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) / rows;
  addPenalty(network, values, penalty, gradient);
  return gradient;
}

/** The mean cost (penalty included) over all rows of the data, pausing after each chunk of them. */
export function* meanCostInSteps(task: CostTask, values: Values): Generator<undefined, number> {
  const { evaluator, network, rows, penalty } = task;
  evaluator.begin(values);
  for (let first = 0; first < rows; first += evaluator.chunkRows) {
    evaluator.add(first, Math.min(evaluator.chunkRows, rows - first), false);
    yield;
  }
  return evaluator.cost / rows + addPenalty(network, values, penalty);
}
