import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';
import type { ActivationName } from './activations.ts';
import { binaryCrossEntropy, crossEntropy } from './classificationLosses.ts';
import type { Loss, LossName } from './losses.ts';
import { meanSquaredError } from './regressionLosses.ts';

const losses: Readonly<Record<LossName, Loss>> = { crossEntropy, meanSquaredError, binaryCrossEntropy };

/** The loss of a name. Throws InvalidOptionError for an unknown one. */
export function lossNamed(name: LossName): Loss {
  if (Object.hasOwn(losses, name)) return losses[name];
  throw new InvalidOptionError(`loss is ${show(name)}, expected one of ${Object.keys(losses).join(', ')}`);
}

/** Throws InvalidOptionError where a loss cannot follow the last activation. */
export function checkLossPair(loss: LossName, activation: ActivationName): void {
  const { fusesWith } = lossNamed(loss);
  if (fusesWith !== undefined && activation !== fusesWith) {
    throw new InvalidOptionError(`loss ${loss} needs ${fusesWith} as the last activation, got ${activation}`);
  }
}
