import fc from 'fast-check';
import {
  FeatureStatistics,
  InvalidDataError,
  InvalidOptionError,
  LimitExceededError,
  MalformedDataError,
  seededRandom,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { normalRows } from '../models/support.ts';

type Row = (number | string)[];
const kinds = ['archer', 'bard', 'knight', 'mage'];

/** Columns of very different kinds: near 0, far from 0, huge, constant, and a category. */
function table(rows: number, seed: number): Row[] {
  return normalRows(rows, 4, seed).map(([a, b, c, d]) => [
    a as number,
    1e6 + (b as number),
    1e12 * (c as number),
    0.1,
    kinds[Math.abs(Math.round(2 * (d as number))) % 4] as string,
  ]);
}
const categorical = [4];
const of = (rows: Row[]): FeatureStatistics => new FeatureStatistics({ categorical }).add(rows);

/** x + y, with what rounding loses (Knuth's two-sum), as an unevaluated pair: sums in twice the precision. */
function addTo(sum: [number, number], x: number): void {
  const high = sum[0] + x;
  const part = high - sum[0];
  sum[1] += sum[0] - (high - part) + (x - part);
  sum[0] = high;
}

/** Mean and deviation by the textbook, with sums in twice the precision. */
function reference(values: number[]): { mean: number; deviation: number } {
  const shift = values[0] as number;
  const sum: [number, number] = [0, 0];
  for (const value of values) addTo(sum, value - shift);
  const offset = (sum[0] + sum[1]) / values.length;
  const squares: [number, number] = [0, 0];
  for (const value of values) addTo(squares, (value - shift - offset) ** 2);
  return { mean: shift + offset, deviation: Math.sqrt((squares[0] + squares[1]) / values.length) };
}

/** Deals rows out at random; some children get none, some one. */
function deal(rows: Row[], children: number, seed: number): Row[][] {
  const random = seededRandom(seed, 3);
  const parts: Row[][] = Array.from({ length: children }, () => []);
  for (const row of rows) parts[Math.floor(children * random.next() ** 2)]?.push(row);
  return parts;
}

function expectSame(got: FeatureStatistics, rows: Row[]): void {
  expect(got.rows).toBe(rows.length);
  for (let column = 0; column < 4; column++) {
    const values = rows.map((row) => row[column] as number);
    const { mean, deviation } = reference(values);
    const known = got.column(column) as { mean: number; deviation: number; minimum: number; maximum: number };
    expect(Math.abs(known.mean - mean)).toBeLessThanOrEqual(1e-12 * Math.max(Math.abs(mean), deviation));
    expect(Math.abs(known.deviation - deviation)).toBeLessThanOrEqual(1e-12 * deviation);
    expect([known.minimum, known.maximum]).toEqual([Math.min(...values), Math.max(...values)]);
  }
  const there = kinds.filter((kind) => rows.some((row) => row[4] === kind));
  const counts = there.map((kind) => rows.filter((row) => row[4] === kind).length);
  expect(got.column(4)).toEqual({ categories: there, counts });
}

describe('statistics over children are those of the pooled rows, to 1e-12', () => {
  test.each([1, 2, 7, 30])('over %d children, in a chain, backwards, and as a tree', (children) => {
    for (let seed = 0; seed < 12; seed++) {
      const rows = table(3 + 41 * seed, seed);
      const parts = deal(rows, children, seed).map((part) =>
        FeatureStatistics.fromJSON(JSON.parse(JSON.stringify(of(part)))),
      );
      expectSame(
        parts.reduce((sum, part) => sum.merge(part)),
        rows,
      );
      expectSame(
        parts.reduceRight((sum, part) => sum.merge(part)),
        rows,
      );
      let level = parts;
      while (level.length > 1) {
        level = level.flatMap((part, i) => (i % 2 === 1 ? [] : [level[i + 1]?.merge(part) ?? part]));
      }
      expectSame(level[0] as FeatureStatistics, rows);
    }
  });

  test('over children of one row each', () => {
    const rows = table(2_000, 5);
    expectSame(
      rows.map((row) => of([row])).reduce((sum, part) => sum.merge(part)),
      rows,
    );
  });

  test('streaming, in batches of any size, equals all at once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 6 }), fc.nat(), (sizes, seed) => {
        const rows = table(
          sizes.reduce((a, b) => a + b, 1),
          seed,
        );
        const streamed = new FeatureStatistics({ categorical });
        let first = 0;
        for (const size of [...sizes, 1]) {
          streamed.add(rows.slice(first, first + size));
          first += size;
        }
        expectSame(streamed, rows);
      }),
      { numRuns: 30 },
    );
  });

  test('a column of equal numbers has no deviation at all, however it was dealt out', () => {
    for (const value of [0.1, 1e6 + 1 / 3, -7e-12, 1e15 + 0.3]) {
      for (let seed = 0; seed < 10; seed++) {
        const rows = Array.from({ length: 700 }, () => [value]);
        const parts = deal(rows, 9, seed).map((part) => new FeatureStatistics().add(part as number[][]));
        const merged = parts.reduce((sum, part) => sum.merge(part));
        expect(merged.column(0)).toEqual({ mean: value, deviation: 0, minimum: value, maximum: value });
        expect(FeatureStatistics.fromJSON(JSON.parse(JSON.stringify(merged))).column(0)).toEqual(
          merged.column(0),
        );
      }
    }
  });
});

describe('FeatureStatistics', () => {
  test('takes nested arrays, typed matrices and what has toArray(), alike', () => {
    const rows = [
      [1, 2],
      [3, 5],
    ];
    const expected = JSON.stringify(new FeatureStatistics().add(rows));
    const data = Float32Array.from(rows.flat());
    expect(JSON.stringify(new FeatureStatistics().add({ data, rows: 2, columns: 2 }))).toBe(expected);
    expect(JSON.stringify(new FeatureStatistics().add({ toArray: () => rows }))).toBe(expected);
  });

  test('merge changes neither side, and nothing merges with nothing', () => {
    const [a, b] = [of(table(5, 1)), of(table(6, 2))];
    const before = JSON.stringify([a, b]);
    a.merge(b);
    expect(JSON.stringify([a, b])).toBe(before);
    const empty = new FeatureStatistics({ categorical });
    expect(empty.merge(empty).rows).toBe(0);
    expect(JSON.stringify(empty.merge(a))).toBe(JSON.stringify(a));
    expect(JSON.stringify(a.merge(empty))).toBe(JSON.stringify(a));
  });

  test('what does not belong together is refused, and nothing has changed', () => {
    const one = of(table(5, 1));
    const before = JSON.stringify(one);
    const wrong: [() => unknown, RegExp][] = [
      [() => one.merge(new FeatureStatistics()), /categorical columns are \[\] in one and \[4\]/],
      [
        () => new FeatureStatistics().add([[1]]).merge(new FeatureStatistics().add([[1, 2]])),
        /2 and of 1 columns/,
      ],
      [() => one.merge({} as FeatureStatistics), /expected FeatureStatistics/],
      [() => one.add([[1, 2, 3, 4, 5]]), /both|categories/],
      [() => one.add([[1, 2, 3]]), /3 columns, expected 5/],
      [() => one.add([[1, 'x', 3, 4, 'mage']]), /row 0, column 1/],
      [() => one.add([table(1, 1)[0] as Row, [1, Number.NaN, 3, 4, 'mage']]), /NaN at row 1, column 1/],
      [() => one.add([[1e308, 1, 1, 1, 'mage']]).add([[-1e308, 1, 1, 1, 'mage']]), /too large/],
    ];
    for (const [call, message] of wrong) {
      expect(call).toThrow(InvalidDataError);
      expect(call).toThrow(message);
    }
    expect(JSON.stringify(one)).toBe(before);
  });

  test('long lists of categorical columns that begin alike do not merge', () => {
    const columns = Array.from({ length: 60 }, (_, i) => i);
    const a = new FeatureStatistics({ categorical: columns });
    const b = new FeatureStatistics({ categorical: [...columns.slice(1), 60] });
    const c = new FeatureStatistics({ categorical: [...columns.slice(0, 59), 60] });
    for (const other of [b, c]) expect(() => a.merge(other)).toThrow(InvalidDataError);
  });

  test('0 and −0 are one category', () => {
    const statistics = new FeatureStatistics({ categorical: [0] }).add([[0], [-0], [1]]);
    expect(statistics.column(0)).toEqual({ categories: [0, 1], counts: [2, 1] });
  });

  test('rows and categories of several children together keep to the limits', () => {
    const many = FeatureStatistics.fromJSON({
      format: 'mainstem/feature-statistics@1',
      categorical: [],
      rows: 1e12,
      columns: [{ mean: 1, meanResidual: 0, squares: 0, minimum: 1, maximum: 1 }],
    });
    expect(() => many.merge(many)).toThrow(LimitExceededError);
    expect(() => many.add([[1]])).toThrow(LimitExceededError);
    expect(many.rows).toBe(1e12);
    const full = new FeatureStatistics({ categorical: [0] }).add(
      Array.from({ length: 1_024 }, (_, i) => [i]),
    );
    expect(() => full.merge(new FeatureStatistics({ categorical: [0] }).add([[-1]]))).toThrow(
      LimitExceededError,
    );
    expect(full.add([[0]]).rows).toBe(1_025);
  });

  test('limits: columns, categories, the length of a text', () => {
    expect(() => new FeatureStatistics().add([new Array<number>(4_097).fill(1)])).toThrow(LimitExceededError);
    const many = Array.from({ length: 1_025 }, (_, i) => [i]);
    expect(() => new FeatureStatistics({ categorical: [0] }).add(many)).toThrow(LimitExceededError);
    expect(() => new FeatureStatistics({ categorical: [0] }).add([['x'.repeat(257)]])).toThrow(
      InvalidDataError,
    );
    expect(() => new FeatureStatistics({ categorical: [-1] })).toThrow(InvalidOptionError);
    expect(() => new FeatureStatistics({ categoricals: [1] } as object)).toThrow(InvalidOptionError);
    expect(() => of(table(3, 1)).column(5)).toThrow(InvalidOptionError);
  });
});

describe('the JSON of a stranger', () => {
  const good = JSON.parse(JSON.stringify(of(table(9, 3)))) as { columns: Record<string, unknown>[] } & Record<
    string,
    unknown
  >;
  const withColumn = (index: number, change: object): object => ({
    ...good,
    columns: good.columns.map((column, i) => (i === index ? { ...column, ...change } : column)),
  });

  test.each([
    ['nothing', null],
    ['a list', []],
    ['another format', { ...good, format: 'x' }],
    ['rows that are no number', { ...good, rows: '9' }],
    ['fewer than no rows', { ...good, rows: -1 }],
    ['half a row', { ...good, rows: 1.5 }],
    ['more rows than there are', { ...good, rows: 1e300 }],
    ['no columns', { ...good, columns: [] }],
    ['columns of no rows', { ...good, rows: 0 }],
    ['categorical columns out of order', { ...good, categorical: [4, 3] }],
    ['a categorical column that is not there', { ...good, categorical: [9] }],
    ['a mean that is not finite', withColumn(0, { mean: null })],
    ['a mean outside its range', withColumn(0, { mean: 1e9 })],
    ['a range beyond numbers', withColumn(0, { minimum: -1e308, maximum: 1e308 })],
    ['half a count', withColumn(4, { counts: [1.5, 7.5] })],
    ['a category without rows', withColumn(4, { categories: ['a', 'b'], counts: [0, 9] })],
    ['a long category', withColumn(4, { categories: ['a'.repeat(257)], counts: [9] })],
    ['another kind of column', { ...good, categorical: [] }],
    ['negative squares', withColumn(0, { squares: -1 })],
    ['squares of equal numbers', withColumn(3, { squares: 1 })],
    ['a range upside down', withColumn(0, { minimum: 5, maximum: 4, mean: 4.5 })],
    ['a residual that is none', withColumn(0, { meanResidual: 1 })],
    ['counts that do not add up', withColumn(4, { counts: [1, 1, 1, 1] })],
    ['unsorted categories', withColumn(4, { categories: ['b', 'a'], counts: [4, 5] })],
    ['mixed categories', withColumn(4, { categories: [1, 'a'], counts: [4, 5] })],
    ['a category twice', withColumn(4, { categories: ['a', 'a'], counts: [4, 5] })],
  ])('with %s is a typed error', (_what, json) => {
    expect(() => FeatureStatistics.fromJSON(json)).toThrow(MalformedDataError);
  });

  test('with a __proto__ is taken as what it is: an unknown key', () => {
    const json = JSON.parse(`{"__proto__": {"polluted": true}, ${JSON.stringify(good).slice(1)}`) as unknown;
    FeatureStatistics.fromJSON(json);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
