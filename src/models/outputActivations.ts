import type { Values } from '../parameters/values.ts';
import type { Activation, ActivationName, Initialisation } from './activations.ts';

const leakySlope = 0.01;

/** 1/(1 + e^−z) without overflow. */
export function logisticSigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
}

/** log(1 + e^z) without overflow. */
export function logOnePlusExp(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

/** An activation whose slope is a function of its value. */
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

/** a = z. */
export const identity: Activation = {
  description: 'identity',
  initialisation: 'lecun',
  needsInputs: false,
  forward() {},
  backward() {},
};

/** max(z, 0). */
export const relu: Activation = elementwise(
  'relu',
  'he',
  (z) => (z > 0 ? z : 0),
  (a) => (a > 0 ? 1 : 0),
);

/** z, and 0.01 z below 0. */
export const leakyRelu: Activation = elementwise(
  'leakyRelu',
  'he',
  (z) => (z > 0 ? z : leakySlope * z),
  (a) => (a > 0 ? 1 : leakySlope),
);

/** z, and e^z − 1 below 0 (Clevert, Unterthiner and Hochreiter 2016, with α = 1). */
export const elu: Activation = elementwise(
  'elu',
  'he',
  (z) => (z > 0 ? z : Math.expm1(z)),
  (a) => (a > 0 ? 1 : a + 1),
);

export const tanh: Activation = elementwise('tanh', 'glorot', Math.tanh, (a) => 1 - a * a);

/** 1/(1 + e^−z). */
export const sigmoid: Activation = elementwise('sigmoid', 'glorot', logisticSigmoid, (a) => a * (1 - a));

/** log(1 + e^z); its slope is sigmoid(z) = 1 − e^−a. */
export const softplus: Activation = elementwise('softplus', 'he', logOnePlusExp, (a) => -Math.expm1(-a));

/** e^z by rows, divided by its sum. */
export const softmax: Activation = {
  description: 'softmax',
  initialisation: 'glorot',
  needsInputs: false,
  forward: softmaxForward,
  backward: softmaxBackward,
};
