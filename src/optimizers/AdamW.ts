import { InvalidOptionError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import type { AdamOptions } from './Adam.ts';
import { Adam } from './Adam.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';

/** Options of AdamW. */
export interface AdamWOptions extends AdamOptions {
  /** λ, 0.01. */
  weightDecay?: number;
}

/**
 * Adam with decoupled weight decay: θ ← θ − η λ θ, then Adam's step (Loshchilov and Hutter 2019, algorithm 2).
 * It knows no tensors, so that every value decays, biases too; the `penalty` of a model leaves biases alone.
 */
export class AdamW implements Optimizer {
  readonly name = 'adamW';
  readonly defaultLearningRate = 0.001;
  readonly slotCount = 2;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #adam: Adam;

  constructor({ weightDecay = 0.01, ...options }: AdamWOptions = {}) {
    if (!(Number.isFinite(weightDecay) && weightDecay >= 0)) {
      throw new InvalidOptionError(`weightDecay is ${weightDecay}, expected a finite number, 0 or more`);
    }
    this.#adam = new Adam(options);
    this.beta1 = this.#adam.beta1;
    this.beta2 = this.#adam.beta2;
    this.epsilon = this.#adam.epsilon;
    this.weightDecay = weightDecay;
  }

  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    const decay = learningRate * this.weightDecay;
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - decay * (values[i] as number);
    this.#adam.step(state, values, gradient, learningRate);
  }
}
