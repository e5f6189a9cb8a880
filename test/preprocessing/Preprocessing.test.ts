import fc from 'fast-check';
import {
  FeatureStatistics,
  InvalidDataError,
  InvalidOptionError,
  LimitExceededError,
  MalformedDataError,
  MinMaxScaler,
  NotTrainedError,
  OneHotEncoder,
  Preprocessing,
  StandardScaler,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { bits, normalRows } from '../models/support.ts';

const table = [
  [1, 'mage', 10, 5],
  [2, 'archer', 20, 5],
  [6, 'mage', 60, 5],
];
const numbersOf = ({ data, columns }: { data: ArrayLike<number>; columns: number }): number[][] =>
  Array.from({ length: data.length / columns }, (_, i) =>
    Array.from(data).slice(i * columns, (i + 1) * columns),
  );

describe('scalers and encoders', () => {
  test('StandardScaler gives mean 0 and deviation 1; equal numbers become 0', () => {
    const rows = normalRows(50, 3, 1).map(([a, b]) => [1e6 + 20 * (a as number), b as number, 7]);
    const scaled = numbersOf(new StandardScaler().fit(rows).transform(rows));
    for (const column of [0, 1]) {
      const values = scaled.map((row) => row[column] as number);
      const mean = values.reduce((a, b) => a + b) / 50;
      expect(Math.abs(mean)).toBeLessThan(1e-9);
      expect(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 50).toBeCloseTo(1, 9);
    }
    expect(scaled.map((row) => row[2])).toEqual(new Array(50).fill(0));
  });

  test('MinMaxScaler reaches low and high exactly; equal numbers become low', () => {
    const rows = [
      [0.1, 3],
      [0.7, 3],
      [0.3, 3],
    ];
    const scaled = numbersOf(new MinMaxScaler({ range: [-0.1, 0.3] }).fit(rows).transform(rows));
    expect(scaled[0]).toEqual([-0.1, -0.1]);
    expect(scaled[1]).toEqual([0.3, -0.1]);
    expect(scaled[2]?.[0]).toBeCloseTo(-0.1 + 0.4 / 3, 14);
  });

  test('OneHotEncoder puts a column for each category in the place of its column, sorted', () => {
    const fitted = new OneHotEncoder({ columns: [1] }).fit(table);
    expect(numbersOf(fitted.transform(table))).toEqual([
      [1, 0, 1, 10, 5],
      [2, 1, 0, 20, 5],
      [6, 0, 1, 60, 5],
    ]);
    expect([fitted.columns, fitted.outputs]).toEqual([4, 5]);
    const numbers = new OneHotEncoder({ columns: [0] }).fit([[10], [9], [100]]);
    expect(numbersOf(numbers.transform([[9], [10], [100]]))).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
  });

  test('an unknown category is an error that names it, or zeros', () => {
    const strict = new OneHotEncoder({ columns: [0] }).fit([['a'], ['b']]);
    expect(() => strict.transform([['a'], ['c']])).toThrow(/"c" at row 1, column 0/);
    const lenient = new OneHotEncoder({ columns: [0], unknown: 'ignore' }).fit([['a'], ['b']]);
    expect(numbersOf(lenient.transform([['c']]))).toEqual([[0, 0]]);
  });
});

describe('Preprocessing', () => {
  const steps = [
    new MinMaxScaler({ columns: [2] }),
    new OneHotEncoder({ columns: [1] }),
    new StandardScaler(),
  ];

  test('each column has one step at most; a scaler without columns takes what is left', () => {
    const fitted = new Preprocessing(steps).fit(table);
    const deviation = Math.sqrt((4 + 1 + 9) / 3);
    expect(numbersOf(fitted.transform(table))[0]).toEqual([-2 / deviation, 0, 1, 0, 0]);
    const passing = new Preprocessing(new MinMaxScaler({ columns: [2] })).fit([
      [9, 9, 1],
      [9, 9, 3],
    ]);
    expect(numbersOf(passing.transform([[4, 5, 2]]))).toEqual([[4, 5, 0.5]]);
    expect(() => new Preprocessing([new StandardScaler(), new MinMaxScaler()])).toThrow(InvalidOptionError);
    expect(
      () => new Preprocessing([new StandardScaler({ columns: [1] }), new MinMaxScaler({ columns: [0, 1] })]),
    ).toThrow(/column 1 is claimed by standardScaler and by minMaxScaler/);
  });

  test('fitted on rows, on statistics, in a stream, or on the statistics of others, it is the same to the bit', () => {
    const expected = JSON.stringify(new Preprocessing(steps).fit(table).describe());
    const empty = new Preprocessing(steps);
    expect(JSON.stringify(new Preprocessing(steps).fit(empty.createStatistics().add(table)).describe())).toBe(
      expected,
    );
    const streamed = new Preprocessing(steps);
    streamed.partialFit(table);
    expect(JSON.stringify(streamed.describe())).toBe(expected);
    const once = new Preprocessing(steps).fit(table.slice(0, 2)).partialFit(table.slice(2));
    expect(JSON.stringify(once.describe())).toBe(expected);
    const halves = [table.slice(0, 1), table.slice(1)].map((part) => empty.createStatistics().add(part));
    const merged = new Preprocessing(steps).fit(
      (halves[0] as FeatureStatistics).merge(halves[1] as FeatureStatistics),
    );
    expect(
      numbersOf(merged.transform(table))
        .flat()
        .map((x) => x.toFixed(12)),
    ).toEqual(
      numbersOf(streamed.transform(table))
        .flat()
        .map((x) => x.toFixed(12)),
    );
  });

  test('comes back from its description with the same bits, for any numbers', () => {
    const numbers = fc.array(
      fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: 0, max: 9 })),
      {
        minLength: 1,
        maxLength: 20,
      },
    );
    fc.assert(
      fc.property(numbers, (rows) => {
        for (const kind of [
          [new StandardScaler({ columns: [0] }), new OneHotEncoder({ columns: [1] })],
          [new MinMaxScaler({ range: [-3, 0.1] })],
        ]) {
          const fitted = new Preprocessing(kind).fit(rows);
          const read = Preprocessing.fromDescription(JSON.parse(JSON.stringify(fitted.describe())));
          expect(bits(read.transform(rows).data)).toEqual(bits(fitted.transform(rows).data));
          expect(JSON.stringify(read.describe())).toBe(JSON.stringify(fitted.describe()));
        }
      }),
    );
  });

  test('inverseTransform leads back, but not through an encoder', () => {
    const rows = normalRows(20, 2, 4).map(([a, b]) => [1e3 * (a as number), b as number]);
    for (const scaler of [new StandardScaler(), new MinMaxScaler({ range: [-1, 2] })]) {
      const fitted = scaler.fit(rows);
      numbersOf(fitted.inverseTransform(fitted.transform(rows))).forEach((row, i) => {
        row.forEach((value, j) => {
          expect(value).toBeCloseTo((rows[i] as number[])[j] as number, 9);
        });
      });
    }
    const encoded = new Preprocessing(steps).fit(table);
    expect(() => encoded.inverseTransform(encoded.transform(table))).toThrow(InvalidOptionError);
  });

  test('works in float64 and converts last', () => {
    const rows = [[1.7e9], [1.7e9 + 1]];
    const { data } = new StandardScaler().fit(rows).transform(rows, { dtype: 'float32' });
    expect(data).toBeInstanceOf(Float32Array);
    expect(Array.from(data)).toEqual([-1, 1]);
  });

  test('asks for a fit first, for rows like those that it was fitted to, and for numbers that it can hold', () => {
    const fitted = new StandardScaler().fit([
      [1, 2],
      [3, 5],
    ]);
    expect(() => new Preprocessing('standardScaler').transform([[1]])).toThrow(NotTrainedError);
    expect(() => new Preprocessing('standardScaler').describe()).toThrow(NotTrainedError);
    expect(() => Preprocessing.fromDescription(fitted.describe()).partialFit([[1, 2]])).toThrow(
      NotTrainedError,
    );
    expect(() => fitted.transform([[1]])).toThrow(/1 columns, expected 2/);
    expect(() => fitted.transform([[1, Number.NaN]])).toThrow(InvalidDataError);
    expect(() => fitted.transform([[1, 1e300]], { dtype: 'float32' })).toThrow(/beyond float32/);
    expect(() => new Preprocessing('standardScaler').fit([])).toThrow(InvalidDataError);
    expect(() => new StandardScaler({ columns: [3] }).fit([[1, 2]])).toThrow(/claims column 3/);
    const wrongKind = new FeatureStatistics().add([[1], [2]]);
    expect(() => new OneHotEncoder({ columns: [0] }).fit(wrongKind)).toThrow(/not categorical/);
  });

  test('keeps a copy: statistics that grow, and a clone that learns on, change nothing', () => {
    const statistics = new Preprocessing(steps).createStatistics().add(table);
    const fitted = new Preprocessing(steps).fit(statistics);
    const clone = fitted.clone();
    const before = JSON.stringify(fitted.describe());
    statistics.add([[100, 'knight', 5, 5]]);
    clone.partialFit([[50, 'bard', 5, 5]]);
    expect(JSON.stringify(fitted.describe())).toBe(before);
    expect(JSON.stringify(clone.describe())).toBe(
      JSON.stringify(
        new Preprocessing(steps)
          .fit(table)
          .partialFit([[50, 'bard', 5, 5]])
          .describe(),
      ),
    );
    expect(clone.outputs).toBe(6);
  });

  test('a fit that fails changes nothing', () => {
    const fitted = new Preprocessing(steps).fit(table);
    const before = JSON.stringify(fitted.describe());
    const text = new FeatureStatistics({ categorical: [0, 1] }).add([[1, 'a', 3, 4]]);
    expect(() => fitted.fit(text)).toThrow(
      /column 0 is categorical in the statistics, standardScaler expects/,
    );
    for (const wrong of [[], [[1, 'a']], [['x', 'a', 1, 1]], text, fitted.createStatistics()])
      expect(() => fitted.fit(wrong)).toThrow(InvalidDataError);
    for (const wrong of [[[1, 'a', 2]], [[1, 2, 3, 4]]])
      expect(() => fitted.partialFit(wrong)).toThrow(InvalidDataError);
    expect(JSON.stringify(fitted.describe())).toBe(before);
  });

  test('does not write into the rows that it is given, nor hand them out', () => {
    const data = Float64Array.of(1, 2, 3, 4);
    const rows = { data, rows: 2, columns: 2 };
    const out = new MinMaxScaler({ columns: [1] }).fit(rows).transform(rows);
    expect([...out.data]).toEqual([1, 0, 3, 1]);
    out.data.fill(9);
    expect([...data]).toEqual([1, 2, 3, 4]);
  });

  test('makes 65,536 columns at most, whoever fitted it', () => {
    const columns = Array.from({ length: 64 }, (_, i) => i);
    const widest = Array.from({ length: 1_024 }, (_, i) => columns.map(() => i));
    const fitted = new OneHotEncoder({ columns }).fit(widest);
    expect(fitted.outputs).toBe(65_536);
    const wider = widest.map((row) => [...row, 1]);
    const encoder = new Preprocessing(new OneHotEncoder({ columns }));
    expect(() => encoder.fit(wider)).toThrow(LimitExceededError);
    expect(encoder.isFitted).toBe(false);
    expect(() => Preprocessing.fromDescription({ ...fitted.describe(), columns: 65 })).toThrow(
      MalformedDataError,
    );
  });

  test.each([
    [() => new StandardScaler({ column: [1] } as object)],
    [() => new StandardScaler({ columns: [0.5] })],
    [() => new StandardScaler({ columns: [1, 1] })],
    [() => new MinMaxScaler({ range: [1, 1] })],
    [() => new MinMaxScaler({ range: [0, Number.POSITIVE_INFINITY] })],
    [() => new OneHotEncoder({ columns: [0], unknown: 'zeros' as 'ignore' })],
    [() => new Preprocessing('normalizer' as never)],
    [() => new Preprocessing([null as never])],
  ])('an illegal option is refused (%#)', (make) => {
    expect(make).toThrow(InvalidOptionError);
  });
});

describe('the description of a stranger', () => {
  const good = new Preprocessing([
    new StandardScaler({ columns: [0] }),
    new OneHotEncoder({ columns: [1] }),
    new MinMaxScaler({ columns: [2] }),
  ])
    .fit(table)
    .describe();
  const withStep = (index: number, change: object): object => ({
    ...good,
    steps: good.steps.map((step, i) => (i === index ? { ...step, ...change } : step)),
  });

  test.each([
    ['nothing', null],
    ['no columns', { ...good, columns: 0 }],
    ['columns without end', { ...good, columns: 1e9 }],
    ['steps that are no list', { ...good, steps: {} }],
    ['an unknown step', withStep(0, { name: 'pca' })],
    ['a column that is not there', withStep(0, { columns: [4] })],
    ['a column twice', withStep(0, { columns: [2] })],
    ['too few means', withStep(0, { mean: [] })],
    ['a deviation of 0', withStep(0, { deviation: [0] })],
    ['a mean that is no number', withStep(0, { mean: ['1'] })],
    ['something more', withStep(0, { evil: true })],
    ['unsorted categories', withStep(1, { categories: [['mage', 'archer']] })],
    ['no categories', withStep(1, { categories: [[]] })],
    ['an unknown way with the unknown', withStep(1, { unknown: 'guess' })],
    ['a range upside down', withStep(2, { range: [1, 0] })],
    ['a minimum above its maximum', withStep(2, { minimum: [99] })],
  ])('with %s is a typed error', (_what, json) => {
    expect(() => Preprocessing.fromDescription(json)).toThrow(MalformedDataError);
  });
});
