import type { Values } from '../parameters/values.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';
import { checkShare } from './settings.ts';

/** Heavy ball: v ← μ v + g, θ ← θ − η v (Polyak 1964). `momentum` μ is 0.9 unless given. */
export class Momentum implements Optimizer {
  readonly name = 'momentum';
  readonly defaultLearningRate = 0.1;
  readonly slotCount = 1;
  readonly momentum: number;

  constructor({ momentum = 0.9 }: { momentum?: number } = {}) {
    this.momentum = checkShare(momentum, 'momentum');
  }

  step(state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    const velocity = state.slots[0] as Float64Array;
    for (let i = 0; i < values.length; i++) {
      const v = this.momentum * (velocity[i] as number) + (gradient[i] as number);
      velocity[i] = v;
      values[i] = (values[i] as number) - learningRate * v;
    }
  }
}
