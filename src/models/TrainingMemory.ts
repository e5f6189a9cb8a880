import { ModelBusyError, NoGradientsError } from '../errors.ts';
import type { OptimizerOption } from '../optimizers/createOptimizer.ts';
import { createOptimizer } from '../optimizers/createOptimizer.ts';
import type { ScheduleOption } from '../optimizers/createSchedule.ts';
import { createSchedule } from '../optimizers/createSchedule.ts';
import type { LearningRateSchedule } from '../optimizers/LearningRateSchedule.ts';
import type { Optimizer } from '../optimizers/Optimizer.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import { seededRandom } from '../random.ts';
import type { ModelState } from './ModelState.ts';
import { changingSteps, restoreCheckpoint, takeCheckpoint } from './ModelState.ts';

/** The options that a memory is made from. */
interface RememberedOptions {
  readonly optimizer: OptimizerOption;
  readonly learningRateSchedule?: ScheduleOption;
  readonly seed: number;
}

/** What a model remembers of its trainings besides the parameters, and whether one is under way. */
export class TrainingMemory {
  optimizer: Optimizer;
  schedule: LearningRateSchedule | undefined;
  /** Puts the rows in order, pass by pass. */
  shuffling: Random;
  /** Leaves units out. A sequence of its own: the order of the rows is the same without any dropout. */
  dropout: Random;
  #areGradientsSaved = false;
  #gradients: Gradients | undefined;
  #isBusy = false;

  constructor({ optimizer, learningRateSchedule, seed }: RememberedOptions) {
    this.optimizer = createOptimizer(optimizer);
    this.schedule = learningRateSchedule && createSchedule(learningRateSchedule);
    this.shuffling = seededRandom(seed, 1);
    this.dropout = seededRandom(seed, 2);
  }

  /** Starts all that is random afresh. */
  seed(seed: number): void {
    this.shuffling = seededRandom(seed, 1);
    this.dropout = seededRandom(seed, 2);
  }

  /** Throws ModelBusyError while a training is under way. */
  assertIdle(call: string): void {
    if (!this.#isBusy) return;
    throw new ModelBusyError(
      `${call} was called while a training is under way; finish it or call return() on its iterator`,
    );
  }

  setAreGradientsSaved(areGradientsSaved: boolean): void {
    this.#areGradientsSaved = areGradientsSaved;
    if (!areGradientsSaved) this.#gradients = undefined;
  }

  /** Where a training adds its gradient up, where gradients are saved. */
  createGradientSum(length: number): Float64Array<ArrayBuffer> | undefined {
    return this.#areGradientsSaved ? new Float64Array(length) : undefined;
  }

  saveGradients(gradients: Gradients): void {
    this.#gradients = gradients;
  }

  /** A copy of the saved gradients. Throws NoGradientsError. */
  getGradients(): Gradients {
    if (this.#gradients !== undefined) return this.#gradients.clone();
    throw new NoGradientsError('no gradients were saved; call setAreGradientsSaved(true) before train');
  }

  /** Runs a training; where it throws, the state is put back as it was. */
  *run<Step, Result>(state: ModelState, training: () => Generator<Step, Result>): Generator<Step, Result> {
    this.assertIdle('train');
    const randoms = [this.shuffling, this.dropout];
    const checkpoint = takeCheckpoint(state, randoms);
    this.#isBusy = true;
    let isWhole = false;
    try {
      const result = yield* changingSteps(state, training());
      isWhole = true;
      return result;
    } catch (error) {
      restoreCheckpoint(state, randoms, checkpoint);
      throw error;
    } finally {
      // Stopped half-way, just as it diverged.
      if (!isWhole && findNonFinite(state.values) >= 0) restoreCheckpoint(state, randoms, checkpoint);
      this.#isBusy = false;
    }
  }

  /** Remembers what another one does. */
  copyFrom(other: TrainingMemory): void {
    this.shuffling.setState(other.shuffling.getState());
    this.dropout.setState(other.dropout.getState());
    this.#areGradientsSaved = other.#areGradientsSaved;
    this.#gradients = other.#gradients;
  }
}
