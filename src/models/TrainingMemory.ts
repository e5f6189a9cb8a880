import { ModelBusyError, NoGradientsError } from '../errors.ts';
import type { OptimizerOption } from '../optimizers/createOptimizer.ts';
import { createOptimizer } from '../optimizers/createOptimizer.ts';
import type { Optimizer } from '../optimizers/Optimizer.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import { seededRandom } from '../random.ts';
import type { ModelState } from './ModelState.ts';
import { restoreCheckpoint, takeCheckpoint } from './ModelState.ts';

/** What a model remembers of its trainings besides the parameters, and whether one is under way. */
export class TrainingMemory {
  optimizer: Optimizer;
  /** Puts the rows in order, pass by pass. */
  shuffling: Random;
  #areGradientsSaved = false;
  #gradients: Gradients | undefined;
  #isBusy = false;

  constructor(optimizer: OptimizerOption, seed: number) {
    this.optimizer = createOptimizer(optimizer);
    this.shuffling = seededRandom(seed, 1);
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
    const checkpoint = takeCheckpoint(state, this.shuffling);
    this.#isBusy = true;
    let isWhole = false;
    try {
      const result = yield* training();
      isWhole = true;
      return result;
    } catch (error) {
      restoreCheckpoint(state, this.shuffling, checkpoint);
      throw error;
    } finally {
      // Stopped half-way, just as it diverged.
      if (!isWhole && findNonFinite(state.values) >= 0) restoreCheckpoint(state, this.shuffling, checkpoint);
      this.#isBusy = false;
    }
  }

  /** Remembers what another one does. */
  copyFrom(other: TrainingMemory): void {
    this.shuffling.setState(other.shuffling.getState());
    this.#areGradientsSaved = other.#areGradientsSaved;
    this.#gradients = other.#gradients;
  }
}
