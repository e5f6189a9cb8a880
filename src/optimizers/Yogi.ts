import type { Values } from '../parameters/values.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';
import { checkPositive, checkShare } from './settings.ts';

/** Options of Yogi. */
export interface YogiOptions {
  /** Decay of the mean of gradients, 0.9. */
  beta1?: number;
  /** How fast the mean of squared gradients follows them, 0.999. */
  beta2?: number;
  /** Added to the root, 1e-3. */
  epsilon?: number;
}

/**
 * Adam whose mean of squares v moves by a share of g² towards it, and not by a share of the distance: v falls slowly after
 * a large gradient (Zaheer et al. 2018, algorithm 2). Starts from 0 and corrects for it as Adam does.
 */
export class Yogi implements Optimizer {
  readonly name = 'yogi';
  readonly defaultLearningRate = 0.01;
  readonly slotCount = 2;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;

  constructor({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-3 }: YogiOptions = {}) {
    this.beta1 = checkShare(beta1, 'beta1');
    this.beta2 = checkShare(beta2, 'beta2');
    this.epsilon = checkPositive(epsilon, 'epsilon');
  }

  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    const { beta1, beta2, epsilon } = this;
    const [mean, square] = state.slots as [Float64Array, Float64Array];
    const meanCorrection = 1 / (1 - beta1 ** state.steps);
    const squareCorrection = 1 / (1 - beta2 ** state.steps);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] as number;
      const m = beta1 * (mean[i] as number) + (1 - beta1) * g;
      const before = square[i] as number;
      const v = before - (1 - beta2) * Math.sign(before - g * g) * g * g;
      mean[i] = m;
      square[i] = v;
      const root = Math.sqrt(v * squareCorrection) + epsilon;
      values[i] = (values[i] as number) - (learningRate * (m * meanCorrection)) / root;
    }
  }
}
