import { InvalidOptionError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import { show } from '../show.ts';

/** The built-in activations. leakyRelu has slope 0.01 below 0. */
export type ActivationName = 'identity' | 'relu' | 'leakyRelu' | 'tanh' | 'sigmoid' | 'softmax';

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

const leakySlope = 0.01;

/** 1/(1 + e^−z) without overflow. */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
}

function elementwise(
  name: ActivationName,
  initialisation: Initialisation,
  value: (z: number) => number,
  slope: (a: number) => number,
): Activation {
  return {
    description: name,
    initialisation,
    needsInputs: false,
    forward(values, rows, columns) {
      for (let i = 0; i < rows * columns; i++) values[i] = value(values[i] as number);
    },
    backward(delta, outputs, _inputs, rows, columns) {
      for (let i = 0; i < rows * columns; i++) delta[i] = (delta[i] as number) * slope(outputs[i] as number);
    },
  };
}

/** Softmax by rows; the largest is subtracted first, so that any logits are safe. */
function softmaxForward(values: Values, rows: number, columns: number): void {
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    let largest = -Infinity;
    for (let j = 0; j < columns; j++) largest = Math.max(largest, values[at + j] as number);
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const e = Math.exp((values[at + j] as number) - largest);
      values[at + j] = e;
      sum += e;
    }
    for (let j = 0; j < columns; j++) values[at + j] = (values[at + j] as number) / sum;
  }
}

/** The Jacobian of softmax: δz = a ⊙ (δa − Σ a δa). */
function softmaxBackward(
  delta: Values,
  outputs: Values,
  _inputs: Values,
  rows: number,
  columns: number,
): void {
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    let dot = 0;
    for (let j = 0; j < columns; j++) dot += (delta[at + j] as number) * (outputs[at + j] as number);
    for (let j = 0; j < columns; j++) {
      delta[at + j] = (outputs[at + j] as number) * ((delta[at + j] as number) - dot);
    }
  }
}

const activations: Readonly<Record<ActivationName, Activation>> = {
  identity: {
    description: 'identity',
    initialisation: 'lecun',
    needsInputs: false,
    forward() {},
    backward() {},
  },
  relu: elementwise(
    'relu',
    'he',
    (z) => (z > 0 ? z : 0),
    (a) => (a > 0 ? 1 : 0),
  ),
  leakyRelu: elementwise(
    'leakyRelu',
    'he',
    (z) => (z > 0 ? z : leakySlope * z),
    (a) => (a > 0 ? 1 : leakySlope),
  ),
  tanh: elementwise('tanh', 'glorot', Math.tanh, (a) => 1 - a * a),
  sigmoid: elementwise('sigmoid', 'glorot', sigmoid, (a) => a * (1 - a)),
  softmax: {
    description: 'softmax',
    initialisation: 'glorot',
    needsInputs: false,
    forward: softmaxForward,
    backward: softmaxBackward,
  },
};

/** The activation of a name. Throws InvalidOptionError for an unknown one. */
export function activationNamed(name: ActivationName): Activation {
  if (Object.hasOwn(activations, name)) return activations[name];
  throw new InvalidOptionError(
    `activation is ${show(name)}, expected one of ${Object.keys(activations).join(', ')}`,
  );
}
