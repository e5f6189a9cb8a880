import type { Values } from '../parameters/values.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';
import { checkPositive, checkShare } from './settings.ts';

/** Options of RMSProp. */
export interface RMSPropOptions {
  /** Decay ρ of the mean of squared gradients, 0.9. */
  decay?: number;
  /** Added to the root, 1e-8. */
  epsilon?: number;
  /** μ of v ← μ v + g / (√s + ε); 0: none. */
  momentum?: number;
}

/**
 * Gradients divided by their recent size: s ← ρ s + (1 − ρ) g², θ ← θ − η g / (√s + ε) (Tieleman and Hinton 2012,
 * lecture 6.5).
 */
export class RMSProp implements Optimizer {
  readonly name = 'rmsProp';
  readonly defaultLearningRate = 0.001;
  readonly slotCount: number;
  readonly decay: number;
  readonly epsilon: number;
  readonly momentum: number;

  constructor({ decay = 0.9, epsilon = 1e-8, momentum = 0 }: RMSPropOptions = {}) {
    this.decay = checkShare(decay, 'decay');
    this.epsilon = checkPositive(epsilon, 'epsilon');
    this.momentum = checkShare(momentum, 'momentum');
    this.slotCount = momentum === 0 ? 1 : 2;
  }

  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    const { decay, epsilon, momentum } = this;
    const square = state.slots[0] as Float64Array;
    const velocity = state.slots[1];
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] as number;
      const s = decay * (square[i] as number) + (1 - decay) * g * g;
      square[i] = s;
      let v = g / (Math.sqrt(s) + epsilon);
      if (velocity !== undefined) {
        v += momentum * (velocity[i] as number);
        velocity[i] = v;
      }
      values[i] = (values[i] as number) - learningRate * v;
    }
  }
}
