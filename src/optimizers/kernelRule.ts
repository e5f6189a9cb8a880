import type { KernelRule } from '../kernels/TrainingSession.ts';
import type { DataType } from '../parameters/values.ts';
import { AdaGrad } from './AdaGrad.ts';
import { Adam } from './Adam.ts';
import { AdamW } from './AdamW.ts';
import { GradientDescent } from './GradientDescent.ts';
import { Momentum } from './Momentum.ts';
import { Nesterov } from './Nesterov.ts';
import type { Optimizer } from './Optimizer.ts';
import { RMSProp } from './RMSProp.ts';

/**
 * The root of the smallest normal float, rounded up: a gradient below it has no square that a float can hold, and is
 * divided by epsilon alone.
 */
const floatEpsilonMin = 1e-18;

/**
 * The numbers of a built-in rule for kernels that keep its state in numbers of `dtype`; undefined for a rule of the
 * user's own, a subclass among them, and for one that needs the range of doubles.
 */
export function kernelRule(optimizer: Optimizer, dtype: DataType): KernelRule | undefined {
  const rule = builtInRule(optimizer);
  const divides = rule !== undefined && rule.epsilon > 0;
  return divides && dtype === 'float32' && rule.epsilon < floatEpsilonMin ? undefined : rule;
}

function builtInRule(optimizer: Optimizer): KernelRule | undefined {
  // A method that was put on the object itself is a rule of the user's own as well.
  if (Object.hasOwn(optimizer, 'step')) return undefined;
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
