import type { KernelRule } from '../kernels/TrainingSession.ts';
import { AdaGrad } from './AdaGrad.ts';
import { Adam } from './Adam.ts';
import { AdamW } from './AdamW.ts';
import { GradientDescent } from './GradientDescent.ts';
import { Momentum } from './Momentum.ts';
import { Nesterov } from './Nesterov.ts';
import type { Optimizer } from './Optimizer.ts';
import { RMSProp } from './RMSProp.ts';

/** The numbers of a built-in rule for the kernels; undefined for a rule of the user's own, a subclass among them. */
export function kernelRule(optimizer: Optimizer): KernelRule | undefined {
  const { name, slotCount } = optimizer;
  const none = { name, first: 0, second: 0, epsilon: 0, weightDecay: 0, slotCount };
  // Not instanceof: a subclass may step in another way.
  switch (Object.getPrototypeOf(optimizer)) {
    case GradientDescent.prototype:
      return none;
    case Momentum.prototype:
    case Nesterov.prototype:
      return { ...none, first: (optimizer as Momentum).momentum };
    case AdaGrad.prototype:
      return { ...none, epsilon: (optimizer as AdaGrad).epsilon };
    case RMSProp.prototype: {
      const { decay, momentum, epsilon } = optimizer as RMSProp;
      return { ...none, first: decay, second: momentum, epsilon };
    }
    case Adam.prototype: {
      const { beta1, beta2, epsilon } = optimizer as Adam;
      return { ...none, first: beta1, second: beta2, epsilon };
    }
    case AdamW.prototype: {
      const { beta1, beta2, epsilon, weightDecay } = optimizer as AdamW;
      return { ...none, first: beta1, second: beta2, epsilon, weightDecay };
    }
    default:
      return undefined;
  }
}
