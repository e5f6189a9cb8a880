import type { Values } from '../parameters/values.ts';
import type { Optimizer, OptimizerState } from './Optimizer.ts';

/** θ ← θ − η g. */
export class GradientDescent implements Optimizer {
  readonly name = 'gradientDescent';
  readonly defaultLearningRate = 0.1;
  readonly slotCount = 0;

  step(_state: OptimizerState, values: Values, gradient: ArrayLike<number>, learningRate: number): void {
    for (let i = 0; i < values.length; i++) {
      values[i] = (values[i] as number) - learningRate * (gradient[i] as number);
    }
  }
}
