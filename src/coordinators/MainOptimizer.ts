import type { Compression } from '../compression/Compression.ts';
import { NonFiniteError } from '../errors.ts';
import { kernelRule } from '../optimizers/kernelRule.ts';
import type { LearningRateSchedule, ScheduleContext } from '../optimizers/LearningRateSchedule.ts';
import { scheduledRate } from '../optimizers/LearningRateSchedule.ts';
import type { Optimizer, OptimizerState } from '../optimizers/Optimizer.ts';
import { createOptimizerState, optimizerStateFromJson } from '../optimizers/Optimizer.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { findNonFinite } from '../parameters/values.ts';
import { descend } from './descent.ts';
import { decodeOptimizerState, encodeOptimizerState } from './persistence.ts';

const withMomentum = ['momentum', 'nesterov'];

/**
 * Does a step from `start` to before `end`, with the gradient of that range. True where it is known that the result is
 * finite. Throws NonFiniteError where the optimizer's own state would not be.
 */
export type StepRange = (gradient: Values, start: number, end: number) => boolean;

/** An optimizer's step on main, range by range, that takes effect only when it is adopted. */
export class MainOptimizer {
  readonly #optimizer: Optimizer;
  readonly #schedule: LearningRateSchedule;
  /** The rule is GradientDescent's own, and keeps no state. */
  readonly #isDescent: boolean;
  #state: OptimizerState;
  #next: OptimizerState;

  /** Throws InvalidOptionError where updates are compressed in a way that diverges with this optimizer. */
  constructor(optimizer: Optimizer, schedule: LearningRateSchedule, compression: Compression | undefined) {
    if (withMomentum.includes(optimizer.name)) compression?.assertMomentum();
    this.#optimizer = optimizer;
    this.#schedule = schedule;
    this.#isDescent = kernelRule(optimizer, 'float64')?.name === 'gradientDescent';
    this.#state = createOptimizerState(optimizer, 0);
    this.#next = createOptimizerState(optimizer, 0);
  }

  /** Starts afresh, or from this state, for parameters of this length. */
  reset(length: number, state: OptimizerState = createOptimizerState(this.#optimizer, length)): void {
    this.#state = state;
    this.#next = createOptimizerState(this.#optimizer, length);
  }

  /**
   * Prepares a step from main's values to `next`; the new optimizer state is kept aside. Throws where the schedule gives
   * no learning rate.
   */
  begin(
    { values, dtype }: { readonly values: Float64Array<ArrayBuffer>; readonly dtype: DataType },
    next: Float64Array<ArrayBuffer>,
    { base, round }: Omit<ScheduleContext, 'step'>,
  ): StepRange {
    const [before, after] = [this.#state, this.#next];
    const learningRate = scheduledRate(this.#schedule, { base, round, step: before.steps });
    after.steps = before.steps + 1;
    if (this.#isDescent) {
      return (gradient, start, end) => {
        const given = { gradient, learningRate, dtype };
        return descend(next.subarray(start, end), values.subarray(start, end), given);
      };
    }
    return (gradient, start, end) => {
      next.set(values.subarray(start, end), start);
      const slots = after.slots.map((slot, index) => {
        slot.set((before.slots[index] as Float64Array).subarray(start, end), start);
        return slot.subarray(start, end);
      });
      this.#optimizer.step({ steps: after.steps, slots }, next.subarray(start, end), gradient, learningRate);
      for (const slot of slots) {
        // A huge gradient is finite and its square is not: it would freeze the optimizer for good.
        if (findNonFinite(slot) < 0) continue;
        throw new NonFiniteError(`the state of optimizer ${this.#optimizer.name} would not be finite`);
      }
      return false;
    };
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
