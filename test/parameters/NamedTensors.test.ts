import { describe, expect, it } from 'vitest';
import { InvalidOptionError, LimitExceededError, MalformedDataError } from '../../src/errors.ts';
import { Gradients } from '../../src/parameters/Gradients.ts';
import { ModelParameters } from '../../src/parameters/ModelParameters.ts';

const architecture = { model: 'Mine', sizes: [1, 2] };
const parameters = ModelParameters.fromArrays({ a: [[1, 2]], b: [0.1] }, { architecture, sampleCount: 5 });

it('JSON has the documented form', () => {
  expect(JSON.parse(JSON.stringify(parameters))).toEqual({
    format: 'mainstem/model-parameters@1',
    dtype: 'float64',
    architecture,
    sampleCount: 5,
    baseVersion: null,
    tensors: [
      { name: 'a', shape: [1, 2], values: [1, 2] },
      { name: 'b', shape: [1], values: [0.1] },
    ],
  });
});

it('gradients come back from JSON with their sample count, and not as parameters', () => {
  const gradients = Gradients.fromArrays(
    { a: [1, -2] },
    { sampleCount: 5, baseVersion: 0, dtype: 'float32' },
  );
  const json = JSON.parse(JSON.stringify(gradients));
  const read = Gradients.fromJSON(json);
  expect([...read.values]).toEqual([1, -2]);
  expect([read.dtype, read.sampleCount, read.baseVersion]).toEqual(['float32', 5, 0]);
  expect(() => ModelParameters.fromJSON(json)).toThrow(/model-parameters@1.*gradients@1/);
  expect(() => Gradients.fromJSON({ ...json, sampleCount: null })).toThrow(MalformedDataError);
});

it('gradients need a sample count, and keep it when cloned', () => {
  expect(() => Gradients.fromArrays({ a: [1] }, {} as never)).toThrow(/sampleCount/);
  expect(() => Gradients.fromArrays({ a: [1] }, undefined as never)).toThrow(MalformedDataError);
  const origin = {};
  const gradients = Gradients.fromArrays({ a: [1] }, { sampleCount: 0, baseVersion: 4, origin });
  const twin = gradients.clone();
  twin.values[0] = 9;
  expect([...gradients.values]).toEqual([1]);
  expect([twin.sampleCount, twin.baseVersion]).toEqual([0, 4]);
  expect(twin.origin).toBe(origin);
  expect(gradients.clone({ sampleCount: 2, baseVersion: 5 })).toMatchObject({
    sampleCount: 2,
    baseVersion: 5,
  });
});

describe('JSON that is something else is refused', () => {
  const good = JSON.parse(JSON.stringify(parameters));
  const [a, b] = good.tensors;
  const cases: [string, unknown][] = [
    ['null', null],
    ['nothing', undefined],
    ['text', '{}'],
    ['a list', []],
    ['another format', { ...good, format: 'mainstem/model-parameters@2' }],
    ['no tensors', { ...good, tensors: undefined }],
    ['tensors that are no list', { ...good, tensors: { a } }],
    ['a tensor of null', { ...good, tensors: [a, null] }],
    ['a tensor of text', { ...good, tensors: [a, 'b'] }],
    ['a tensor without a name', { ...good, tensors: [a, { ...b, name: undefined }] }],
    ['a tensor named twice', { ...good, tensors: [a, a] }],
    ['a tensor without a shape', { ...good, tensors: [a, { ...b, shape: undefined }] }],
    ['a negative axis', { ...good, tensors: [a, { ...b, shape: [-1] }] }],
    ['a tensor without values', { ...good, tensors: [a, { ...b, values: undefined }] }],
    ['too few values', { ...good, tensors: [a, { ...b, values: [] }] }],
    ['too many values', { ...good, tensors: [a, { ...b, values: [1, 2] }] }],
    ['a value of null', { ...good, tensors: [a, { ...b, values: [null] }] }],
    ['a value of text', { ...good, tensors: [a, { ...b, values: ['1'] }] }],
    ['values beyond float32', { ...good, dtype: 'float32', tensors: [a, { ...b, values: [1e39] }] }],
    ['an architecture that is a list', { ...good, architecture: [] }],
    ['an architecture of text', { ...good, architecture: 'relu' }],
    ['an unknown dtype', { ...good, dtype: 'int8' }],
    ['no dtype', { ...good, dtype: undefined }],
    ['a negative sample count', { ...good, sampleCount: -1 }],
    ['a sample count of text', { ...good, sampleCount: '5' }],
    ['half a version', { ...good, baseVersion: 0.5 }],
  ];
  it.each(cases)('%s', (_name, json) => {
    expect(() => ModelParameters.fromJSON(json)).toThrow(MalformedDataError);
  });

  it('more values than the limit, before anything is allocated', () => {
    const json = { ...good, tensors: [{ name: 'a', shape: [2 ** 40], values: [] }] };
    expect(() => ModelParameters.fromJSON(json)).toThrow(LimitExceededError);
  });
});

it('an unknown dtype is an illegal option', () => {
  expect(() => ModelParameters.fromArrays({ a: [1] }, { dtype: 'int8' as never })).toThrow(
    InvalidOptionError,
  );
});
