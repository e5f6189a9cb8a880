import fc from 'fast-check';
import {
  isMainstemError,
  LogisticRegression,
  ModelParameters,
  NeuralNetwork,
  ParameterLayout,
} from 'mainstem';
import type { NestedJson } from 'mainstem/files';
import { fromNestedJson, toNestedJson } from 'mainstem/files';
import { describe, expect, it } from 'vitest';
import { createValues } from '../../src/parameters/values.ts';
import { normalRows, randomise, thrownBy } from '../models/support.ts';

const throughText = (json: NestedJson): unknown => JSON.parse(JSON.stringify(json));

describe('toNestedJson', () => {
  it('is this', () => {
    const parameters = ModelParameters.fromArrays(
      {
        weights: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        bias: [0.5, -1],
      },
      { architecture: { model: 'LinearRegression' }, sampleCount: 9, baseVersion: 2, dtype: 'float32' },
    );
    expect(throughText(toNestedJson(parameters))).toEqual({
      format: 'mainstem/nested@1',
      dtype: 'float32',
      architecture: { model: 'LinearRegression' },
      sampleCount: 9,
      baseVersion: 2,
      layout: [
        { name: 'weights', shape: [3, 2] },
        { name: 'bias', shape: [2] },
      ],
      tensors: {
        weights: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        bias: [0.5, -1],
      },
    });
  });

  it('refuses what JSON has no word for', () => {
    expect(() => toNestedJson(ModelParameters.fromArrays({ a: [Number.NaN] }))).toThrow('NaN at a[0]');
  });
});

describe('fromNestedJson', () => {
  it('gives any finite parameters back', () => {
    const shapes = fc.uniqueArray(
      fc.record({
        name: fc.oneof(fc.string({ minLength: 1, maxLength: 6 }), fc.constantFrom('__proto__', '10', '2')),
        shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
      }),
      { selector: ({ name }) => name, maxLength: 6 },
    );
    fc.assert(
      fc.property(shapes, fc.constantFrom('float32', 'float64'), fc.nat(), (tensors, dtype, seed) => {
        const layout = new ParameterLayout(tensors, { model: 'x', seed });
        const values = createValues(dtype, layout.length);
        normalRows(1, layout.length, seed)[0]?.forEach((value, i) => {
          values[i] = value;
        });
        const parameters = new ModelParameters(layout, values, { sampleCount: seed });
        const back = fromNestedJson(throughText(toNestedJson(parameters)));
        expect(back.toJSON()).toEqual(parameters.toJSON());
        expect(back.layout.fingerprint).toBe(layout.fingerprint);
      }),
    );
  });

  it.each([
    [
      'network',
      new NeuralNetwork({ layers: [3, 4, { units: 2, activation: 'softmax' }] }),
      () => new NeuralNetwork(),
    ],
    ['logistic regression', new LogisticRegression({ classes: ['a', 'b'] }), () => new LogisticRegression()],
  ])('makes a model again: %s', (_name, model, fresh) => {
    const features = normalRows(10, 3, 1);
    if (model instanceof LogisticRegression)
      model.train(
        features,
        features.map(([x]) => (x! > 0 ? 'a' : 'b')),
      );
    randomise(model as NeuralNetwork, 2);
    const again = fresh();
    again.setModelParameters(fromNestedJson(throughText(toNestedJson(model))));
    expect(again.predictProbabilities(features)).toEqual(model.predictProbabilities(features));
  });

  it('reads what others write with the least that is needed', () => {
    const parameters = fromNestedJson({
      format: 'mainstem/nested@1',
      tensors: { weights: [[1], [2]], bias: 3 },
    });
    expect(parameters.layout.tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['weights', [2, 1]],
      ['bias', []],
    ]);
    expect([parameters.dtype, parameters.layout.architecture, parameters.sampleCount]).toEqual([
      'float64',
      undefined,
      undefined,
    ]);
  });

  it('takes the order from the layout, for those that sort their keys', () => {
    const layout = [
      { name: 'weights', shape: [1, 1] },
      { name: 'bias', shape: [1] },
    ];
    const parameters = fromNestedJson({
      format: 'mainstem/nested@1',
      layout,
      tensors: { bias: [2], weights: [[1]] },
    });
    expect([...parameters.values]).toEqual([1, 2]);
  });

  const form = { format: 'mainstem/nested@1', tensors: { a: [1, 2] } };
  it.each<[unknown, string]>([
    [undefined, 'expected JSON of format mainstem/nested@1, got undefined'],
    [null, 'got null'],
    ['{}', 'got "{}"'],
    [[], 'got []'],
    [{}, 'got undefined'],
    [{ ...form, format: 'mainstem/nested@2' }, 'got "mainstem/nested@2"'],
    [{ ...form, archtecture: {} }, 'there is no key "archtecture"'],
    [
      JSON.parse('{"format":"mainstem/nested@1","tensors":{},"__proto__":{"x":1}}'),
      'there is no key "__proto__"',
    ],
    [Object.create(form), 'got undefined'],
    [{ ...form, dtype: 'F32' }, 'dtype is "F32"'],
    [{ ...form, architecture: [] }, 'architecture is [], expected an object or null'],
    [{ ...form, sampleCount: '3' }, 'sampleCount is "3", expected a number or null'],
    [{ ...form, sampleCount: -3 }, 'sampleCount is -3'],
    [{ ...form, baseVersion: 0.5 }, 'baseVersion is 0.5'],
    [{ ...form, tensors: [[1]] }, 'tensors are [[1]], expected nested arrays by name'],
    [{ ...form, tensors: null }, 'tensors are null'],
    [{ format: form.format }, 'tensors are undefined'],
    [{ ...form, tensors: { a: [[1, 2], [3]] } }, 'tensor a is ragged: got a row of 1, expected a row of 2'],
    [{ ...form, tensors: { a: ['1'] } }, 'tensor a holds "1", expected numbers'],
    [{ ...form, tensors: { a: [1, null] } }, 'tensor a holds null, expected a number'],
    [{ ...form, tensors: { a: [[1], 2] } }, 'tensor a is ragged'],
    [{ ...form, tensors: { a: [JSON.parse('1e999')] } }, 'tensor a has numbers beyond float64'],
    [{ ...form, tensors: { a: [1e39] }, dtype: 'float32' }, 'tensor a has numbers beyond float32'],
    [{ ...form, tensors: { '': [1] } }, 'must have 1 to 256 characters'],
    [{ ...form, layout: {} }, 'layout is {}, expected a list of { name, shape }'],
    [{ ...form, layout: ['a'] }, 'layout is ["a"], expected a list'],
    [{ ...form, layout: [] }, 'the layout names 0 tensors, there are 1'],
    [
      { ...form, layout: [{ name: 'b', shape: [2] }] },
      'the layout names "b", which is not among the tensors',
    ],
    [
      { ...form, layout: [{ name: 'a', shape: [3] }] },
      'tensor a is ragged: got a row of 2, expected a row of 3',
    ],
    [{ ...form, layout: [{ name: 'a' }] }, 'has shape undefined, expected whole numbers'],
    [
      {
        ...form,
        layout: [
          { name: 'a', shape: [2] },
          { name: 'a', shape: [2] },
        ],
        tensors: { a: [1, 2], b: 1 },
      },
      'is named twice',
    ],
  ])('refuses %j', (json, message) => {
    const error = thrownBy(() => fromNestedJson(json));
    expect(error.message).toContain(message);
    expect(isMainstemError(error)).toBe(true);
  });

  it('refuses arrays in arrays in arrays', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(5000)}1${']'.repeat(5000)}`);
    expect(() => fromNestedJson({ ...form, tensors: { a: deep } })).toThrow(
      '5000 axes, at most 8 are allowed',
    );
  });

  it('is not fooled by names that are special', () => {
    const json = JSON.parse(
      '{"format":"mainstem/nested@1","tensors":{"__proto__":[7],"constructor":[8]}}',
    ) as unknown;
    const parameters = fromNestedJson(json);
    expect([...parameters.get('__proto__'), ...parameters.get('constructor')]).toEqual([7, 8]);
    expect(([] as { 0?: number })[0]).toBeUndefined();
  });
});
