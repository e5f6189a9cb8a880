import fc from 'fast-check';
import { Gradients, LayoutMismatchError, ModelParameters, ParameterLayout, warmStart } from 'mainstem';
import { describe, expect, test } from 'vitest';
import { SharedPart } from '../../src/parameters/SharedPart.ts';

const whole = (): ModelParameters =>
  ModelParameters.fromArrays(
    {
      'layers.0.weights': [
        [1, 2],
        [3, 4],
      ],
      'layers.0.bias': [5, 6],
      'layers.1.weights': [[7], [8]],
    },
    { architecture: { model: 'net', activations: ['relu'] }, sampleCount: 9, baseVersion: 2 },
  );

describe('SharedPart', () => {
  test('takes the named tensors, with what is known of them, and puts them back', () => {
    const part = new SharedPart(['layers.1.weights', 'layers.0.bias']);
    const taken = part.take(whole());
    expect(taken.toArrays()).toEqual({ 'layers.0.bias': [5, 6], 'layers.1.weights': [[7], [8]] });
    expect([taken.sampleCount, taken.baseVersion]).toEqual([9, 2]);
    const put = part.putInto(
      whole(),
      new ModelParameters(
        taken.layout,
        taken.values.map((x) => -x),
        { baseVersion: 5 },
      ),
    );
    expect(Array.from(put.values)).toEqual([1, 2, 3, 4, -5, -6, -7, -8]);
    expect(put.baseVersion).toBe(5);
    expect(put.layout).toEqual(whole().layout);
  });

  test('gradients stay gradients', () => {
    const gradients = Gradients.fromArrays({ a: [1, 2], b: [3] }, { sampleCount: 4 });
    const taken = new SharedPart(['b']).take(gradients);
    expect(Gradients.isGradients(taken)).toBe(true);
    expect([Array.from(taken.values), taken.sampleCount]).toEqual([[3], 4]);
  });

  test('a part is a part of itself; parts of different networks or of different tensors do not fit', () => {
    const part = new SharedPart(['layers.0.*']);
    const taken = part.take(whole());
    expect(part.take(taken)).toBe(taken);
    const tanh = new ParameterLayout(whole().layout.tensors, { model: 'net', activations: ['tanh'] });
    expect(() => taken.layout.assertFits(part.layoutOf(tanh))).toThrow(/activations/);
    const sameNames = new SharedPart(['layers.0.bias', 'layers.0.weights']);
    expect(() => taken.layout.assertFits(sameNames.layoutOf(whole().layout))).not.toThrow();
    expect(() => whole().layout.assertFits(taken.layout)).toThrow(LayoutMismatchError);
  });

  test('a tensor that is not there is named', () => {
    expect(() => new SharedPart(['layers.7.*']).take(whole())).toThrow(LayoutMismatchError);
    expect(() => new SharedPart(['layers.7.*']).take(whole())).toThrow(/layers\.7\.\*/);
  });

  test('take and putInto are inverse, for any tensors and any choice of them', () => {
    const tensor = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(tensor, { minLength: 1, maxLength: 6 }), fc.nat(), (tensors, choice) => {
        const arrays = Object.fromEntries(tensors.map((values, i) => [`t${i}`, values]));
        const parameters = ModelParameters.fromArrays(arrays, { architecture: { m: 1 } });
        const names = Object.keys(arrays).filter((_, i) => ((choice >> i) & 1) === 1);
        if (names.length === 0) names.push('t0');
        const part = new SharedPart(names);
        const taken = part.take(parameters);
        expect(taken.toArrays()).toEqual(Object.fromEntries(names.map((name) => [name, arrays[name]])));
        const empty = parameters.scale(0);
        const put = part.putInto(empty, taken);
        for (const [name, values] of Object.entries(arrays))
          expect(Array.from(put.get(name), (x) => x + 0)).toEqual(
            names.includes(name) ? values : values.map(() => 0),
          );
      }),
    );
  });
});

describe('warmStart', () => {
  const fresh = (): ModelParameters =>
    ModelParameters.fromArrays({
      weights: [
        [0.1, 0.2],
        [0.3, 0.4],
        [0.5, 0.6],
      ],
      bias: [0.7, 0.8],
      scale: 1,
    });
  const old = ModelParameters.fromArrays(
    {
      weights: [
        [10, 20],
        [30, 40],
      ],
      bias: [70, 80],
      gone: [1],
    },
    { baseVersion: 3, sampleCount: 5 },
  );

  test('takes tensors of the same name and shape; the others start afresh', () => {
    const start = fresh();
    const { parameters, taken, fresh: kept } = warmStart(start, old);
    expect(parameters.toArrays()).toEqual({ weights: fresh().toArrays().weights, bias: [70, 80], scale: 1 });
    expect([taken, kept]).toEqual([['bias'], ['weights', 'scale']]);
    expect([parameters.baseVersion, parameters.sampleCount]).toEqual([undefined, undefined]);
    expect(start.toArrays()).toEqual(fresh().toArrays());
  });

  test('with overlap, a tensor that has grown keeps what both have', () => {
    const { parameters, taken } = warmStart(fresh(), old, { overlap: true });
    expect(parameters.toArrays()).toEqual({
      weights: [
        [10, 20],
        [30, 40],
        [0.5, 0.6],
      ],
      bias: [70, 80],
      scale: 1,
    });
    expect(taken).toEqual(['weights', 'bias']);
  });

  test('overlap equals entry by entry, for shapes that grow and shrink', () => {
    const shape = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(shape, shape, (from, to) => {
        const make = (axes: number[], sign: number): ModelParameters => {
          const layout = new ParameterLayout([{ name: 't', shape: axes }]);
          return new ModelParameters(
            layout,
            Float64Array.from({ length: layout.length }, (_, i) => sign * (i + 1)),
          );
        };
        const [source, target] = [make(from, 1), make(to, -1)];
        const { parameters } = warmStart(target, source, { overlap: true });
        const at = (axes: number[], i: number, j: number, k: number): number =>
          (i * (axes[1] as number) + j) * (axes[2] as number) + k;
        for (let i = 0; i < (to[0] as number); i++)
          for (let j = 0; j < (to[1] as number); j++)
            for (let k = 0; k < (to[2] as number); k++) {
              const isShared = i < (from[0] as number) && j < (from[1] as number) && k < (from[2] as number);
              const expected = isShared ? source.values[at(from, i, j, k)] : target.values[at(to, i, j, k)];
              expect(parameters.values[at(to, i, j, k)]).toBe(expected);
            }
      }),
    );
  });

  test('nonsense is refused', () => {
    expect(() => warmStart(fresh(), {} as ModelParameters)).toThrow(/expected ModelParameters/);
    const bad = ModelParameters.fromArrays({ bias: [Number.NaN, 1] });
    expect(() => warmStart(fresh(), bad)).toThrow(/NaN at bias\[0\]/);
  });
});
