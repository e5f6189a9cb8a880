import fc from 'fast-check';
import type { MergeMode, Model } from 'mainstem';
import {
  ContractViolationError,
  InvalidOptionError,
  InvalidWeightError,
  LayoutMismatchError,
  LinearRegression,
  LogisticRegression,
  MalformedDataError,
  ModelParameters,
  ModelParametersMerger,
  NonFiniteError,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { numbersOf, parametersOf } from '../coordinators/helpers.ts';

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const child = fc.record({
  values: fc.array(finite, { minLength: 4, maxLength: 4 }),
  sampleCount: fc.integer({ min: 1, max: 1000 }),
});
const children = fc.array(child, { minLength: 1, maxLength: 12 });
const toParameters = ({
  values,
  sampleCount,
}: {
  values: readonly number[];
  sampleCount: number;
}): ModelParameters => parametersOf(...values).clone({ sampleCount });

describe('the weighted mean', () => {
  test('is Σ n θ / Σ n', () => {
    fc.assert(
      fc.property(children, (all) => {
        const rows = all.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
        numbersOf(new ModelParametersMerger().merge(all.map(toParameters))).forEach((value, i) => {
          const expected =
            all.reduce((sum, { values, sampleCount }) => sum + sampleCount * (values[i] as number), 0) / rows;
          expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-9);
        });
      }),
    );
  });

  test('does not depend on the order of children, nor on splitting one into two', () => {
    fc.assert(
      fc.property(children, fc.nat(), fc.integer({ min: 1, max: 999 }), (all, pick, share) => {
        const merger = new ModelParametersMerger();
        const expected = numbersOf(merger.merge(all.map(toParameters)));
        const split = all.flatMap((one, index) =>
          index === pick % all.length && one.sampleCount > share
            ? [
                { ...one, sampleCount: share },
                { ...one, sampleCount: one.sampleCount - share },
              ]
            : [one],
        );
        for (const variant of [[...all].reverse(), split]) {
          numbersOf(merger.merge(variant.map(toParameters))).forEach((value, i) => {
            expect(Math.abs(value - (expected[i] as number))).toBeLessThanOrEqual(1e-9);
          });
        }
      }),
    );
  });

  test('of identical parameters is those parameters, to one unit in the last place, and of one child itself', () => {
    fc.assert(
      fc.property(
        child,
        fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1, maxLength: 40 }),
        (one, counts) => {
          fc.pre(counts.some((count) => count > 0));
          for (const dtype of ['float32', 'float64'] as const) {
            const same = toParameters(one).toDataType(dtype);
            const merged = new ModelParametersMerger().merge(
              counts.map((sampleCount) => same.clone({ sampleCount })),
            );
            merged.values.forEach((value, i) => {
              expect(Math.abs(value - (same.values[i] as number))).toBeLessThanOrEqual(
                Number.EPSILON * Math.abs(same.values[i] as number),
              );
            });
            expect(Array.from(new ModelParametersMerger().merge([same]).values)).toEqual(
              Array.from(same.values),
            );
          }
        },
      ),
    );
  });

  test('is exact where a sum in float32 is not', () => {
    const large = parametersOf(16_777_216, 0).toDataType('float32').clone({ sampleCount: 1 });
    const one = parametersOf(1, 0).toDataType('float32').clone({ sampleCount: 1 });
    const merged = new ModelParametersMerger({ mode: 'average' }).merge([large, one, one, one]);
    expect(merged.dtype).toBe('float32');
    expect(merged.values[0]).toBe((16_777_216 + 3) / 4 - (((16_777_216 + 3) / 4) % 0.5) + 0.5);
  });

  test('weights by place, by id and by function', () => {
    const all = [parametersOf(0, 0), parametersOf(4, 8)];
    const named = [
      { id: 'a', parameters: all[0] as ModelParameters },
      { id: 'b', parameters: all[1] as ModelParameters },
    ];
    const merge = (weights: ConstructorParameters<typeof ModelParametersMerger>[0] & object) =>
      numbersOf(new ModelParametersMerger({ mode: 'weightedAverage', ...weights }).merge(named));
    expect(merge({ weights: [3, 1] })).toEqual([1, 2]);
    expect(merge({ weights: { a: 0, b: 5 } })).toEqual([4, 8]);
    expect(merge({ weights: ({ id }) => (id === 'a' ? 1 : 1) })).toEqual([2, 4]);
  });

  test.each([
    [[0, 0], /add up to 0/],
    [[-1, 2], /weight of a is -1/],
    [[Number.NaN, 1], /weight of a is NaN/],
    [[1], /no weight for child b \(place 1\)/],
    [{ a: 1, toString: 2 } as never, /no weight for child b/],
  ])('illegal weights %j are a clear error', (weights, message) => {
    const merger = new ModelParametersMerger({ mode: 'weightedAverage', weights });
    const named = ['a', 'b'].map((id) => ({ id, parameters: parametersOf(1, 2) }));
    expect(() => merger.merge(named)).toThrow(InvalidWeightError);
    expect(() => merger.merge(named)).toThrow(message);
  });
});

describe('merging by score', () => {
  const rows = [[0], [1], [2], [3]];
  const labels = [1, 3, 5, 7];
  const right = parametersOf(2, 1);
  const close = parametersOf(2, 1.5);
  const wrong = parametersOf(-5, 40);
  const scoring = (mode: MergeMode, model: Model = new LinearRegression()): ModelParametersMerger => {
    const merger = new ModelParametersMerger({ mode });
    merger.setData(model, rows, labels);
    return merger;
  };

  test('best picks the best child, always, and the first of equals', () => {
    for (const all of [
      [right, close, wrong],
      [wrong, close, right],
      [close, right, wrong],
    ]) {
      expect(numbersOf(scoring('best').merge(all))).toEqual([2, 1]);
    }
    const equal = new ModelParametersMerger({ mode: 'best' });
    equal.setData(new LogisticRegression({ classes: ['a', 'b'] }), [[1], [-1]], ['b', 'a']);
    const architecture = { model: 'LogisticRegression', classes: ['a', 'b'] };
    const twins = [3, 7].map((slope) =>
      ModelParameters.fromArrays({ weights: [[slope]], bias: [0] }, { architecture }),
    );
    expect(numbersOf(equal.merge(twins))).toEqual([3, 0]);
  });

  test('scoreRatio weighs by score; one below 0 has no say', () => {
    const model = new LinearRegression();
    model.setModelParameters(close);
    const score = model.score(rows, labels);
    expect(score).toBeLessThan(1);
    const [slope, intercept] = numbersOf(scoring('scoreRatio').merge([right, close, wrong]));
    expect(slope).toBeCloseTo(2, 12);
    expect(intercept).toBeCloseTo((1 * 1 + score * 1.5) / (1 + score), 12);
  });

  test('all scores 0 is a clear error', () => {
    expect(() => scoring('scoreRatio').merge([wrong, wrong])).toThrow(InvalidWeightError);
  });

  test('scoring never changes the user’s model, whether it can be cloned or not, nor when it fails', () => {
    const model = new LinearRegression();
    model.setModelParameters(parametersOf(9, 9));
    scoring('best', model).merge([right, wrong]);
    expect(numbersOf(model.getModelParameters())).toEqual([9, 9]);
    const bare: Model & { score: LinearRegression['score'] } = {
      train: (features, targets) => model.train(features, targets),
      predict: (features) => model.predict(features),
      getModelParameters: () => model.getModelParameters(),
      setModelParameters: (parameters) => model.setModelParameters(parameters),
      score: (features, targets) => model.score(features, targets),
    };
    expect(numbersOf(scoring('best', bare).merge([wrong, right]))).toEqual([2, 1]);
    expect(numbersOf(model.getModelParameters())).toEqual([9, 9]);
    const failing = scoring('best', { ...bare, score: () => Number.NaN } as Model);
    expect(() => failing.merge([right])).toThrow(NonFiniteError);
    expect(numbersOf(model.getModelParameters())).toEqual([9, 9]);
  });

  test('later training of the user’s model does not matter to a merger', () => {
    const model = new LinearRegression();
    const merger = scoring('best', model);
    model.train([[1, 2, 3]], [1], { maximumNumberOfIterations: 1 });
    expect(numbersOf(merger.merge([wrong, right]))).toEqual([2, 1]);
  });

  test('without data, with a model that cannot score, or that scores by promises: a clear error', () => {
    expect(() => new ModelParametersMerger({ mode: 'best' }).merge([right])).toThrow(/call setData/);
    expect(() => new ModelParametersMerger({ mode: 'best' }).setData({} as Model, rows, labels)).toThrow(
      /score method/,
    );
    const slow = {
      ...new LinearRegression(),
      getModelParameters: async () => right,
      setModelParameters: async () => {},
      score: async () => 1,
    };
    expect(() => scoring('best', slow as unknown as Model).merge([right])).toThrow(ContractViolationError);
  });
});

describe('the rest', () => {
  test('rounding', () => {
    const all = [parametersOf(1, -1.5), parametersOf(2, -1.5)];
    const rounded = (['none', 'floor', 'ceiling', 'nearest'] as const).map((rounding) =>
      numbersOf(new ModelParametersMerger({ mode: 'average', rounding }).merge(all)),
    );
    expect(rounded).toEqual([
      [1.5, -1.5],
      [1, -2],
      [2, -1],
      [2, -1],
    ]);
  });

  test('a custom merge gets copies, sorted by id, and may return parameters or numbers', () => {
    const ids: string[][] = [];
    const merger = new ModelParametersMerger({
      mode: 'custom',
      merge(all) {
        ids.push(all.map(({ id }) => id));
        all[0]?.parameters.values.fill(5);
        return all.length === 1 ? (all[0] as (typeof all)[0]).parameters : [1, 2];
      },
    });
    const mine = parametersOf(7, 7);
    expect(numbersOf(merger.merge([mine]))).toEqual([5, 5]);
    expect(numbersOf(mine)).toEqual([7, 7]);
    expect(
      numbersOf(
        merger.merge([
          { id: 'b', parameters: mine },
          { id: 'a', parameters: mine },
        ]),
      ),
    ).toEqual([1, 2]);
    expect(ids[1]).toEqual(['a', 'b']);
    const short = new ModelParametersMerger({ mode: 'custom', merge: () => [1] });
    expect(() => short.merge([mine])).toThrow(/must return ModelParameters or 2 numbers/);
  });

  test('two mergers never share state', () => {
    const [a, b] = [new ModelParametersMerger({ mode: 'best' }), new ModelParametersMerger({ mode: 'best' })];
    a.setData(new LinearRegression(), [[1]], [1]);
    expect(() => b.merge([parametersOf(1, 0)])).toThrow(InvalidOptionError);
  });

  test('nothing, other layouts and NaN are refused', () => {
    const merger = new ModelParametersMerger();
    expect(() => merger.merge([])).toThrow(MalformedDataError);
    expect(() => merger.merge([parametersOf(1, 2), parametersOf(1, 2, 3)])).toThrow(LayoutMismatchError);
    expect(() => merger.merge([parametersOf(1, Number.NaN)])).toThrow(/child 0 have NaN at bias\[0\]/);
    expect(() => merger.merge([[1, 2]] as never)).toThrow(MalformedDataError);
  });

  test.each([
    [{ mode: 'median' as never }, /mode is "median"/],
    [{ rounding: 'up' as never }, /rounding is "up"/],
    [{ mode: 'weightedAverage' as const }, /needs the option weights/],
    [{ mode: 'custom' as const }, /needs the option merge/],
  ])('illegal options %j', (options, message) => {
    expect(() => new ModelParametersMerger(options)).toThrow(message);
  });
});
