import { NonFiniteError } from '../errors.ts';
import type { LearningRateSchedule, ScheduleContext } from '../optimizers/LearningRateSchedule.ts';
import { scheduledRate } from '../optimizers/LearningRateSchedule.ts';
import type { Optimizer, OptimizerState } from '../optimizers/Optimizer.ts';
import { createOptimizerState, optimizerStateFromJson } from '../optimizers/Optimizer.ts';
import type { Values } from '../parameters/values.ts';
import { findNonFinite } from '../parameters/values.ts';
import { inSlices } from '../steps.ts';
import { decodeOptimizerState, encodeOptimizerState } from './persistence.ts';

/** An optimizer's step on main, in slices, that takes effect only when it is adopted. */
export class MainOptimizer {
  readonly #optimizer: Optimizer;
  readonly #schedule: LearningRateSchedule;
  #state: OptimizerState;
  #next: OptimizerState;

  constructor(optimizer: Optimizer, schedule: LearningRateSchedule) {
    this.#optimizer = optimizer;
    this.#schedule = schedule;
    this.#state = createOptimizerState(optimizer, 0);
    this.#next = createOptimizerState(optimizer, 0);
  }

  /** Starts afresh, or from this state, for parameters of this length. */
  reset(length: number, state: OptimizerState = createOptimizerState(this.#optimizer, length)): void {
    this.#state = state;
    this.#next = createOptimizerState(this.#optimizer, length);
  }

  /**
   * Moves `values` against the gradient; the new optimizer state is kept aside. Throws where the schedule gives no
   * learning rate.
   */
  *step(
    values: Float64Array<ArrayBuffer>,
    gradient: Values,
    { base, round }: Omit<ScheduleContext, 'step'>,
  ): Generator<undefined, void> {
    const learningRate = scheduledRate(this.#schedule, { base, round, step: this.#state.steps });
    const steps = this.#state.steps + 1;
    this.#next.steps = steps;
    yield* inSlices(values.length, (start, end) => {
      const slots = this.#next.slots.map((slot, index) => {
        slot.set((this.#state.slots[index] as Float64Array).subarray(start, end), start);
        return slot.subarray(start, end);
      });
      this.#optimizer.step(
        { steps, slots },
        values.subarray(start, end),
        gradient.subarray(start, end),
        learningRate,
      );
      for (const slot of slots) {
        // A huge gradient is finite and its square is not: it would freeze the optimizer for good.
        if (findNonFinite(slot) < 0) continue;
        throw new NonFiniteError(`the state of optimizer ${this.#optimizer.name} would not be finite`);
      }
    });
  }

  /** Makes the last step's state the state. */
  adopt(): void {
    [this.#state, this.#next] = [this.#next, this.#state];
  }

  /** The state as bytes for the store. */
  encode(): Uint8Array {
    return encodeOptimizerState(this.#optimizer.name, this.#state);
  }

  /** Reads what `encode` wrote. Throws MalformedDataError where it is of another optimizer or length. */
  decode(bytes: Uint8Array, length: number): OptimizerState {
    return optimizerStateFromJson(this.#optimizer, decodeOptimizerState(bytes), length);
  }
}
