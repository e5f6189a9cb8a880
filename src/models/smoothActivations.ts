import { erfc } from '../kernels/erf.ts';
import type { Activation, ActivationName, Initialisation } from './activations.ts';
import { logisticSigmoid, logOnePlusExp } from './outputActivations.ts';

/** An activation that is not monotonic: its value does not tell its slope, which needs z. */
function ofInputs(
  name: ActivationName,
  initialisation: Initialisation,
  value: (z: number) => number,
  slope: (z: number) => number,
): Activation {
  return {
    description: name,
    initialisation,
    needsInputs: true,
    forward(values, rows, columns) {
      for (let i = 0; i < rows * columns; i++) values[i] = value(values[i] as number);
    },
    backward(delta, _outputs, inputs, rows, columns) {
      for (let i = 0; i < rows * columns; i++) delta[i] = (delta[i] as number) * slope(inputs[i] as number);
    },
  };
}

/** Φ(z), the share of a normal distribution below z. */
function normalShare(z: number): number {
  return 0.5 * erfc(-z * Math.SQRT1_2);
}

/** z Φ(z), exactly (Hendrycks and Gimpel 2016); its slope is Φ(z) + z φ(z). */
export const gelu: Activation = ofInputs(
  'gelu',
  'he',
  (z) => z * normalShare(z),
  (z) => normalShare(z) + (z * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI),
);

/** z σ(z) (Elfwing, Uchibe and Doya 2018); its slope is σ (1 + z (1 − σ)). */
export const silu: Activation = ofInputs(
  'silu',
  'he',
  (z) => z * logisticSigmoid(z),
  (z) => {
    const s = logisticSigmoid(z);
    return s * (1 + z * (1 - s));
  },
);

/** z tanh(log(1 + e^z)) (Misra 2020); with t that tanh, its slope is t + z σ(z) (1 − t²). */
export const mish: Activation = ofInputs(
  'mish',
  'he',
  (z) => z * Math.tanh(logOnePlusExp(z)),
  (z) => {
    const t = Math.tanh(logOnePlusExp(z));
    return t + z * logisticSigmoid(z) * (1 - t * t);
  },
);

/** e^−z²; its slope is −2 z e^−z². */
export const gaussian: Activation = ofInputs(
  'gaussian',
  'glorot',
  (z) => Math.exp(-z * z),
  // z e^−z² first: −2 z alone may be infinite.
  (z) => -2 * (z * Math.exp(-z * z)),
);
