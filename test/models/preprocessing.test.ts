import {
  ArchitectureMismatchError,
  DistributedGradientsCoordinator,
  DivergedError,
  InvalidDataError,
  InvalidOptionError,
  LinearRegression,
  LogisticRegression,
  MinMaxScaler,
  ModelParameters,
  NeuralNetwork,
  NotTrainedError,
  OneHotEncoder,
  Preprocessing,
  StandardScaler,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { bits, normalRows, relativeDistance } from './support.ts';

const rows = 40;
/** Raw telemetry: seconds since 1970, distances in millimetres, a share. */
const raw = normalRows(rows, 3, 1).map(([a, b, c]) => [
  1.7e9 + 500 * (a as number),
  8e5 + 1e5 * (b as number),
  c as number,
]);
const target = raw.map(
  ([time, distance]) => ((time as number) - 1.7e9) / 500 + ((distance as number) - 8e5) / 1e5,
);

describe('a model with preprocessing', () => {
  test('is the same model on rows that were transformed by hand, bit for bit', () => {
    const preprocessing = [new StandardScaler({ columns: [0, 1] }), new MinMaxScaler({ columns: [2] })];
    const inside = new LinearRegression({ preprocessing });
    const outside = new LinearRegression();
    const fitted = new Preprocessing(preprocessing).fit(raw);
    expect(inside.train(raw, target)).toEqual(outside.train(fitted.transform(raw), target));
    expect(bits(inside.getModelParameters().values)).toEqual(bits(outside.getModelParameters().values));
    expect(inside.predict(raw)).toEqual(outside.predict(fitted.transform(raw)));
    expect(inside.score(raw, target)).toBe(outside.score(fitted.transform(raw), target));
    expect(inside.computeCost(raw, target)).toBe(outside.computeCost(fitted.transform(raw), target));
    expect(bits(inside.computeGradients(raw, target).values)).toEqual(
      bits(outside.computeGradients(fitted.transform(raw), target).values),
    );
  });

  test('learns from raw telemetry, where one without diverges', () => {
    const scaled = new LinearRegression({ preprocessing: 'standardScaler' });
    scaled.train(raw, target);
    expect(scaled.score(raw, target)).toBeGreaterThan(0.999);
    expect(() => new LinearRegression().train(raw, target)).toThrow(DivergedError);
  });

  test('keeps the digits of timestamps in float32: numbers are converted behind the scaler', () => {
    const network = new NeuralNetwork({
      layers: [3, 1],
      preprocessing: new StandardScaler(),
      learningRate: 0.05,
      maximumNumberOfIterations: 300,
    });
    network.train(raw, target);
    expect(network.score(raw, target)).toBeGreaterThan(0.999);
  });

  test('takes text in encoded columns, in training and in prediction', () => {
    const table = [
      ['archer', 1],
      ['mage', 2],
      ['archer', 3],
      ['knight', 4],
    ];
    const model = new LinearRegression({
      preprocessing: new OneHotEncoder({ columns: [0] }),
      solver: 'exact',
      fitIntercept: false,
    });
    model.train(table, [11, 22, 13, 34]);
    expect(model.getModelParameters().layout.find('weights')?.shape).toEqual([4, 1]);
    const [predicted] = model.predict([['knight', 7]]);
    expect(predicted?.[0]).toBeCloseTo(37, 9);
    expect(() => model.predict([['bard', 1]])).toThrow(InvalidDataError);
    expect(() => new LinearRegression().train(table, [1, 2, 3, 4])).toThrow(/row 0, column 0/);
  });

  test('is fitted once, at the first training; later trainings keep that fit', () => {
    const model = new LinearRegression({ preprocessing: 'standardScaler', maximumNumberOfIterations: 3 });
    model.train(raw, target);
    const { layout } = model.getModelParameters();
    model.train(raw.slice(0, 5), target.slice(0, 5));
    expect(model.getModelParameters().layout).toBe(layout);
  });

  test('whose first training fails is not fitted', () => {
    const model = new LinearRegression({ preprocessing: 'standardScaler', learningRate: 1e200 });
    expect(() => model.train(raw.slice(0, 5), target.slice(0, 5))).toThrow(DivergedError);
    model.setParameters({ learningRate: 0.1 });
    model.train(raw, target);
    const reference = new LinearRegression({ preprocessing: 'standardScaler' });
    reference.train(raw, target);
    expect(model.getModelParameters().layout.fingerprint).toBe(
      reference.getModelParameters().layout.fingerprint,
    );
  });

  test('validates on raw rows', () => {
    const model = new LinearRegression({ preprocessing: 'standardScaler', maximumNumberOfIterations: 30 });
    const costs: (number | undefined)[] = [];
    model.train(raw, target, {
      validation: { features: raw, labels: target },
      onIteration: ({ validationCost }) => void costs.push(validationCost),
    });
    expect(costs.at(-1)).toBe(model.computeCost(raw, target));
  });

  test('comes back from JSON and from a clone, fitted or not', () => {
    const model = new LogisticRegression({
      preprocessing: [new StandardScaler({ columns: [0] }), new MinMaxScaler({ range: [-1, 1] })],
    });
    const labels = target.map((value) => (value > 0 ? 'far' : 'near'));
    const blank = LogisticRegression.fromJSON(JSON.parse(JSON.stringify(model)));
    model.train(raw, labels);
    blank.train(raw, labels);
    const read = LogisticRegression.fromJSON(JSON.parse(JSON.stringify(model)));
    for (const twin of [blank, read, model.clone()]) {
      expect(twin.predictProbabilities(raw)).toEqual(model.predictProbabilities(raw));
      expect(twin.getModelParameters().layout.fingerprint).toBe(
        model.getModelParameters().layout.fingerprint,
      );
      twin.train(raw, labels);
    }
    model.train(raw, labels);
    expect(bits(read.getModelParameters().values)).toEqual(bits(model.getModelParameters().values));
  });
});

describe('preprocessing is part of the architecture', () => {
  const train = (from: number, to: number): ModelParameters => {
    const model = new LinearRegression({ preprocessing: 'standardScaler', maximumNumberOfIterations: 1 });
    model.train(raw.slice(from, to), target.slice(from, to));
    return model.getModelParameters();
  };

  test('parameters behind different fits never meet', () => {
    const model = new LinearRegression({ preprocessing: 'standardScaler' });
    model.setModelParameters(train(0, 20));
    expect(() => model.setModelParameters(train(20, 40))).toThrow(ArchitectureMismatchError);
    expect(() => model.setModelParameters(train(20, 40))).toThrow(/preprocessing is/);
  });

  test('an untrained model takes the fit over from parameters, unless it was given other steps', () => {
    const parameters = train(0, rows);
    const reference = new LinearRegression();
    reference.setModelParameters(parameters);
    const told = new LinearRegression({ preprocessing: new StandardScaler() });
    told.setModelParameters(parameters);
    expect(told.predict(raw)).toEqual(reference.predict(raw));
    const other = new LinearRegression({ preprocessing: new MinMaxScaler() });
    expect(() => other.setModelParameters(parameters)).toThrow(
      'the parameters come with preprocessing standardScaler, the model has minMaxScaler',
    );
    const bare = ModelParameters.fromArrays({ weights: [[1], [2], [3]], bias: [0] });
    expect(() => new LinearRegression({ preprocessing: 'standardScaler' }).setModelParameters(bare)).toThrow(
      ArchitectureMismatchError,
    );
    for (const preprocessing of [
      new StandardScaler({ columns: [0] }),
      new StandardScaler().fit(raw.slice(0, 9)),
      [new StandardScaler(), new MinMaxScaler({ columns: [0] })],
    ]) {
      expect(() => new LinearRegression({ preprocessing }).setModelParameters(parameters)).toThrow(
        ArchitectureMismatchError,
      );
    }
    const alike = new LinearRegression({ preprocessing: new StandardScaler().fit(raw) });
    alike.setModelParameters(parameters);
    expect(alike.predict(raw)).toEqual(reference.predict(raw));
  });

  test('a network whose steps are not fitted has no parameters yet, though its layers are known', () => {
    const network = new NeuralNetwork({ layers: [3, 2, 1], preprocessing: 'standardScaler' });
    expect(() => network.getModelParameters()).toThrow(NotTrainedError);
    const fitted = new StandardScaler().fit(raw);
    const ready = new NeuralNetwork({ layers: [3, 2, 1], preprocessing: fitted });
    network.setModelParameters(ready.getModelParameters());
    expect(network.predict(raw)).toEqual(ready.predict(raw));
  });

  test('what was given is the model own: a Preprocessing that goes on learning does not change it', () => {
    const fitted = new StandardScaler().fit(raw.slice(0, 10));
    const network = new NeuralNetwork({ layers: [3, 1], preprocessing: fitted });
    fitted.partialFit(raw);
    const other = new NeuralNetwork({ layers: [3, 1], preprocessing: fitted });
    expect(other.getModelParameters().layout.fingerprint).not.toBe(
      network.getModelParameters().layout.fingerprint,
    );
  });

  test('it cannot change once there are parameters, and nonsense is refused', () => {
    const model = new LinearRegression();
    model.setParameters({ preprocessing: 'standardScaler' });
    model.train(raw, target);
    expect(() => model.setParameters({ preprocessing: 'minMaxScaler' })).toThrow(/cannot change now/);
    expect(() => new LinearRegression({ preprocessing: 'scaler' as never })).toThrow(InvalidOptionError);
    expect(() => model.train([[1, 2]], [1])).toThrow(InvalidDataError);
  });
});

test('children behind one fit, merged from their statistics, have the gradient of the pooled rows', () => {
  const labels = target;
  const step = new Preprocessing('standardScaler');
  const shards = [raw.slice(0, 7), raw.slice(7, 8), raw.slice(8, 40)];
  const statistics = shards
    .map((shard) => step.createStatistics().add(shard))
    .reduce((sum, next) => sum.merge(next));
  const preprocessing = step.fit(statistics);
  const gradient = new LinearRegression({ preprocessing }).computeGradients(raw, labels);
  const coordinator = new DistributedGradientsCoordinator({ learningRate: 1, childrenPerUpdate: 3 });
  const makeChild = (): LinearRegression => new LinearRegression({ preprocessing });
  const start = makeChild();
  start.train(raw, labels, { maximumNumberOfIterations: 0 });
  coordinator.setModelParameters(start.getModelParameters());
  let first = 0;
  for (const shard of shards) {
    const child = makeChild();
    child.setModelParameters(coordinator.getModelParameters());
    const receipt = coordinator.addGradients(
      child.computeGradients(shard, labels.slice(first, first + shard.length)),
    );
    expect(receipt.reason).toBeUndefined();
    first += shard.length;
  }
  const moved = coordinator.getModelParameters().values.map((value) => -value);
  expect(relativeDistance(moved, gradient.values)).toBeLessThan(1e-12);
});
