import { LinearRegression, LogisticRegression, NeuralNetwork } from 'mainstem';
import { modelContract } from 'mainstem/testing';
import { describeContract } from './run.ts';

const features = [
  [0, 1],
  [1, 0.5],
  [2, -1],
  [3, 0.25],
  [4, 2],
  [5, -0.5],
  [6, 1.5],
];
const numbers = [1, 2.5, 2, 4.25, 7, 5.5, 8.5];
const labels = ['low', 'low', 'low', 'high', 'high', 'high', 'high'];
const three = [0, 0, 1, 1, 2, 2, 2];

describeContract(
  'LinearRegression',
  modelContract({
    create: () => new LinearRegression({ learningRate: 0.02, maximumNumberOfIterations: 20 }),
    features,
    labels: numbers,
    tolerance: 1e-12,
  }),
);
describeContract(
  'LinearRegression, float32, several outputs, no intercept, momentum, batches',
  modelContract({
    create: () =>
      new LinearRegression({
        learningRate: 0.002,
        maximumNumberOfIterations: 20,
        fitIntercept: false,
        optimizer: 'momentum',
        batchSize: 3,
        dtype: 'float32',
        penalty: { l2: 0.1 },
      }),
    features,
    labels: numbers.map((y) => [y, -y]),
  }),
);
describeContract(
  'LinearRegression, exact',
  modelContract({
    create: () => new LinearRegression({ solver: 'exact' }),
    features,
    labels: numbers,
    tolerance: 1e-9,
  }).map((one) =>
    one.name.startsWith('gradients fit') ? { ...one, skip: 'the exact solver takes no gradient steps' } : one,
  ),
);
describeContract(
  'LogisticRegression, two classes',
  modelContract({
    create: () => new LogisticRegression({ maximumNumberOfIterations: 20, classes: ['high', 'low'] }),
    features,
    labels,
    tolerance: 1e-12,
  }),
);
describeContract(
  'LogisticRegression, three classes',
  modelContract({
    create: () => new LogisticRegression({ maximumNumberOfIterations: 20, classes: [0, 1, 2] }),
    features,
    labels: three,
    tolerance: 1e-12,
  }),
);
describeContract(
  'NeuralNetwork, classifier',
  modelContract({
    create: () =>
      new NeuralNetwork({
        layers: [2, { units: 5, activation: 'tanh' }, { units: 3, activation: 'softmax' }],
        maximumNumberOfIterations: 5,
        batchSize: 2,
      }),
    features,
    labels: three,
  }),
);
describeContract(
  'NeuralNetwork, numbers, float64',
  modelContract({
    create: () =>
      new NeuralNetwork({
        layers: [2, { units: 5, activation: 'leakyRelu' }, 2],
        maximumNumberOfIterations: 5,
        dtype: 'float64',
      }),
    features,
    labels: numbers.map((y) => [y / 10, -y / 10]),
    tolerance: 1e-12,
  }),
);
describeContract(
  'NeuralNetwork, hinge, dropout, schedule, clipping, elastic net',
  modelContract({
    create: () =>
      new NeuralNetwork({
        layers: [2, { units: 5, activation: 'silu', dropout: 0.3 }, 3],
        loss: 'hinge',
        classes: [0, 1, 2],
        maximumNumberOfIterations: 5,
        batchSize: 2,
        optimizer: 'adamW',
        learningRateSchedule: { name: 'cosine', steps: 10 },
        gradientClipping: { norm: 1 },
        penalty: { l1: 0.01, l2: 0.01 },
      }),
    features,
    labels: three,
  }),
);
describeContract(
  'NeuralNetwork, huber, frozen',
  modelContract({
    create: () =>
      new NeuralNetwork({
        layers: [2, { units: 5, activation: 'elu' }, 2],
        loss: { name: 'huber', delta: 0.5 },
        frozen: ['layers.0.*'],
        maximumNumberOfIterations: 5,
        dtype: 'float64',
      }),
    features,
    labels: numbers.map((y) => [y / 10, -y / 10]),
    tolerance: 1e-12,
  }),
);
describeContract(
  'NeuralNetwork without layers',
  modelContract({
    create: () => new NeuralNetwork({ maximumNumberOfIterations: 5, classes: ['low', 'high'] }),
    features,
    labels,
  }),
);
describeContract(
  'LogisticRegression behind a scaler',
  modelContract({
    create: () =>
      new LogisticRegression({
        maximumNumberOfIterations: 20,
        classes: ['high', 'low'],
        preprocessing: 'standardScaler',
      }),
    features,
    labels,
    tolerance: 1e-12,
  }),
);
describeContract(
  'NeuralNetwork behind a scaler and an encoder',
  modelContract({
    create: () =>
      new NeuralNetwork({
        layers: [8, { units: 4, activation: 'silu', dropout: 0.2 }, { units: 3, activation: 'softmax' }],
        maximumNumberOfIterations: 5,
        batchSize: 2,
        preprocessing: [{ name: 'oneHotEncoder', columns: [0], unknown: 'ignore' }, 'minMaxScaler'],
      }),
    features,
    labels: three,
  }),
);
