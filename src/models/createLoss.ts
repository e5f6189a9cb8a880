import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';
import type { ActivationDescription } from './activations.ts';
import { binaryCrossEntropy, crossEntropy, hinge } from './classificationLosses.ts';
import type { Loss, LossName, LossOption } from './losses.ts';
import { huber, meanSquaredError } from './regressionLosses.ts';

const losses: Readonly<Record<LossName, Loss>> = {
  crossEntropy,
  meanSquaredError,
  binaryCrossEntropy,
  huber: huber(1),
  hinge,
};

/** The loss of a name. Throws InvalidOptionError for an unknown one. */
export function lossNamed(name: LossName): Loss {
  if (Object.hasOwn(losses, name)) return losses[name];
  const names = Object.keys(losses).join(', ');
  throw new InvalidOptionError(
    `loss is ${show(name)}, expected one of ${names}, or { name: 'huber', delta }`,
  );
}

/** The loss that an option means. Throws InvalidOptionError for an unknown one and for illegal settings. */
export function createLoss(option: LossOption): Loss {
  if (typeof option !== 'object' || option === null || option.name !== 'huber') {
    return lossNamed(option as LossName);
  }
  const { name, delta = 1, ...others } = option;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    throw new InvalidOptionError(`loss ${name} has no setting ${unknown}; it has name, delta`);
  }
  if (!(Number.isFinite(delta) && delta > 0)) {
    throw new InvalidOptionError(`delta of loss huber is ${show(delta)}, expected a finite number above 0`);
  }
  return huber(delta);
}

/** Throws InvalidOptionError where a loss cannot follow the last activation. */
export function checkLossPair(
  { name, fusesWith }: Loss,
  activation: ActivationDescription | undefined,
): void {
  if (fusesWith !== undefined && activation !== fusesWith) {
    throw new InvalidOptionError(
      `loss ${name} needs ${fusesWith} as the last activation, got ${show(activation)}`,
    );
  }
}
