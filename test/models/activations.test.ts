import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArchitectureMismatchError, InvalidOptionError } from '../../src/errors.ts';
import { erf } from '../../src/kernels/erf.ts';
import type { Activation, ActivationName } from '../../src/models/activations.ts';
import { activationNamed } from '../../src/models/activations.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { bits, gradientError, normalRows, randomise, thrownBy } from './support.ts';

const { exp, log, tanh } = Math;
const formulas: [ActivationName, (z: number) => number][] = [
  ['identity', (z) => z],
  ['relu', (z) => Math.max(z, 0)],
  ['leakyRelu', (z) => (z > 0 ? z : 0.01 * z)],
  ['elu', (z) => (z > 0 ? z : exp(z) - 1)],
  ['tanh', (z) => (exp(2 * z) - 1) / (exp(2 * z) + 1)],
  ['sigmoid', (z) => 1 / (1 + exp(-z))],
  ['softplus', (z) => log(1 + exp(z))],
  ['gelu', (z) => (z / 2) * (1 + erf(z / Math.SQRT2))],
  ['silu', (z) => z / (1 + exp(-z))],
  ['mish', (z) => z * tanh(log(1 + exp(z)))],
  ['gaussian', (z) => exp(-(z ** 2))],
];

/** Value and slope at one place, in this dtype. */
function at(name: ActivationName, z: number, Numbers: typeof Float32Array | typeof Float64Array): number[] {
  const { forward, backward } = activationNamed(name);
  const inputs = Numbers.of(z);
  const outputs = Numbers.of(z);
  const delta = Numbers.of(1);
  forward(outputs as Float64Array<ArrayBuffer>, 1, 1);
  const given = [delta, outputs, inputs] as Float64Array<ArrayBuffer>[];
  backward(given[0]!, given[1]!, given[2]!, 1, 1);
  return [outputs[0]!, delta[0]!];
}

describe.each(formulas)('%s', (name, formula) => {
  it('is its formula, with the slope of its formula', () => {
    fc.assert(
      fc.property(fc.double({ min: -6, max: 6, noNaN: true }), (z) => {
        const h = 1e-3;
        // The corner of relu and leakyRelu, and the bend of elu.
        if (Math.abs(z) < 3 * h) return;
        const [value, slope] = at(name, z, Float64Array) as [number, number];
        expect(Math.abs(value - formula(z))).toBeLessThan(1e-13);
        const near = formula(z + h) - formula(z - h);
        const numeric = (8 * near - (formula(z + 2 * h) - formula(z - 2 * h))) / (12 * h);
        expect(Math.abs(slope - numeric)).toBeLessThan(1e-9);
      }),
      { seed: 1 },
    );
  });

  it.each([Float32Array, Float64Array])('is finite far out, in %o', (Numbers) => {
    const places = [-1e4, -710, -300, -88, -20, 0, 20, 88, 300, 710, 1e4];
    const largest = Numbers === Float64Array ? Number.MAX_VALUE : 3.4e38;
    for (const z of [-largest, ...places, largest]) {
      const [value, slope] = at(name, z, Numbers) as [number, number];
      expect([z, Number.isFinite(value), Number.isFinite(slope)]).toEqual([z, true, true]);
      if (z < -80) expect(Math.abs(slope)).toBeLessThan(name === 'identity' ? 2 : 0.011);
    }
  });
});

it('known values', () => {
  expect(at('gelu', 1, Float64Array)[0]).toBeCloseTo(0.8413447460685429, 15);
  expect(at('gelu', -1, Float64Array)[0]).toBeCloseTo(-0.15865525393145707, 15);
  expect(at('mish', 1, Float64Array)[0]).toBeCloseTo(0.8650983882673103, 15);
  expect(at('silu', -2, Float64Array)[0]).toBeCloseTo(-0.2384058440442351, 15);
  expect(at('softplus', 0, Float64Array)).toEqual([Math.LN2, 0.5]);
  expect(at('gaussian', 0, Float64Array)).toEqual([1, -0]);
  expect(at('elu', -1e-10, Float64Array)[0]).toBeCloseTo(-9.9999999995e-11, 24);
});

/** a = z³ / (1 + z²), as formulaActivation would make it. */
function cubic(formula = 'x^3 / (1 + x^2)'): Activation {
  return {
    description: { formula },
    initialisation: 'lecun',
    needsInputs: true,
    forward(values, rows, columns) {
      for (let i = 0; i < rows * columns; i++) values[i] = values[i]! ** 3 / (1 + values[i]! ** 2);
    },
    backward(delta, _outputs, inputs, rows, columns) {
      for (let i = 0; i < rows * columns; i++) {
        const square = inputs[i]! ** 2;
        delta[i]! *= (square * (3 + square)) / (1 + square) ** 2;
      }
    },
  };
}

describe('an activation of your own', () => {
  const rows = 9;
  const features = normalRows(rows, 3, 1);
  const labels = normalRows(rows, 2, 2);
  const layers = (activation = cubic()) => [3, { units: 4, activation, dropout: 0.25 }, 2] as const;
  const options = { maximumNumberOfIterations: 3, batchSize: 4 };

  it('has its gradient, also as the last layer', () => {
    const network = new NeuralNetwork({
      layers: [3, { units: 4, activation: cubic() }, { units: 2, activation: cubic() }],
      dtype: 'float64',
    });
    randomise(network, 3);
    expect(gradientError(network, features, labels)).toBeLessThan(1e-6);
  });

  it('stands in the architecture by its formula', () => {
    const architecture = (network: NeuralNetwork) => network.getModelParameters().layout.architecture;
    const network = new NeuralNetwork({ layers: layers() });
    expect(architecture(network)!.activations).toEqual([{ formula: 'x^3 / (1 + x^2)' }, 'identity']);
    const other = new NeuralNetwork({ layers: layers(cubic('x')) });
    expect(() => other.setModelParameters(network.getModelParameters())).toThrow(ArchitectureMismatchError);
    const same = new NeuralNetwork({ layers: layers(), seed: 8 });
    same.setModelParameters(network.getModelParameters());
    expect(same.predict(features)).toEqual(network.predict(features));
  });

  it('must be given again after JSON, and then continues with the same bits', () => {
    const network = new NeuralNetwork({ layers: layers(), ...options });
    network.train(features, labels);
    const json = JSON.parse(JSON.stringify(network.toJSON()));
    const restored = NeuralNetwork.fromJSON(json, { layers: layers() });
    expect(bits(restored.train(features, labels))).toEqual(bits(network.train(features, labels)));
    expect(() => NeuralNetwork.fromJSON(json, { layers: layers(cubic('x')) })).toThrow(
      ArchitectureMismatchError,
    );
    const error = thrownBy(() => NeuralNetwork.fromJSON(json));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error.message).toMatch(/x\^3.*layers.*formulaActivation of mainstem\/formulas/);
    expect(network.clone().predict(features)).toEqual(network.predict(features));
  });

  it('is not made from parameters alone: the error says what to do', () => {
    const parameters = new NeuralNetwork({ layers: layers() }).getModelParameters();
    const error = thrownBy(() => new NeuralNetwork().setModelParameters(parameters));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error.message).toMatch(/x\^3.*layers.*formulaActivation of mainstem\/formulas/);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['nothing inside', {}],
    ['a name instead of a formula', { ...cubic(), description: 'relu' }],
    ['a name that is none', { ...cubic(), description: 'swish' }],
    ['no description', { ...cubic(), description: undefined }],
    ['a formula that is no text', { ...cubic(), description: { formula: 5 } }],
    ['no backward', { ...cubic(), backward: undefined }],
    ['an unknown start', { ...cubic(), initialisation: 'zero' }],
    ['needsInputs that is no truth', { ...cubic(), needsInputs: 1 }],
  ])('is refused with %s', (_name, activation) => {
    const make = (): NeuralNetwork =>
      new NeuralNetwork({ layers: [3, { units: 2, activation: activation as never }, 1] });
    expect(make).toThrow(InvalidOptionError);
  });
});
