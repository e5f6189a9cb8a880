import { FormulaError, formulaActivation } from 'mainstem/formulas';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import type { ActivationName } from '../../src/models/activations.ts';
import { activationNamed } from '../../src/models/activations.ts';
import { ridders, thrownBy } from './support.ts';

const inputs = Float64Array.from({ length: 1200 }, (_, index) => (index - 601) / 30 + 0.001);

describe('against the built-in activations', () => {
  const pairs: [ActivationName, string][] = [
    ['identity', 'x'],
    ['relu', 'relu(x)'],
    ['relu', 'max(x, 0)'],
    ['leakyRelu', 'x > 0 ? x : 0.01x'],
    ['leakyRelu', 'max(x, 0.01 x)'],
    ['tanh', 'tanh(x)'],
    ['tanh', '2 sigmoid(2x) - 1'],
    ['sigmoid', 'sigmoid(x)'],
    ['sigmoid', '1 / (1 + exp(-x))'],
  ];
  it.each(pairs)('%s is %s', (name, text) => {
    const builtIn = activationNamed(name);
    const own = formulaActivation(text);
    const [theirs, ours] = [inputs.slice(), inputs.slice()];
    builtIn.forward(theirs, 300, 4);
    own.forward(ours, 300, 4);
    const upstream = inputs.map((x) => Math.cos(x));
    const [theirDelta, ourDelta] = [upstream.slice(), upstream.slice()];
    builtIn.backward(theirDelta, theirs, inputs, 300, 4);
    own.backward(ourDelta, ours, inputs, 300, 4);
    for (let i = 0; i < inputs.length; i++) {
      expect(Math.abs(ours[i]! - theirs[i]!)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(theirs[i]!)));
      expect(Math.abs(ourDelta[i]! - theirDelta[i]!)).toBeLessThanOrEqual(1e-12);
    }
  });
});

it('its slope is the slope of what it computes', () => {
  const texts = [
    'x * sigmoid(x)',
    '0.5 x * (1 + erf(x / sqrt(2)))',
    'x * tanh(softplus(x))',
    'x / (1 + abs(x))',
  ];
  for (const text of texts) {
    const activation = formulaActivation(text);
    const value = (x: number): number => {
      const one = Float64Array.of(x);
      activation.forward(one, 1, 1);
      return one[0]!;
    };
    const delta = new Float64Array(inputs.length).fill(1);
    activation.backward(delta, new Float64Array(inputs.length), inputs, 300, 4);
    for (let i = 0; i < inputs.length; i += 37) {
      const estimates = [0.2, 0.05, 0.01].map((step) => ridders(value, inputs[i]!, step));
      const { slope } = estimates.reduce((a, b) => (b.error < a.error ? b : a));
      const scale = Math.max(1, Math.abs(value(inputs[i]!)));
      expect(Math.abs(delta[i]! - slope) / scale, `${text} at ${inputs[i]}`).toBeLessThan(1e-9);
    }
  }
});

it('works in float32, and leaves alone what is behind the rows', () => {
  const activation = formulaActivation('x * sigmoid(x)');
  const wide = Float64Array.of(-3, 2, 0.5);
  const narrow = Float32Array.of(-3, 2, 0.5, 7);
  activation.forward(wide, 1, 3);
  activation.forward(narrow, 1, 3);
  expect(narrow).toEqual(Float32Array.of(...wide, 7));
  const delta = Float32Array.of(1, 1, 1, 7);
  activation.backward(delta, narrow, Float32Array.of(-3, 2, 0.5, 9), 1, 3);
  const exact = Float64Array.of(1, 1, 1);
  activation.backward(exact, wide, Float64Array.of(-3, 2, 0.5), 1, 3);
  expect(delta).toEqual(Float32Array.of(...exact, 7));
});

it('describes itself, and refuses what it cannot be', () => {
  const activation = formulaActivation('x ^ 2', { initialisation: 'he' });
  expect(activation).toMatchObject({
    description: { formula: 'x ^ 2' },
    initialisation: 'he',
    needsInputs: true,
  });
  expect(formulaActivation('x').initialisation).toBe('glorot');
  expect(thrownBy(() => formulaActivation('x + y'))).toBeInstanceOf(FormulaError);
  expect(thrownBy(() => formulaActivation('3'))).toBeInstanceOf(InvalidOptionError);
  expect(thrownBy(() => formulaActivation('x', { initialisation: 'xavier' as 'he' }))).toBeInstanceOf(
    InvalidOptionError,
  );
  expect(thrownBy(() => formulaActivation('x', { initialization: 'he' } as object))).toBeInstanceOf(
    InvalidOptionError,
  );
});
