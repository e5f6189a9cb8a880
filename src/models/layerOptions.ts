import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';
import type { Activation, ActivationDescription, ActivationName } from './activations.ts';
import { resolveActivation } from './activations.ts';

/** One layer of a network. */
export interface LayerOption {
  units: number;
  /** A name, or an object of your own: see `formulaActivation` of mainstem/formulas. */
  activation?: ActivationName | Activation;
  /**
   * The share of units that a training leaves out of each row at random, 0 or more and below 1; 0. Hidden layers
   * only. Predictions and costs have none of it, and it is no part of the architecture.
   */
  dropout?: number;
}

const names = ['units', 'activation', 'dropout'];

/** Throws InvalidOptionError unless entry `index` of the layers is legal. Entry 0 is the inputs. */
export function checkLayer(layer: number | LayerOption, index: number): void {
  const given: Partial<LayerOption> = typeof layer === 'object' && layer !== null ? layer : {};
  const unknown = Object.keys(given).find((key) => !names.includes(key));
  if (unknown !== undefined) {
    throw new InvalidOptionError(
      `layers[${index}] has no option ${unknown}; options are ${names.join(', ')}`,
    );
  }
  const units = unitsOf(layer);
  if (!Number.isSafeInteger(units) || units < 1) {
    throw new InvalidOptionError(
      `layers[${index}] has ${show(units)} units, expected a whole number, 1 or more`,
    );
  }
  const { activation, dropout } = given;
  if (index === 0 && (activation !== undefined || dropout !== undefined)) {
    throw new InvalidOptionError(
      `layers[0] are the inputs and have no activation or dropout, got ${show(layer)}`,
    );
  }
  if (dropout !== undefined && !(Number.isFinite(dropout) && dropout >= 0 && dropout < 1)) {
    throw new InvalidOptionError(`layers[${index}] has dropout ${show(dropout)}, expected 0 ≤ dropout < 1`);
  }
  if (activation !== undefined && resolveActivation(activation).description === 'softmax' && units === 1)
    throw new InvalidOptionError('softmax over one unit is always 1; use sigmoid');
}

/** The units of a layer. */
export function unitsOf(layer: number | LayerOption): number {
  return typeof layer === 'number' ? layer : layer?.units;
}

/** The activation that a layer was given, if any. */
export function activationOf(layer: number | LayerOption): Activation | undefined {
  const given = typeof layer === 'number' ? undefined : layer.activation;
  return given === undefined ? undefined : resolveActivation(given);
}

/** The dropout of each layer behind the inputs. Throws InvalidOptionError where the last one has any. */
export function dropoutShares(layers: readonly (number | LayerOption)[]): number[] {
  const shares = layers.slice(1).map((layer) => (typeof layer === 'number' ? 0 : (layer.dropout ?? 0)));
  if ((shares[shares.length - 1] ?? 0) > 0) {
    throw new InvalidOptionError('the last layer has dropout; it is for hidden layers only');
  }
  return shares;
}

/** A layer as plain JSON. An activation of your own becomes its description. */
export function layerToJson(
  layer: number | LayerOption,
): number | { units: number; activation?: ActivationDescription; dropout?: number } {
  if (typeof layer === 'number' || layer.activation === undefined) return layer as number;
  return { ...layer, activation: resolveActivation(layer.activation).description };
}

/** What of a layer shapes the parameters: all but the dropout. */
export function layerShape(layer: number | LayerOption): object {
  return { units: unitsOf(layer), activation: activationOf(layer)?.description };
}
