import { describe, expect, it } from 'vitest';
import { formulaActivation } from '../../src/formulas/formulaActivation.ts';
import { activationCodes } from '../../src/kernels/wasm/codes.ts';
import type { Activation, ActivationName } from '../../src/models/activations.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import type { Labels } from '../../src/models/labels.ts';
import type { LossOption } from '../../src/models/losses.ts';
import type { NeuralNetworkOptions } from '../../src/models/NeuralNetwork.ts';
import { normalRows, roundRobin } from '../models/support.ts';
import { expectReference, network, trainingTolerance } from './trainingSupport.ts';
import { dataTypes, withKernels } from './wasmSupport.ts';

const rows = 22;
const features = normalRows(rows, 5, 1);
const numbers = normalRows(rows, 3, 2);
const soft = numbers.map((row) => row.map((x) => 1 / (1 + Math.exp(-x))));
const signs = numbers.map((row) => row.map((x) => (x < 0 ? -1 : 1)));
const classes = roundRobin(rows, [0, 1, 2]);
const twoClasses = roundRobin(rows, ['no', 'yes']);

const activations: [string, ActivationName | Activation][] = [
  ...[...activationCodes.keys()].map((name): [string, ActivationName] => [
    String(name),
    name as ActivationName,
  ]),
  ['gelu', 'gelu'],
  ['a formula', formulaActivation('x / (1 + abs(x)) + 0.1 * x')],
];

describe.each(dataTypes)('with the default kernels in %s the reference is met by', (dtype) => {
  const tolerance = trainingTolerance[dtype];

  it.each(activations)('hidden and last layers of %s', (_name, activation) => {
    const isSoftmax = activation === 'softmax';
    for (const layers of [
      [5, { units: 7, activation }, { units: 6, activation }, { units: 3, activation: 'identity' as const }],
      [5, { units: isSoftmax ? 2 : 1, activation }, { units: 3, activation: 'tanh' as const }],
      // The last layer's own slope, for a loss that contains none.
      ...(isSoftmax || activation === 'sigmoid'
        ? []
        : [[5, { units: 7, activation }, { units: 3, activation }]]),
    ]) {
      const create = network(dtype, { layers, loss: 'meanSquaredError', learningRate: 0.02 });
      expectReference(create, { features, labels: numbers }, tolerance);
    }
    const last = [5, 4, { units: 3, activation }] as const;
    const create = network(dtype, { layers: last, loss: 'huber', learningRate: 0.02 });
    expectReference(create, { features, labels: numbers }, tolerance);
  });

  const losses: [string, LossOption, ActivationName, Labels, NeuralNetworkOptions?][] = [
    ['meanSquaredError', 'meanSquaredError', 'identity', numbers],
    ['huber', 'huber', 'identity', numbers],
    ['huber with a bound of its own', { name: 'huber', delta: 0.3 }, 'tanh', numbers],
    ['binaryCrossEntropy of soft labels', 'binaryCrossEntropy', 'sigmoid', soft],
    ['crossEntropy', 'crossEntropy', 'softmax', classes],
    ['hinge of signs', 'hinge', 'identity', signs],
    ['hinge of classes', 'hinge', 'identity', classes, { classes: [0, 1, 2] }],
    ['hinge of two classes', 'hinge', 'identity', twoClasses, { classes: ['no', 'yes'] }],
  ];

  it.each(losses)('loss %s, with and without a hidden layer', (_name, loss, activation, labels, options) => {
    const units = options?.classes?.length === 2 ? 1 : 3;
    for (const hidden of [[], [{ units: 6, activation: 'relu' as const }]]) {
      const layers = [5, ...hidden, { units, activation }];
      expectReference(network(dtype, { ...options, layers, loss }), { features, labels }, tolerance);
    }
  });

  it.each([
    ['squared errors', 'meanSquaredError', 'identity', (x: number) => 3 * x],
    ['soft labels', 'binaryCrossEntropy', 'sigmoid', (x: number) => 1 / (1 + Math.exp(-x))],
    ['a last activation of its own', 'meanSquaredError', 'tanh', (x: number) => x],
  ] as const)('networks of one layer and one output: %s', (_name, loss, activation, label) => {
    const labels = numbers.map((row) => label(row[0]!));
    for (const batchSize of [1, 5, 100]) {
      const create = network(dtype, { layers: [5, { units: 1, activation }], loss, batchSize });
      expectReference(create, { features, labels }, tolerance);
    }
  });

  it('linear regression with one output and several, with and without an intercept', () => {
    for (const fitIntercept of [true, false]) {
      for (const labels of [numbers.map((row) => row[0]!), numbers]) {
        for (const batchSize of [undefined, 1, 6]) {
          const options = { fitIntercept, dtype, maximumNumberOfIterations: 4, learningRate: 0.05 };
          const create = () => new LinearRegression({ ...options, ...(batchSize && { batchSize }) });
          expectReference(create, { features, labels }, tolerance);
        }
      }
    }
  });

  it('logistic regression with two classes and three, with and without an intercept', () => {
    for (const fitIntercept of [true, false]) {
      for (const labels of [twoClasses, classes]) {
        for (const batchSize of [undefined, 1, 6]) {
          const options = { fitIntercept, dtype, maximumNumberOfIterations: 4, penalty: { l2: 0.01 } };
          const create = () => new LogisticRegression({ ...options, ...(batchSize && { batchSize }) });
          expectReference(create, { features, labels }, tolerance);
        }
      }
    }
  });
});

it('an activation that is written in JavaScript sees rows × columns without padding, in every kernel', () => {
  const seen = new Set<string>();
  const own: Activation = {
    description: { formula: 'x' },
    initialisation: 'glorot',
    needsInputs: true,
    forward(values, count, columns) {
      seen.add(`${count}×${columns}`);
      for (let i = 0; i < count * columns; i++) values[i] = Math.atan(values[i]!);
    },
    backward(delta, outputs, inputs, count, columns) {
      for (let i = 0; i < count * columns; i++) {
        expect(outputs[i]).toBeCloseTo(Math.atan(inputs[i]!), 6);
        delta[i] = delta[i]! / (1 + inputs[i]! ** 2);
      }
    },
  };
  const create = network('float64', { layers: [5, { units: 3, activation: own }, 3], batchSize: 5 });
  expectReference(create, { features, labels: numbers }, 1e-10);
  withKernels('reference', () => create().train(features, numbers));
  expect([...seen].sort()).toEqual(['22×3', '2×3', '5×3']);
});
