import { ArchitectureMismatchError, InvalidOptionError, LayoutMismatchError } from '../errors.ts';
import type { Architecture } from '../parameters/architecture.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { show } from '../show.ts';
import type { ActivationName } from './activations.ts';
import { activationNamed } from './activations.ts';
import { architectureClasses, isClassifierLoss } from './classification.ts';
import { checkLossPair, createLoss } from './createLoss.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { planNetwork } from './DenseNetwork.ts';
import type { Label } from './labels.ts';
import { checkClasses } from './labels.ts';
import type { LayerOption } from './layerOptions.ts';
import { activationOf, checkLayer, dropoutShares, unitsOf } from './layerOptions.ts';
import type { LossName, LossOption } from './losses.ts';

/** Hidden units of a network that was given no layers. */
const inferredUnits = 32;

/** The activation of the last layer that a loss needs. */
const lastActivations: Readonly<Record<LossName, ActivationName>> = {
  crossEntropy: 'softmax',
  binaryCrossEntropy: 'sigmoid',
  meanSquaredError: 'identity',
  huber: 'identity',
  hinge: 'identity',
};

function lossFor(last: number | LayerOption, classes: readonly Label[] | undefined): LossName {
  const activation = activationOf(last)?.description;
  if (activation === 'softmax' || (activation === undefined && classes !== undefined)) return 'crossEntropy';
  return activation === 'sigmoid' ? 'binaryCrossEntropy' : 'meanSquaredError';
}

/** The network of a list of layers. Throws InvalidOptionError for illegal pairs of activation and loss. */
export function planLayers(
  layers: readonly (number | LayerOption)[],
  givenLoss: LossOption | undefined,
  givenClasses: readonly Label[] | undefined,
): DenseNetwork {
  const last = layers[layers.length - 1] as number | LayerOption;
  const loss = createLoss(givenLoss ?? lossFor(last, givenClasses));
  dropoutShares(layers);
  const classes = classesFor(loss.name, unitsOf(last), givenClasses);
  const plans = layers.slice(1).map((layer, index) => {
    const isLast = index === layers.length - 2;
    return {
      inputs: unitsOf(layers[index] as number | LayerOption),
      outputs: unitsOf(layer),
      activation: activationOf(layer) ?? activationNamed(isLast ? lastActivations[loss.name] : 'relu'),
      hasBias: true,
      prefix: `layers.${index}.`,
    };
  });
  const activations = plans.map(({ activation }) => activation.description);
  checkLossPair(loss, activations[activations.length - 1]);
  const architecture: Architecture = {
    model: 'NeuralNetwork',
    activations,
    loss: loss.description,
    ...(classes === undefined ? {} : { classes }),
  };
  return planNetwork(plans, loss, architecture);
}

/** How many units the last layer of a classifier has: with hinge two classes share one. */
export function unitsForClasses(loss: LossName, classes: number): number {
  return loss === 'hinge' && classes === 2 ? 1 : classes;
}

/** The classes of a classifier. For crossEntropy 0, 1, 2 … unless given; hinge without any takes rows of −1 and 1. */
function classesFor(
  loss: LossName,
  units: number,
  given: readonly Label[] | undefined,
): readonly Label[] | undefined {
  if (loss === 'crossEntropy' && units < 2)
    throw new InvalidOptionError('crossEntropy needs at least 2 units in the last layer');
  if (given === undefined) {
    return loss === 'crossEntropy' ? Array.from({ length: units }, (_, index) => index) : undefined;
  }
  if (!isClassifierLoss(loss)) {
    throw new InvalidOptionError(`classes are for losses crossEntropy and hinge, got loss ${loss}`);
  }
  const classes = checkClasses(given);
  const expected = unitsForClasses(loss, classes.length);
  if (expected === units) return classes;
  throw new InvalidOptionError(
    `there are ${classes.length} classes, the last layer has ${units} units, expected ${expected}`,
  );
}

/** Layers for a network that was given none: one hidden layer of 32. */
export function inferLayers(inputs: number, outputs: number): readonly (number | LayerOption)[] {
  return [inputs, inferredUnits, outputs];
}

/**
 * The network that parameters describe, for one that was given no layers. Throws LayoutMismatchError where they
 * describe none, InvalidOptionError where an activation is a formula, and ArchitectureMismatchError where loss or
 * classes were given and are others.
 */
export function networkFromArchitecture(
  layout: ParameterLayout,
  givenLoss: LossOption | undefined,
  givenClasses: readonly Label[] | undefined,
): DenseNetwork {
  const activations = layout.architecture?.activations;
  const loss = layout.architecture?.loss;
  const inputs = layout.find('layers.0.weights')?.shape[0];
  if (!Array.isArray(activations) || loss === undefined || inputs === undefined) {
    throw new LayoutMismatchError(
      'this network has no layers yet and the parameters do not describe any; give it layers',
    );
  }
  const classes = architectureClasses(layout.architecture);
  requireSame('loss', loss, givenLoss && createLoss(givenLoss).description);
  requireSame('classes', classes, givenClasses && checkClasses(givenClasses));
  const layers = activations.map((activation, index) => {
    const units = layout.find(`layers.${index}.weights`)?.shape[1] ?? 0;
    return { units, activation: activation as ActivationName };
  });
  const all = [inputs, ...layers];
  all.forEach(checkLayer);
  return planLayers(all, loss as LossOption, classes);
}

function requireSame(name: string, got: unknown, given: unknown): void {
  if (given === undefined || JSON.stringify(got) === JSON.stringify(given)) return;
  throw new ArchitectureMismatchError(
    `${name} of the parameters is ${show(got)}, the network has ${show(given)}`,
  );
}
