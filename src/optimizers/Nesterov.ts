import type { Values } from '../parameters/values.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';
import { checkShare } from './settings.ts';

/**
 * Nesterov's accelerated gradient: v ← μ v + g, θ ← θ − η (g + μ v) (Sutskever, Martens, Dahl and Hinton 2013,
 * equations 3 and 4, written for the point that is looked ahead to). `momentum` μ is 0.9 unless given.
 */
export class Nesterov implements Optimizer {
  readonly name = 'nesterov';
  readonly defaultLearningRate = 0.1;
  readonly slotCount = 1;
  readonly momentum: number;

  constructor({ momentum = 0.9 }: { momentum?: number } = {}) {
    this.momentum = checkShare(momentum, 'momentum');
  }

  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    const { momentum } = this;
    const velocity = state.slots[0] as Float64Array;
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] as number;
      const v = momentum * (velocity[i] as number) + g;
      velocity[i] = v;
      values[i] = (values[i] as number) - learningRate * (g + momentum * v);
    }
  }
}
