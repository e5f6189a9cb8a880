import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayoutMismatchError, MalformedDataError, NonFiniteError } from '../../src/errors.ts';
import { Gradients, requireGradients } from '../../src/parameters/Gradients.ts';
import { ModelParameters, requireModelParameters } from '../../src/parameters/ModelParameters.ts';
import type { NestedArray } from '../../src/parameters/nestedArrays.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
const nested = fc
  .array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 })
  .chain((shape) =>
    shape.reduceRight<fc.Arbitrary<NestedArray>>(
      (inner, length) => fc.array(inner, { minLength: length, maxLength: length }),
      number,
    ),
  );
const arrays = fc.dictionary(fc.stringMatching(/^[a-z_.]{1,12}$/), nested, { maxKeys: 4 });

describe('nested arrays', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(arrays, (given) => {
        const parameters = ModelParameters.fromArrays(given);
        expect(Object.entries(parameters.toArrays())).toEqual(Object.entries(given));
        expect([...parameters.values]).toEqual(Object.values(given).flat(9 as 1));
        expect(Gradients.fromArrays(given, { sampleCount: 1 }).toArrays()).toEqual({ ...given });
      }),
      { seed: 1 },
    );
  });

  it('survive JSON', () => {
    fc.assert(
      fc.property(arrays, fc.constantFrom('float32' as const, 'float64' as const), (given, dtype) => {
        const parameters = ModelParameters.fromArrays(given, { dtype, sampleCount: 3, baseVersion: 2 });
        const read = ModelParameters.fromJSON(JSON.parse(JSON.stringify(parameters)));
        expect(read.values).toEqual(parameters.values.map((v) => v + 0));
        expect([read.dtype, read.sampleCount, read.baseVersion]).toEqual([dtype, 3, 2]);
        expect(read.layout.fingerprint).toBe(parameters.layout.fingerprint);
      }),
      { seed: 1 },
    );
  });

  it.each([
    ['an empty list', []],
    ['empty rows', [[], []]],
    ['a single number', 5],
    ['typed rows', [Float32Array.of(1, 2), Float64Array.of(3, 4)]],
  ])('may be %s', (_name, a) => {
    const plain = JSON.parse(
      JSON.stringify(a, (_key, v) => (ArrayBuffer.isView(v) ? Array.from(v as never) : v)),
    );
    expect(ModelParameters.fromArrays({ a: a as never }).toArrays()).toEqual({ a: plain });
  });

  it.each([
    ['ragged', [[1, 2], [3]], /ragged.*1.*2/],
    ['deeper in one place', [[1], [[2]]], /a holds/],
    ['shallower in one place', [[1], 2], /ragged.*got 2/],
    ['empty first', [[], [1]], /ragged/],
    ['of strings', [['x']], /"x"/],
    ['of null', [null], /null/],
    ['with a hole', [1, undefined], /undefined/],
    ['of objects', [{}], /holds \{\}, expected numbers/],
    ['of bigints', [1n], /a holds/],
  ])('are refused where they are %s', (_name, a, message) => {
    expect(() => ModelParameters.fromArrays({ a: a as never })).toThrow(MalformedDataError);
    expect(() => ModelParameters.fromArrays({ a: a as never })).toThrow(message);
  });

  it('must have names', () => {
    for (const wrong of [null, undefined, 5, [[1]]]) {
      expect(() => ModelParameters.fromArrays(wrong as never)).toThrow(MalformedDataError);
    }
  });

  it('named __proto__ are a tensor like any other', () => {
    const given = JSON.parse('{"__proto__": [1, 2], "constructor": [3]}');
    const parameters = ModelParameters.fromArrays(given);
    expect([...parameters.get('__proto__')]).toEqual([1, 2]);
    expect(Object.keys(parameters.toArrays())).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(parameters.toArrays())).toBe(Object.prototype);
    const read = ModelParameters.fromJSON(JSON.parse(JSON.stringify(parameters)));
    expect([...read.values]).toEqual([1, 2, 3]);
    expect(({} as { [index: number]: unknown })[0]).toBeUndefined();
    expect(() => ModelParameters.fromArrays({ a: [1] }).get('__proto__')).toThrow(LayoutMismatchError);
  });
});

describe('views and copies', () => {
  it('get gives a live view', () => {
    const parameters = ModelParameters.fromArrays({
      a: [
        [1, 2],
        [3, 4],
      ],
      b: [5],
    });
    parameters.get('b')[0] = 9;
    parameters.get('a')[1] = 8;
    expect([...parameters.values]).toEqual([1, 8, 3, 4, 9]);
    expect(() => parameters.get('c')).toThrow(/"c".*a, b/);
  });

  it('clone shares nothing and keeps what is known', () => {
    const origin = {};
    const parameters = ModelParameters.fromArrays({ a: [1] }, { sampleCount: 2, baseVersion: 3, origin });
    const twin = parameters.clone();
    twin.values[0] = 9;
    expect(parameters.values[0]).toBe(1);
    expect([twin.sampleCount, twin.baseVersion, twin.origin]).toEqual([2, 3, origin]);
    expect(twin.origin).toBe(origin);
    expect(parameters.clone({ sampleCount: 7 })).toMatchObject({ sampleCount: 7, baseVersion: 3 });
  });

  it('toDataType converts a copy', () => {
    const parameters = ModelParameters.fromArrays({ a: [0.1] }, { sampleCount: 2 });
    const small = parameters.toDataType('float32');
    expect([small.dtype, small.values[0], small.sampleCount]).toEqual(['float32', Math.fround(0.1), 2]);
    small.values[0] = 5;
    expect(parameters.values[0]).toBe(0.1);
    expect(parameters.toDataType('float64').values).not.toBe(parameters.values);
  });

  it('refuse a number of values other than that of the layout', () => {
    const { layout } = ModelParameters.fromArrays({ a: [1, 2] });
    expect(() => new ModelParameters(layout, new Float64Array(3))).toThrow(LayoutMismatchError);
    expect(() => new ModelParameters(layout, new Float64Array(3))).toThrow(/3 values.*2/);
  });

  it.each([
    { sampleCount: -1 },
    { sampleCount: Number.NaN },
    { sampleCount: Infinity },
    { sampleCount: '3' as never },
    { baseVersion: -1 },
    { baseVersion: 1.5 },
    { baseVersion: Number.NaN },
  ])('refuse %o', (info) => {
    expect(() => ModelParameters.fromArrays({ a: [1] }, info)).toThrow(MalformedDataError);
  });
});

describe('arithmetic', () => {
  const list = fc.array(number, { minLength: 5, maxLength: 5 });
  it('is that of plain loops, and leaves its operands alone', () => {
    fc.assert(
      fc.property(list, list, number, (x, y, k) => {
        const a = ModelParameters.fromArrays({ a: x }, { sampleCount: 4 });
        const b = ModelParameters.fromArrays({ a: y });
        expect([...a.add(b).values]).toEqual(x.map((v, i) => v + y[i]!));
        expect([...a.subtract(b).values]).toEqual(x.map((v, i) => v + -1 * y[i]!));
        expect([...a.addScaled(k, b).values]).toEqual(x.map((v, i) => v + k * y[i]!));
        expect([...a.scale(k).values]).toEqual(x.map((v) => v * k));
        expect(a.add(b).sampleCount).toBe(4);
        const norm = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
        expect(a.norm()).toBe(norm);
        expect([...a.values]).toEqual(x);
        expect([...b.values]).toEqual(y);
      }),
      { seed: 1 },
    );
  });

  it('refuses layouts that do not fit', () => {
    const a = ModelParameters.fromArrays({ a: [1, 2] });
    const b = ModelParameters.fromArrays({ a: [1, 2, 3] });
    const c = ModelParameters.fromArrays({ b: [1, 2] });
    for (const other of [b, c]) {
      for (const call of [() => a.add(other), () => a.subtract(other), () => a.addScaled(2, other)]) {
        expect(call).toThrow(LayoutMismatchError);
      }
    }
  });

  it('takes gradients and other dtypes', () => {
    const a = ModelParameters.fromArrays({ a: [1, 2] }, { dtype: 'float32' });
    const g = Gradients.fromArrays({ a: [10, 20] }, { sampleCount: 1 });
    const moved = a.addScaled(-0.1, g);
    expect([moved.dtype, ...moved.values]).toEqual(['float32', 0, 0]);
  });
});

it('assertFinite names the tensor and the place', () => {
  const parameters = ModelParameters.fromArrays({ a: [1, 2], b: [[3], [Infinity]] });
  expect(() => parameters.assertFinite('updates')).toThrow(NonFiniteError);
  expect(() => parameters.assertFinite('updates')).toThrow('updates have Infinity at b[1]');
  expect(() => JSON.stringify(parameters)).toThrow(NonFiniteError);
  parameters.get('b')[1] = 1e308;
  expect(() => parameters.assertFinite('updates')).not.toThrow();
});

it('parameters and gradients are told apart, from each other and from anything else', () => {
  const parameters = ModelParameters.fromArrays({ a: [1] });
  const gradients = Gradients.fromArrays({ a: [1] }, { sampleCount: 1 });
  const brand = { [Symbol.for('mainstem.ModelParameters')]: true };
  for (const [value, isParameters, isGradients] of [
    [parameters, true, false],
    [gradients, false, true],
    [brand, true, false],
    [{ ...parameters }, false, false],
    [null, false, false],
    [undefined, false, false],
    ['a', false, false],
  ] as const) {
    expect(ModelParameters.isModelParameters(value)).toBe(isParameters);
    expect(Gradients.isGradients(value)).toBe(isGradients);
    if (!isParameters) expect(() => requireModelParameters(value)).toThrow(MalformedDataError);
    if (!isGradients) expect(() => requireGradients(value)).toThrow(MalformedDataError);
  }
  expect(requireModelParameters(parameters)).toBe(parameters);
  expect(requireGradients(gradients)).toBe(gradients);
});
