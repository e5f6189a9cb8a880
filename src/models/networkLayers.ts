import { ArchitectureMismatchError, InvalidOptionError, LayoutMismatchError } from '../errors.ts';
import type { Architecture } from '../parameters/architecture.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { show } from '../show.ts';
import type { ActivationName } from './activations.ts';
import { activationNamed } from './activations.ts';
import { architectureClasses } from './classification.ts';
import { checkLossPair, lossNamed } from './createLoss.ts';
import type { DenseNetwork } from './DenseNetwork.ts';
import { planNetwork } from './DenseNetwork.ts';
import type { Label } from './labels.ts';
import { checkClasses } from './labels.ts';
import type { LossName } from './losses.ts';

/** One layer of a network. */
export interface LayerOption {
  units: number;
  activation?: ActivationName;
}

/** Hidden units of a network that was given no layers. */
const inferredUnits = 32;

/** Throws InvalidOptionError unless entry `index` of the layers is legal. Entry 0 is the inputs. */
export function checkLayer(layer: number | LayerOption, index: number): void {
  const unknown =
    typeof layer === 'object' && layer !== null
      ? Object.keys(layer).find((key) => key !== 'units' && key !== 'activation')
      : undefined;
  if (unknown !== undefined)
    throw new InvalidOptionError(`layers[${index}] has no option ${unknown}; options are units, activation`);
  const units = unitsOf(layer);
  if (!Number.isSafeInteger(units) || units < 1) {
    throw new InvalidOptionError(
      `layers[${index}] has ${show(units)} units, expected a whole number, 1 or more`,
    );
  }
  const activation = typeof layer === 'number' ? undefined : layer.activation;
  if (activation === undefined) return;
  activationNamed(activation);
  if (index === 0)
    throw new InvalidOptionError(`layers[0] are the inputs and have no activation, got ${activation}`);
  if (activation === 'softmax' && units === 1)
    throw new InvalidOptionError('softmax over one unit is always 1; use sigmoid');
}

function unitsOf(layer: number | LayerOption): number {
  return typeof layer === 'number' ? layer : layer?.units;
}

/** The activation of the last layer that a loss needs. */
const outputActivations: Readonly<Record<LossName, ActivationName>> = {
  crossEntropy: 'softmax',
  binaryCrossEntropy: 'sigmoid',
  meanSquaredError: 'identity',
};

function lossFor(activation: ActivationName | undefined, classes: readonly Label[] | undefined): LossName {
  if (activation === 'softmax' || (activation === undefined && classes !== undefined)) return 'crossEntropy';
  return activation === 'sigmoid' ? 'binaryCrossEntropy' : 'meanSquaredError';
}

/** The network of a list of layers. Throws InvalidOptionError for illegal pairs of activation and loss. */
export function planLayers(
  layers: readonly (number | LayerOption)[],
  givenLoss: LossName | undefined,
  givenClasses: readonly Label[] | undefined,
): DenseNetwork {
  const last = layers[layers.length - 1] as number | LayerOption;
  const lastActivation = typeof last === 'number' ? undefined : last.activation;
  const loss = givenLoss ?? lossFor(lastActivation, givenClasses);
  const activations = layers.slice(1).map((layer, index) => {
    const given = typeof layer === 'number' ? undefined : layer.activation;
    return given ?? (index === layers.length - 2 ? outputActivations[loss] : 'relu');
  });
  checkLossPair(loss, activations[activations.length - 1] as ActivationName);
  const classes = classesFor(loss, unitsOf(last), givenClasses);
  const plans = activations.map((name, index) => ({
    inputs: unitsOf(layers[index] as number | LayerOption),
    outputs: unitsOf(layers[index + 1] as number | LayerOption),
    activation: activationNamed(name),
    hasBias: true,
    prefix: `layers.${index}.`,
  }));
  const architecture: Architecture = {
    model: 'NeuralNetwork',
    activations,
    loss,
    ...(classes === undefined ? {} : { classes }),
  };
  return planNetwork(plans, lossNamed(loss), architecture);
}

/** The classes of a classifier: as many as outputs; 0, 1, 2 … unless given. */
function classesFor(
  loss: LossName,
  units: number,
  given: readonly Label[] | undefined,
): readonly Label[] | undefined {
  if (loss !== 'crossEntropy') {
    if (given === undefined) return undefined;
    throw new InvalidOptionError(`classes are for loss crossEntropy, got loss ${loss}`);
  }
  const classes =
    given === undefined ? Array.from({ length: units }, (_, index) => index) : checkClasses(given);
  if (classes.length !== units) {
    throw new InvalidOptionError(`there are ${classes.length} classes, the last layer has ${units} units`);
  }
  if (units < 2) throw new InvalidOptionError('crossEntropy needs at least 2 units in the last layer');
  return classes;
}

/** Layers for a network that was given none: one hidden layer of 32. */
export function inferLayers(inputs: number, outputs: number): readonly (number | LayerOption)[] {
  return [inputs, inferredUnits, outputs];
}

/**
 * The network that parameters describe, for one that was given no layers. Throws LayoutMismatchError where they
 * describe none, and ArchitectureMismatchError where loss or classes were given and are others.
 */
export function networkFromArchitecture(
  layout: ParameterLayout,
  givenLoss: LossName | undefined,
  givenClasses: readonly Label[] | undefined,
): DenseNetwork {
  const activations = layout.architecture?.activations;
  const loss = layout.architecture?.loss;
  const inputs = layout.find('layers.0.weights')?.shape[0];
  if (!Array.isArray(activations) || typeof loss !== 'string' || inputs === undefined) {
    throw new LayoutMismatchError(
      'this network has no layers yet and the parameters do not describe any; give it layers',
    );
  }
  const classes = architectureClasses(layout.architecture);
  requireSame('loss', loss, givenLoss);
  requireSame('classes', classes, givenClasses && checkClasses(givenClasses));
  const layers = activations.map((activation, index) => {
    const units = layout.find(`layers.${index}.weights`)?.shape[1] ?? 0;
    return { units, activation: activation as ActivationName };
  });
  const all = [inputs, ...layers];
  all.forEach(checkLayer);
  return planLayers(all, loss as LossName, classes);
}

function requireSame(name: string, got: unknown, given: unknown): void {
  if (given === undefined || JSON.stringify(got) === JSON.stringify(given)) return;
  throw new ArchitectureMismatchError(
    `${name} of the parameters is ${show(got)}, the network has ${show(given)}`,
  );
}
