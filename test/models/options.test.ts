import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { thrownBy } from './support.ts';

const classes = { LinearRegression, LogisticRegression, NeuralNetwork };

function refused(make: () => unknown, ...mentions: string[]): void {
  const error = thrownBy(make);
  expect(error).toBeInstanceOf(InvalidOptionError);
  for (const text of mentions) expect(error.message).toContain(text);
}

const illegal: [string, readonly unknown[]][] = [
  ['learningRate', [-0.1, Number.NaN, Infinity, '0.1', null]],
  ['maximumNumberOfIterations', [-1, 1.5, Number.NaN, Infinity, '3', null]],
  ['optimizer', ['sgd', 5, null, {}, { name: 'adam', beta1: 1 }, { step: 1 }]],
  [
    'penalty',
    [5, null, {}, { l2: -1 }, { l2: Number.NaN }, { l1: -1 }, { l2: 1, l1: '1' }, { l1: 1, l3: 1 }],
  ],
  ['learningRateSchedule', ['warp', 'cosine', 5, null, {}, { name: 'step', every: 0 }, { rateAt: 1 }]],
  ['gradientClipping', [1, null, {}, { norm: 0 }, { value: -1 }, { norm: Infinity }, { norm: 1, value: 1 }]],
  ['frozen', ['weights', null, [5], [''], ['*.weights'], {}]],
  ['tolerance', [-1, Number.NaN, Infinity, '0', null]],
  ['batchSize', [0, -1, 1.5, Number.NaN, Infinity, '32', null]],
  ['dtype', ['float16', 'f64', 64, null]],
  ['seed', [0.5, Number.NaN, 2 ** 53, '1', null]],
];

describe.each(Object.keys(classes) as (keyof typeof classes)[])('%s', (name) => {
  const Model = classes[name];
  it.each(
    illegal.flatMap(([option, values]) => values.map((value) => [option, value] as const)),
  )('refuses %s: %o', (option, value) =>
    refused(() => new Model({ [option]: value } as never), option === 'optimizer' ? '' : option.slice(0, 4)));

  it('names an option that is none, and those that are', () => {
    refused(() => new Model({ learningrate: 1 } as never), 'learningrate', 'learningRate');
    refused(() => new Model({ ['__proto__']: 1 } as never), '__proto__');
    refused(() => new Model(null as never));
    refused(() => new Model(5 as never), '5');
  });

  it('says what it got where that is a bigint', () => {
    refused(() => new Model({ learningRate: 1n } as never), 'learningRate');
  });

  it('takes 0 where 0 is legal, and undefined for the default', () => {
    const options = {
      learningRate: 0,
      maximumNumberOfIterations: 0,
      tolerance: 0,
      seed: 0,
      penalty: { l2: 0 },
    };
    expect(new Model(options).toJSON().options).toMatchObject(options);
    const fallback = new Model({ learningRate: undefined, dtype: undefined } as never).toJSON().options;
    expect(fallback).toEqual(new Model().toJSON().options);
  });

  it('refuses an illegal number of iterations for one training', () => {
    const model = new Model();
    refused(() => model.train([[1], [2]], [0, 1], { maximumNumberOfIterations: -1 }), '-1');
    refused(() => model.train([[1], [2]], [0, 1], { maximumNumberOfIterations: 0.5 }), '0.5');
  });
});

describe('options of one training', () => {
  const features = [[1], [2]];
  const labels = [0, 1];
  const validation = { features, labels };
  it.each<[string, object, string]>([
    ['an unknown name', { patience: 3 }, 'patience'],
    ['validation without labels', { validation: { features } }, 'validation'],
    ['validation with more', { validation: { ...validation, weights: [1] } }, 'validation'],
    ['validation of null', { validation: null }, 'validation'],
    ['early stopping without validation', { earlyStopping: {} }, 'earlyStopping needs validation'],
    ['an unknown name of early stopping', { validation, earlyStopping: { patiense: 3 } }, 'patiense'],
    ['early stopping that is no object', { validation, earlyStopping: true }, 'earlyStopping'],
    ['no patience', { validation, earlyStopping: { patience: 0 } }, 'patience is 0'],
    ['half a patience', { validation, earlyStopping: { patience: 1.5 } }, '1.5'],
    ['an improvement below 0', { validation, earlyStopping: { minimumImprovement: -1 } }, '-1'],
    ['restoreBest of 1', { validation, earlyStopping: { restoreBest: 1 } }, 'restoreBest'],
  ])('%s is refused', (_name, options, mention) => {
    refused(() => new LinearRegression().train(features, labels, options as never), mention);
  });
});

describe('options of one model', () => {
  it('fitIntercept and solver', () => {
    refused(() => new LinearRegression({ fitIntercept: 1 as never }), 'fitIntercept is 1');
    refused(() => new LogisticRegression({ fitIntercept: 'no' as never }), 'fitIntercept');
    refused(() => new LinearRegression({ solver: 'qr' as never }), 'solver is "qr"');
    refused(() => new LogisticRegression({ solver: 'exact' } as never), 'solver');
    refused(() => new LinearRegression({ solver: 'exact', penalty: { l1: 0.1 } }), 'exact', 'l1');
    refused(() => new LinearRegression({ solver: 'exact', frozen: ['bias'] }), 'exact', 'frozen');
    const ridge = new LinearRegression({ solver: 'exact', penalty: { l1: 0, l2: 1 }, frozen: [] });
    refused(() => ridge.setParameters({ penalty: { l1: 0.1 } }), 'exact');
    refused(() => new LinearRegression({ penalty: { l1: 0.1 } }).setParameters({ solver: 'exact' }), 'l1');
    refused(() => new NeuralNetwork({ fitIntercept: true } as never), 'fitIntercept');
  });
});

describe('layers and losses that do not go together are refused at construction', () => {
  const softmax = { units: 2, activation: 'softmax' } as const;
  const sigmoid = { units: 2, activation: 'sigmoid' } as const;
  const cases: [string, ConstructorParameters<typeof NeuralNetwork>[0], string][] = [
    ['crossEntropy without softmax', { layers: [2, sigmoid], loss: 'crossEntropy' }, 'softmax'],
    ['binaryCrossEntropy without sigmoid', { layers: [2, softmax], loss: 'binaryCrossEntropy' }, 'sigmoid'],
    ['softmax of one unit', { layers: [2, { units: 1, activation: 'softmax' }] }, 'one unit'],
    ['hidden softmax of one unit', { layers: [2, { units: 1, activation: 'softmax' }, 1] }, 'one unit'],
    ['crossEntropy over one unit', { layers: [2, 1], loss: 'crossEntropy' }, '2 units'],
    ['an activation on the inputs', { layers: [{ units: 2, activation: 'relu' }, 1] }, 'inputs'],
    ['an unknown activation', { layers: [2, { units: 1, activation: 'swish' as never }] }, 'swish'],
    [
      'an activation named like a property',
      { layers: [2, { units: 1, activation: 'toString' as never }] },
      'toString',
    ],
    ['an unknown loss', { layers: [2, 1], loss: 'zeroOne' as never }, 'zeroOne'],
    ['hinge behind tanh', { layers: [2, { units: 1, activation: 'tanh' }], loss: 'hinge' }, 'identity'],
    [
      'hinge with two outputs for two classes',
      { layers: [2, 2], loss: 'hinge', classes: ['a', 'b'] },
      '2 units',
    ],
    ['classes with huber', { layers: [2, 2], loss: 'huber', classes: ['a', 'b'] }, 'huber'],
    ['huber with delta 0', { layers: [2, 1], loss: { name: 'huber', delta: 0 } }, 'delta'],
    ['huber with a misspelt delta', { layers: [2, 1], loss: { name: 'huber', dleta: 1 } as never }, 'dleta'],
    ['settings of another loss', { layers: [2, 1], loss: { name: 'hinge' } as never }, 'hinge'],
    ['dropout of the inputs', { layers: [{ units: 2, dropout: 0.5 }, 1] }, 'inputs'],
    ['dropout of the last layer', { layers: [2, { units: 1, dropout: 0.5 }] }, 'last layer'],
    ['dropout of 1', { layers: [2, { units: 2, dropout: 1 }, 1] }, 'dropout 1'],
    ['dropout below 0', { layers: [2, { units: 2, dropout: -0.1 }, 1] }, 'dropout'],
    ['dropout that is no number', { layers: [2, { units: 2, dropout: '0.5' as never }, 1] }, 'dropout'],
    ['a frozen tensor that is none', { layers: [2, 1], frozen: ['layers.1.*'] }, 'layers.1.*'],
    ['no units', { layers: [2, 0] }, 'layers[1]'],
    ['half a unit', { layers: [2.5, 1] }, 'layers[0]'],
    ['no layer', { layers: [2, null as never] }, 'layers[1]'],
    ['layers that are no list', { layers: { units: 2 } as never }, 'layers'],
    ['too many classes', { layers: [2, softmax], classes: ['a', 'b', 'c'] }, '3 classes'],
    [
      'classes of a regression',
      { layers: [2, { units: 2, activation: 'identity' }], classes: ['a', 'b'] },
      'classes',
    ],
    ['classes of a regression without layers', { loss: 'meanSquaredError', classes: ['a', 'b'] }, 'classes'],
    ['a misspelt key of a layer', { layers: [2, { units: 2, activaton: 'tanh' } as never, 1] }, 'activaton'],
  ];
  it.each(cases)('%s', (_name, options, mention) => refused(() => new NeuralNetwork(options), mention));

  it('but not legal ones', () => {
    const legal: ConstructorParameters<typeof NeuralNetwork>[0][] = [
      { layers: [2, softmax], loss: 'meanSquaredError' },
      { layers: [2, sigmoid], loss: 'meanSquaredError' },
      { layers: [2, softmax, 1] },
      { layers: [2, 2], classes: ['a', 'b'] },
      { layers: [2, { units: 2, dropout: 0 }, { units: 1, dropout: 0 }] },
      { layers: [2, 1], loss: { name: 'huber', delta: 0.5 } },
      { layers: [2, 1], loss: 'hinge', classes: ['a', 'b'] },
      { layers: [2, 3], loss: 'hinge', classes: ['a', 'b', 'c'] },
      { layers: [] },
      { layers: [2] },
      {},
    ];
    for (const options of legal) expect(new NeuralNetwork(options)).toBeInstanceOf(NeuralNetwork);
  });
});
