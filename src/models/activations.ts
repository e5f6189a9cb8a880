import { InvalidOptionError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import { show } from '../show.ts';
import { elu, identity, leakyRelu, relu, sigmoid, softmax, softplus, tanh } from './outputActivations.ts';
import { gaussian, gelu, mish, silu } from './smoothActivations.ts';

/** The built-in activations; each is described where it is defined. */
export type ActivationName =
  | 'identity'
  | 'relu'
  | 'leakyRelu'
  | 'elu'
  | 'tanh'
  | 'sigmoid'
  | 'softplus'
  | 'gelu'
  | 'silu'
  | 'mish'
  | 'gaussian'
  | 'softmax';

/** How weights in front of an activation start: the variance is 2/in, 2/(in + out) or 1/in. */
export type Initialisation = 'he' | 'glorot' | 'lecun';

/** What an activation is, as plain JSON: part of the architecture. A formula is written in `x`. */
export type ActivationDescription = ActivationName | { readonly formula: string };

/** An activation over whole arrays, in place. */
export interface Activation {
  readonly description: ActivationDescription;
  readonly initialisation: Initialisation;
  /** Whether `backward` reads z: what the outputs do not tell costs one more buffer a layer. */
  readonly needsInputs: boolean;
  /** z → a(z), rows × columns. */
  forward(values: Values, rows: number, columns: number): void;
  /** ∂cost/∂a → ∂cost/∂z, given the outputs a and, where `needsInputs`, the inputs z. */
  backward(delta: Values, outputs: Values, inputs: Values, rows: number, columns: number): void;
}

const activations: Readonly<Record<ActivationName, Activation>> = {
  identity,
  relu,
  leakyRelu,
  elu,
  tanh,
  sigmoid,
  softplus,
  gelu,
  silu,
  mish,
  gaussian,
  softmax,
};

/** The activation of a name. Throws InvalidOptionError for an unknown one. */
export function activationNamed(name: ActivationName): Activation {
  if (Object.hasOwn(activations, name)) return activations[name];
  throw new InvalidOptionError(
    `activation is ${show(name)}, expected one of ${Object.keys(activations).join(', ')}, or an Activation of your own`,
  );
}

/** The activation that an option means: a name, or an object of your own. Throws InvalidOptionError. */
export function resolveActivation(option: ActivationName | Activation): Activation {
  if (typeof option !== 'object' || option === null) return activationNamed(option);
  const { description, initialisation, needsInputs, forward, backward } = option;
  if (typeof forward !== 'function' || typeof backward !== 'function') {
    // What is left of an activation in JSON: either a whole object or its description.
    const formula = formulaOf(description) ?? formulaOf(option);
    if (formula !== undefined) throw needsLayers(formula);
  } else if (formulaOf(description) !== undefined) {
    const isWhole = typeof needsInputs === 'boolean' && Object.hasOwn(variances, initialisation);
    if (isWhole) return option;
  } else if (typeof description === 'string' && activationNamed(description) === option) {
    return option;
  }
  throw new InvalidOptionError(
    `activation is ${show(option)}, expected a name, or an object with description { formula }, initialisation, needsInputs, forward and backward`,
  );
}

function formulaOf(description: unknown): string | undefined {
  const formula: unknown = (description as { formula?: unknown } | null | undefined)?.formula;
  return typeof formula === 'string' ? formula : undefined;
}

function needsLayers(formula: string): InvalidOptionError {
  return new InvalidOptionError(
    `activation ${show(formula)} is a formula, which parameters and JSON only name; give the network its layers (new NeuralNetwork({ layers }), NeuralNetwork.fromJSON(json, { layers })) with formulaActivation of mainstem/formulas`,
  );
}

/** The variance of weights in front of an activation (He 2015, Glorot 2010, LeCun 1998). */
export const variances: Readonly<Record<Initialisation, (inputs: number, outputs: number) => number>> = {
  he: (inputs) => 2 / inputs,
  glorot: (inputs, outputs) => 2 / (inputs + outputs),
  lecun: (inputs) => 1 / inputs,
};
