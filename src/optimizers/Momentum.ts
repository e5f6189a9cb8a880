import { InvalidOptionError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';

/** Heavy ball: v ← μ v + g, θ ← θ − η v (Polyak 1964). `momentum` μ is 0.9 unless given. */
export class Momentum implements Optimizer {
  readonly name = 'momentum';
  readonly defaultLearningRate = 0.1;
  readonly slotCount = 1;
  readonly momentum: number;

  constructor({ momentum = 0.9 }: { momentum?: number } = {}) {
    if (!(momentum >= 0 && momentum < 1))
      throw new InvalidOptionError(`momentum is ${momentum}, expected 0 ≤ momentum < 1`);
    this.momentum = momentum;
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
