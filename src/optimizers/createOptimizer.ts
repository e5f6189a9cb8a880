import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';
import { AdaGrad } from './AdaGrad.ts';
import type { AdamOptions } from './Adam.ts';
import { Adam } from './Adam.ts';
import type { AdamWOptions } from './AdamW.ts';
import { AdamW } from './AdamW.ts';
import { GradientDescent } from './GradientDescent.ts';
import { Momentum } from './Momentum.ts';
import { Nesterov } from './Nesterov.ts';
import type { Optimizer } from './Optimizer.ts';
import type { RMSPropOptions } from './RMSProp.ts';
import { RMSProp } from './RMSProp.ts';
import type { YogiOptions } from './Yogi.ts';
import { Yogi } from './Yogi.ts';

/** A built-in optimizer with its settings, as plain JSON. */
export type OptimizerDescription =
  | { readonly name: 'gradientDescent' }
  | { readonly name: 'momentum' | 'nesterov'; readonly momentum?: number }
  | { readonly name: 'adaGrad'; readonly epsilon?: number }
  | ({ readonly name: 'rmsProp' } & RMSPropOptions)
  | ({ readonly name: 'adam' } & AdamOptions)
  | ({ readonly name: 'adamW' } & AdamWOptions)
  | ({ readonly name: 'yogi' } & YogiOptions);

/** The built-in optimizers. */
export type OptimizerName = OptimizerDescription['name'];

/** Whatever an `optimizer` option takes: a name, a name with settings, or an object of your own. */
export type OptimizerOption = OptimizerName | OptimizerDescription | Optimizer;

/** The optimizer that an option means. Throws InvalidOptionError for an unknown one. */
export function createOptimizer(option: OptimizerOption): Optimizer {
  const description = typeof option === 'string' ? ({ name: option } as OptimizerDescription) : option;
  if (typeof description === 'object' && description !== null) {
    if ('step' in description) return requireOptimizer(description);
    refuseUnknownSettings(description);
    switch (description.name) {
      case 'gradientDescent':
        return new GradientDescent();
      case 'momentum':
        return new Momentum(description);
      case 'nesterov':
        return new Nesterov(description);
      case 'adaGrad':
        return new AdaGrad(description);
      case 'rmsProp':
        return new RMSProp(description);
      case 'adam':
        return new Adam(description);
      case 'adamW':
        return new AdamW(description);
      case 'yogi':
        return new Yogi(description);
    }
  }
  const names = Object.keys(settings).join(', ');
  throw new InvalidOptionError(
    `optimizer is ${show(option)}, expected one of ${names}, or an object with a step method`,
  );
}

const settings: Readonly<Record<OptimizerName, readonly string[]>> = {
  gradientDescent: [],
  momentum: ['momentum'],
  nesterov: ['momentum'],
  adaGrad: ['epsilon'],
  rmsProp: ['decay', 'epsilon', 'momentum'],
  adam: ['beta1', 'beta2', 'epsilon'],
  adamW: ['beta1', 'beta2', 'epsilon', 'weightDecay'],
  yogi: ['beta1', 'beta2', 'epsilon'],
};

function refuseUnknownSettings(description: OptimizerDescription): void {
  if (!Object.hasOwn(settings, description.name)) return;
  const known = ['name', ...settings[description.name]];
  const unknown = Object.keys(description).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new InvalidOptionError(
    `optimizer ${description.name} has no setting ${unknown}; it has ${known.join(', ')}`,
  );
}

/** The settings of an optimizer as plain JSON: its name and its own numbers. */
export function describeOptimizer(optimizer: Optimizer): OptimizerDescription {
  const settings = Object.entries(optimizer).filter(
    ([key, value]) => typeof value === 'number' && key !== 'defaultLearningRate' && key !== 'slotCount',
  );
  return { name: optimizer.name, ...Object.fromEntries(settings) } as OptimizerDescription;
}

function requireOptimizer(optimizer: Optimizer): Optimizer {
  const { name, slotCount, defaultLearningRate, step } = optimizer;
  if (
    typeof step === 'function' &&
    typeof name === 'string' &&
    Number.isInteger(slotCount) &&
    slotCount >= 0 &&
    Number.isFinite(defaultLearningRate)
  ) {
    return optimizer;
  }
  throw new InvalidOptionError('an optimizer object needs name, defaultLearningRate, slotCount and step');
}
