import type { Values } from '../parameters/values.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';
import { checkPositive } from './settings.ts';

/**
 * Adaptive gradient: G ← G + g², θ ← θ − η g / (√G + ε) (Duchi, Hazan and Singer 2011, figure 1 with diagonal
 * matrices). What is seldom seen moves far. `epsilon` ε is 1e-10 unless given.
 */
export class AdaGrad implements Optimizer {
  readonly name = 'adaGrad';
  readonly defaultLearningRate = 0.01;
  readonly slotCount = 1;
  readonly epsilon: number;

  constructor({ epsilon = 1e-10 }: { epsilon?: number } = {}) {
    this.epsilon = checkPositive(epsilon, 'epsilon');
  }

  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    const { epsilon } = this;
    const sum = state.slots[0] as Float64Array;
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] as number;
      const square = (sum[i] as number) + g * g;
      sum[i] = square;
      values[i] = (values[i] as number) - (learningRate * g) / (Math.sqrt(square) + epsilon);
    }
  }
}
