import type { NetworkEvaluator, TrainingSession } from '../kernels/TrainingSession.ts';
import type { Values } from '../parameters/values.ts';
import type { Objective } from './Objective.ts';
import { ParameterSteps, type StepRule } from './ParameterSteps.ts';
import type { Penalty } from './penalty.ts';
import { addPenalty } from './penalty.ts';

/** What a training in plain TypeScript works on. `values` and the state in `rule` are changed in place. */
export interface ReferencePlan {
  readonly objective: Objective;
  readonly values: Values;
  readonly rule: StepRule;
  readonly penalty: Required<Penalty>;
  readonly savedGradient: Float64Array | undefined;
}

/** A training in plain TypeScript: every sum in float64, in an order that no engine changes. */
export class ReferenceTraining implements TrainingSession {
  readonly chunkRows: number;
  readonly #plan: ReferencePlan;
  readonly #gradient: Float64Array<ArrayBuffer>;
  readonly #steps: ParameterSteps;
  #order: Int32Array | undefined;
  #sum = 0;
  #batchRows = 0;

  constructor(plan: ReferencePlan) {
    this.chunkRows = plan.objective.chunkRows;
    this.#plan = plan;
    this.#gradient = new Float64Array(plan.values.length);
    this.#steps = new ParameterSteps(plan.rule, plan.values, this.#gradient);
  }

  begin(order: Int32Array | undefined): void {
    this.#order = order;
    this.#plan.savedGradient?.fill(0);
  }

  add(first: number, count: number): void {
    const { objective, values } = this.#plan;
    if (this.#batchRows === 0) this.#gradient.fill(0);
    this.#sum += objective.accumulate(values, this.#order, first, count, this.#gradient);
    this.#batchRows += count;
  }

  complete(first: number, count: number): number {
    this.add(first, count);
    const { objective, values, penalty, savedGradient } = this.#plan;
    const gradient = this.#gradient;
    const rows = this.#batchRows;
    for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) / rows;
    const cost = this.#sum / rows + addPenalty(objective.network, values, penalty, gradient);
    this.#sum = 0;
    this.#batchRows = 0;
    // Before the step, which clips the gradient in place: what is saved is the gradient of the cost.
    if (savedGradient !== undefined) addShare(savedGradient, gradient, rows / objective.rows);
    this.#steps.take();
    return cost;
  }

  sync(): void {}

  release(): void {}
}

/** Costs and gradients in plain TypeScript. */
export class ReferenceEvaluator implements NetworkEvaluator {
  readonly chunkRows: number;
  readonly #objective: Objective;
  #gradient: Float64Array<ArrayBuffer> | undefined;
  #values: Values = new Float64Array(0);
  #sum = 0;

  constructor(objective: Objective) {
    this.chunkRows = objective.chunkRows;
    this.#objective = objective;
  }

  begin(values: Values): void {
    this.#values = values;
    this.#sum = 0;
    this.#gradient?.fill(0);
  }

  add(first: number, count: number, withGradient: boolean): void {
    const values = this.#values;
    if (!withGradient) {
      this.#sum += this.#objective.cost(values, first, count);
      return;
    }
    this.#gradient ??= new Float64Array(values.length);
    this.#sum += this.#objective.accumulate(values, undefined, first, count, this.#gradient);
  }

  get cost(): number {
    return this.#sum;
  }

  readGradient(target: Float64Array): void {
    if (this.#gradient !== undefined) target.set(this.#gradient);
  }

  release(): void {}
}

function addShare(target: Float64Array, source: Float64Array, share: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + share * (source[i] as number);
}
