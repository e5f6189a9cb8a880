import type { Values } from '../parameters/values.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';
import { checkPositive, checkShare } from './settings.ts';

/** Options of Adam. */
export interface AdamOptions {
  /** Decay of the mean of gradients, 0.9. */
  beta1?: number;
  /** Decay of the mean of squared gradients, 0.999. */
  beta2?: number;
  /** Added to the root, 1e-8. */
  epsilon?: number;
}

/** Adam with bias correction (Kingma and Ba 2015, algorithm 1). */
export class Adam implements Optimizer {
  readonly name = 'adam';
  readonly defaultLearningRate = 0.001;
  readonly slotCount = 2;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;

  constructor({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}) {
    this.beta1 = checkShare(beta1, 'beta1');
    this.beta2 = checkShare(beta2, 'beta2');
    this.epsilon = checkPositive(epsilon, 'epsilon');
  }

  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    const { beta1, beta2, epsilon } = this;
    const mean = state.slots[0] as Float64Array;
    const square = state.slots[1] as Float64Array;
    const meanCorrection = 1 / (1 - beta1 ** state.steps);
    const squareCorrection = 1 / (1 - beta2 ** state.steps);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] as number;
      const m = beta1 * (mean[i] as number) + (1 - beta1) * g;
      const v = beta2 * (square[i] as number) + (1 - beta2) * g * g;
      mean[i] = m;
      square[i] = v;
      values[i] =
        (values[i] as number) -
        (learningRate * (m * meanCorrection)) / (Math.sqrt(v * squareCorrection) + epsilon);
    }
  }
}
