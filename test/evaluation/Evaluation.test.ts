import fc from 'fast-check';
import {
  areaUnderCurve,
  Evaluation,
  InvalidDataError,
  InvalidOptionError,
  isHigherBetter,
  LinearRegression,
  LogisticRegression,
  MalformedDataError,
  NeuralNetwork,
  seededRandom,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { normalRows, roundRobin } from '../models/support.ts';

interface Classified {
  readonly actual: number[];
  readonly predicted: number[];
  readonly probabilities: number[];
}

/** Rows of a made-up classifier: probabilities at random, the likeliest is predicted. */
function classified(rows: number, classes: number, seed: number): Classified {
  const random = seededRandom(seed, 7);
  const actual = Array.from({ length: rows }, () => Math.floor(classes * random.next()));
  const all = actual.map((wanted) => {
    const raw = Array.from(
      { length: classes },
      (_, k) => random.next() ** 3 + (k === wanted ? 0.3 : 0) + 1e-3,
    );
    const sum = raw.reduce((a, b) => a + b);
    return raw.map((p) => p / sum);
  });
  const predicted = all.map((row) => row.indexOf(Math.max(...row)));
  return { actual, predicted, probabilities: all.flat() };
}

const names = (count: number): number[] => Array.from({ length: count }, (_, k) => k);
const evaluate = (rows: Classified, classes: number): Evaluation =>
  Evaluation.ofClassification({ classes: names(classes), ...rows });
const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The metrics as a textbook writes them, row by row. */
function textbook({ actual, predicted, probabilities }: Classified, classes: number) {
  const of = (k: number): { precision: number; recall: number; f1: number } => {
    const hits = actual.filter((wanted, i) => wanted === k && predicted[i] === k).length;
    const found = predicted.filter((p) => p === k).length;
    const there = actual.filter((wanted) => wanted === k).length;
    const precision = found === 0 ? 0 : hits / found;
    const recall = there === 0 ? 0 : hits / there;
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
    return { precision, recall, f1 };
  };
  const each = classes === 2 ? [of(1)] : names(classes).map(of);
  return {
    accuracy: mean(actual.map((wanted, i) => (wanted === predicted[i] ? 1 : 0))),
    logLoss: mean(actual.map((wanted, i) => -Math.log(probabilities[i * classes + wanted] as number))),
    precision: mean(each.map(({ precision }) => precision)),
    recall: mean(each.map(({ recall }) => recall)),
    f1: mean(each.map(({ f1 }) => f1)),
  };
}

/** Calls back for every pair of a positive and a negative. */
function forPairs(isPositive: boolean[], pair: (positive: number, negative: number) => void): void {
  isPositive.forEach((a, i) => {
    isPositive.forEach((b, j) => {
      if (a && !b) pair(i, j);
    });
  });
}

describe('metrics of a classifier', () => {
  test.each([2, 3, 7])('with %d classes are those of a textbook', (classes) => {
    for (let seed = 0; seed < 20; seed++) {
      const rows = classified(1 + 9 * seed, classes, seed);
      const { metrics } = evaluate(rows, classes);
      for (const [name, expected] of Object.entries(textbook(rows, classes)))
        expect(metrics[name as keyof typeof metrics], name).toBeCloseTo(expected, 12);
    }
  });

  test('by hand: four of six right', () => {
    const evaluation = Evaluation.ofClassification({
      classes: ['lose', 'win'],
      actual: [0, 0, 0, 1, 1, 1],
      predicted: [0, 0, 1, 1, 1, 0],
      probabilities: [0.9, 0.1, 0.8, 0.2, 0.4, 0.6, 0.3, 0.7, 0.1, 0.9, 0.5, 0.5],
    });
    expect(evaluation.confusionMatrix()).toEqual([
      [2, 1],
      [1, 2],
    ]);
    expect(evaluation.classes).toEqual(['lose', 'win']);
    expect(evaluation.rows).toBe(6);
    expect(evaluation.metric('accuracy')).toBe(4 / 6);
    expect(evaluation.metric('precision')).toBe(2 / 3);
    expect(evaluation.metric('auc')).toBe(8 / 9);
  });

  test('area under the curve: every pair counts, ties half', () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = seededRandom(seed);
      const scores = Array.from({ length: 30 }, () => Math.round(8 * random.next()));
      const isPositive = scores.map((score) => score + 4 * random.next() > 6);
      let won = 0;
      let pairs = 0;
      forPairs(isPositive, (i, j) => {
        pairs++;
        const difference = (scores[i] as number) - (scores[j] as number);
        won += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
      });
      expect(areaUnderCurve(scores, isPositive)).toBeCloseTo(won / pairs, 13);
    }
    expect(areaUnderCurve([1, 2], [true, true])).toBeNaN();
  });

  test('the histogram is as near to the exact area as pairs in one bin allow', () => {
    for (let seed = 0; seed < 20; seed++) {
      const rows = classified(300, 2, seed);
      const scores = rows.actual.map((_, i) => rows.probabilities[2 * i + 1] as number);
      const isPositive = rows.actual.map((wanted) => wanted === 1);
      const bins = scores.map((p) => Math.floor((Math.log(p / (1 - p)) + 16) * 128));
      let tied = 0;
      let pairs = 0;
      forPairs(isPositive, (i, j) => {
        pairs++;
        if (bins[i] === bins[j]) tied++;
      });
      const difference = evaluate(rows, 2).metric('auc') - areaUnderCurve(scores, isPositive);
      expect(Math.abs(difference)).toBeLessThanOrEqual(tied / (2 * pairs) + 1e-12);
    }
  });

  test('what was impossible and happened costs much, not infinitely much', () => {
    const evaluation = Evaluation.ofClassification({
      classes: [0, 1],
      actual: [1],
      predicted: [0],
      probabilities: [1, 0],
    });
    expect(evaluation.metric('logLoss')).toBeCloseTo(-Math.log(1e-15), 10);
    expect(evaluation.metric('precision')).toBe(0);
  });
});

describe('metrics of a regression', () => {
  test('by hand, over two outputs', () => {
    const { metrics } = Evaluation.ofRegression({
      predicted: [2, 10, 2, 20, 4, 20],
      labels: [1, 10, 2, 20, 6, 30],
      rows: 3,
      outputs: 2,
    });
    expect(metrics.rSquared).toBeCloseTo((1 - 5 / 14 + 0.5) / 2, 14);
    expect(metrics.meanSquaredError).toBeCloseTo((1 + 4 + 100) / 6, 14);
    expect(metrics.meanAbsoluteError).toBeCloseTo((1 + 2 + 10) / 6, 14);
  });

  test('an output whose labels are equal counts 1 where it is hit, and 0 where it is missed', () => {
    for (const label of [4, 0.1, 1e-9]) {
      const of = (last: number): number => {
        const labels = [label, label, label];
        return Evaluation.ofRegression({
          predicted: [label, label, last],
          labels,
          rows: 3,
          outputs: 1,
        }).metric('rSquared');
      };
      expect([of(label), of(2 * label)]).toEqual([1, 0]);
    }
  });
});

describe('sums of shards are those of all rows', () => {
  test.each([
    2, 7, 30,
  ])('of a classifier over %d shards: counts exactly, the log loss to rounding', (shards) => {
    for (const classes of [2, 4]) {
      const rows = classified(300, classes, shards);
      const pooled = evaluate(rows, classes);
      const random = seededRandom(shards);
      const shardOf = rows.actual.map(() => Math.floor(shards * random.next()));
      const parts = Array.from({ length: shards }, (_, shard) => {
        const own = rows.actual.map((_wanted, i) => i).filter((i) => shardOf[i] === shard);
        const part = {
          actual: own.map((i) => rows.actual[i] as number),
          predicted: own.map((i) => rows.predicted[i] as number),
          probabilities: own.flatMap((i) => rows.probabilities.slice(i * classes, (i + 1) * classes)),
        };
        return Evaluation.fromJSON(JSON.parse(JSON.stringify(evaluate(part, classes))));
      });
      const merged = parts.reduceRight((sum, part) => part.merge(sum));
      expect(merged.confusionMatrix()).toEqual(pooled.confusionMatrix());
      for (const [name, value] of Object.entries(pooled.metrics)) {
        const got = merged.metrics[name as keyof typeof merged.metrics] as number;
        expect(Math.abs(got - value), name).toBeLessThanOrEqual(name === 'logLoss' ? 1e-12 * value : 0);
      }
    }
  });

  test('of a regression: to 1e-12, also far from 0', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer(), (shards, seed) => {
        const all = normalRows(120, 2, seed).map(([a, b]) => [1e6 + (a as number), b as number]);
        const of = (part: number[][]): Evaluation =>
          Evaluation.ofRegression({
            predicted: part.flatMap(([a, b]) => [(a as number) + 0.5 * Math.sin(b as number), 0]),
            labels: part.flat(),
            rows: part.length,
            outputs: 2,
          });
        const size = Math.ceil(120 / shards);
        const parts = Array.from({ length: Math.ceil(120 / size) }, (_, i) =>
          of(all.slice(i * size, (i + 1) * size)),
        );
        const merged = parts.reduce((sum, part) => sum.merge(part));
        const pooled = of(all);
        expect(merged.rows).toBe(120);
        for (const name of ['rSquared', 'meanSquaredError', 'meanAbsoluteError'] as const) {
          const scale = Math.max(1, Math.abs(pooled.metric(name)));
          expect(Math.abs(merged.metric(name) - pooled.metric(name))).toBeLessThanOrEqual(1e-12 * scale);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('merge leaves both as they were, and refuses what does not belong together', () => {
    const [a, b] = [evaluate(classified(20, 2, 1), 2), evaluate(classified(20, 2, 2), 2)];
    const before = JSON.stringify([a, b]);
    a.merge(b);
    expect(JSON.stringify([a, b])).toBe(before);
    expect(() => a.merge(evaluate(classified(20, 3, 1), 3))).toThrow(InvalidDataError);
    for (const wrong of [null, 3, a.toJSON()]) {
      expect(() => a.merge(wrong as never)).toThrow(InvalidDataError);
      expect(() => a.merge(wrong as never)).toThrow(/Evaluation.fromJSON reads its JSON/);
    }
    const numbers = Evaluation.ofRegression({ predicted: [1], labels: [1], rows: 1, outputs: 1 });
    const two = Evaluation.ofRegression({ predicted: [1, 1], labels: [1, 1], rows: 1, outputs: 2 });
    expect(() => a.merge(numbers)).toThrow(/regression does not add to one of a classification/);
    expect(() => numbers.merge(two)).toThrow(/2 and of 1 outputs/);
  });
});

describe('sums that know less', () => {
  const scored = evaluate(classified(20, 2, 1), 2);
  const { probabilities: _none, ...bare } = classified(30, 2, 2);
  const plain = Evaluation.ofClassification({ classes: [0, 1], ...bare });
  const empty = evaluate({ actual: [], predicted: [], probabilities: [] }, 2);

  test('make the whole know less: no area under the curve of some of the rows', () => {
    for (const merged of [scored.merge(plain), plain.merge(scored)]) {
      expect(merged.rows).toBe(50);
      expect(Object.keys(merged.metrics)).toEqual(['accuracy', 'precision', 'recall', 'f1']);
      expect(Evaluation.fromJSON(JSON.parse(JSON.stringify(merged))).metrics).toEqual(merged.metrics);
    }
  });

  test('but no rows take nothing away', () => {
    for (const merged of [scored.merge(empty), empty.merge(scored)])
      expect(merged.metrics).toEqual(scored.metrics);
  });
});

describe('the JSON of a stranger', () => {
  const good = JSON.parse(JSON.stringify(evaluate(classified(20, 2, 1), 2))) as Record<string, unknown>;
  const regression = Evaluation.ofRegression({ predicted: [1, 2], labels: [1, 3], rows: 2, outputs: 1 });
  const numbers = JSON.parse(JSON.stringify(regression)) as Record<string, unknown>;

  test.each([
    ['nothing', null],
    ['another format', { ...good, format: 'x' }],
    ['another kind', { ...good, kind: 'ranking' }],
    ['one class', { ...good, classes: [1] }],
    ['unsorted classes', { ...good, classes: [1, 0] }],
    ['mixed classes', { ...good, classes: [0, 'a'] }],
    ['half a row', { ...good, confusion: [0.5, 0, 0, 0] }],
    ['less than no rows', { ...good, confusion: [-1, 0, 0, 0] }],
    [
      'more rows than the limit in all',
      { ...good, confusion: [1e12, 1, 0, 0], positives: [], negatives: [] },
    ],
    ['too few counts', { ...good, confusion: [1, 0, 0] }],
    ['more scores than rows', { ...good, positives: [5, 4_000] }],
    ['a bin that is not there', { ...good, positives: [4_096, 1] }],
    ['bins out of order', { ...good, positives: [7, 1, 6, 1] }],
    ['a negative log loss', { ...good, logLoss: -1 }],
    ['an infinite log loss', { ...good, logLoss: Infinity }],
    ['no outputs', { ...numbers, outputs: [] }],
    ['a negative error', { ...numbers, outputs: [{ squaredError: -1, absoluteError: 0, labels: {} }] }],
    [
      'labels without moments',
      { ...numbers, outputs: [{ squaredError: 1, absoluteError: 0, labels: null }] },
    ],
    ['rows without end', { ...numbers, rows: 1e300 }],
  ])('with %s is a typed error', (_what, json) => {
    expect(() => Evaluation.fromJSON(json)).toThrow(MalformedDataError);
  });

  test('that is whole comes back as it was', () => {
    for (const json of [good, numbers])
      expect(JSON.parse(JSON.stringify(Evaluation.fromJSON(json)))).toEqual(json);
  });
});

describe('a model', () => {
  const features = normalRows(60, 2, 3);
  const labels = features.map(([a, b]) => ((a as number) + (b as number) > 0 ? 'yes' : 'no'));

  test('scores by name; without one, accuracy or R²', () => {
    const classifier = new LogisticRegression({ maximumNumberOfIterations: 20 });
    classifier.train(features, labels);
    const evaluation = classifier.evaluate(features, labels);
    expect(classifier.score(features, labels)).toBe(evaluation.metric('accuracy'));
    const cost = classifier.computeCost(features, labels);
    expect(classifier.score(features, labels, 'logLoss')).toBeCloseTo(cost, 12);
    const probabilities = classifier.predictProbabilities(features).map((row) => row[1] as number);
    const exact = areaUnderCurve(
      probabilities,
      labels.map((label) => label === 'yes'),
    );
    expect(Math.abs(classifier.score(features, labels, 'auc') - exact)).toBeLessThan(0.01);
    const regression = new LinearRegression({ solver: 'exact' });
    const targets = features.map(([a]) => 3 * (a as number));
    regression.train(features, targets);
    expect(regression.score(features, targets, 'meanSquaredError')).toBeLessThan(1e-20);
    expect(() => regression.score(features, targets, 'f1')).toThrow(InvalidOptionError);
    expect(() => classifier.score(features, labels, 'rSquared')).toThrow(/expected one of accuracy, logLoss/);
    expect(() => classifier.score(features, labels, 'toString' as never)).toThrow(InvalidOptionError);
  });

  test('of more classes, and one with margins, say what they can', () => {
    const softmax = new NeuralNetwork({
      layers: [2, { units: 3, activation: 'softmax' }],
      dtype: 'float64',
    });
    const three = roundRobin(60, [0, 1, 2]);
    expect(Object.keys(softmax.evaluate(features, three).metrics)).toEqual([
      'accuracy',
      'logLoss',
      'precision',
      'recall',
      'f1',
    ]);
    expect(softmax.score(features, three, 'logLoss')).toBeCloseTo(softmax.computeCost(features, three), 12);
    const margins = new NeuralNetwork({
      layers: [2, 1],
      loss: 'hinge',
      classes: ['no', 'yes'],
      learningRate: 0.05,
      maximumNumberOfIterations: 200,
    });
    margins.train(features, labels);
    expect(margins.score(features, labels)).toBeGreaterThan(0.9);
    expect(margins.score(features, labels, 'auc')).toBeGreaterThan(0.9);
    expect(() => margins.score(features, labels, 'logLoss')).toThrow(InvalidOptionError);
  });

  test('knows which way is better', () => {
    expect((['accuracy', 'logLoss', 'rSquared', 'meanSquaredError'] as const).map(isHigherBetter)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});
