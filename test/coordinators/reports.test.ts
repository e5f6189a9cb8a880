import type { Model } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Evaluation,
  FeatureStatistics,
  InProcessTransport,
  InvalidDataError,
  LimitExceededError,
  LinearRegression,
  LogisticRegression,
  MalformedDataError,
  NeuralNetwork,
  NoMainParametersError,
  Preprocessing,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { normalRows } from '../models/support.ts';
import { gradientsOf, numbersOf, parametersOf, settle } from './helpers.ts';

const rows = normalRows(60, 2, 1);
const labels = rows.map(([a, b]) => ((a as number) > (b as number) ? 'win' : 'lose'));
const shards = [
  [0, 7],
  [7, 30],
  [30, 60],
].map(([from, to]) => ({ features: rows.slice(from, to), labels: labels.slice(from, to) }));

function classifier(): LogisticRegression {
  return new LogisticRegression({ classes: ['lose', 'win'], maximumNumberOfIterations: 3 });
}

async function setUp() {
  const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 3 });
  const main = classifier();
  main.train(rows, labels);
  coordinator.setMainModelParameters(main.getModelParameters());
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const models = shards.map(classifier);
  const children = await Promise.all(
    models.map((model, i) => Child.connect({ transport, model, childId: `child-${i}` })),
  );
  return { coordinator, main, transport, models, children };
}

describe('federated evaluation', () => {
  test('is the evaluation of main on all rows in one place', async () => {
    const { coordinator, main, children } = await setUp();
    const heard: string[] = [];
    coordinator.on('reportReceived', ({ childId, subject }) => heard.push(`${childId} ${subject}`));
    expect(coordinator.reports.evaluation).toBeUndefined();
    for (const [i, { features, labels: own }] of shards.entries()) await children[i]?.evaluate(features, own);
    const {
      version,
      children: ids,
      evaluation,
    } = coordinator.reports.evaluation as NonNullable<typeof coordinator.reports.evaluation>;
    const pooled = main.evaluate(rows, labels);
    expect([version, ids]).toEqual([1, ['child-0', 'child-1', 'child-2']]);
    expect(evaluation.confusionMatrix()).toEqual(pooled.confusionMatrix());
    expect(evaluation.metric('auc')).toBe(pooled.metric('auc'));
    expect(evaluation.metric('logLoss')).toBeCloseTo(pooled.metric('logLoss'), 14);
    expect(heard).toEqual(ids.map((id) => `${id} evaluation`));
  });

  test('a child evaluates main, not its own parameters, which stay', async () => {
    const { main, models, children } = await setUp();
    const [model, child, shard] = [
      models[1] as LogisticRegression,
      children[1] as Child,
      shards[1] as (typeof shards)[0],
    ];
    model.train(
      shard.features,
      shard.labels.map((label) => (label === 'win' ? 'lose' : 'win')),
    );
    const before = numbersOf(model.getModelParameters());
    const own = await child.evaluate(shard.features, shard.labels);
    expect(own.metrics).toEqual(main.evaluate(shard.features, shard.labels).metrics);
    expect(numbersOf(model.getModelParameters())).toEqual(before);
  });

  test('speaks of the newest version that anybody has reported on', async () => {
    const { coordinator, children } = await setUp();
    for (const [i, { features, labels: own }] of shards.entries()) await children[i]?.evaluate(features, own);
    const hasCome = new Promise((resolve) => children[1]?.on('mainUpdated', resolve));
    coordinator.setMainModelParameters(coordinator.getMainModelParameters().scale(-1));
    await hasCome;
    const { features, labels: own } = shards[1] as (typeof shards)[0];
    await children[1]?.evaluate(features, own);
    const {
      version,
      children: ids,
      evaluation,
    } = coordinator.reports.evaluation as NonNullable<typeof coordinator.reports.evaluation>;
    expect([version, ids, evaluation.rows]).toEqual([2, ['child-1'], 23]);
  });

  test('with personal heads, a child puts its own head behind the body of main', async () => {
    const make = (seed: number): NeuralNetwork =>
      new NeuralNetwork({ layers: [2, { units: 3, activation: 'tanh' }, 1], seed, dtype: 'float64' });
    const coordinator = new DistributedModelParametersCoordinator({ sharedTensors: ['layers.0.*'] });
    coordinator.setMainModelParameters(make(1).getModelParameters());
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const model = make(2);
    const child = await Child.connect({ transport, model, childId: 'a' });
    const targets = rows.map(([a]) => a as number);
    const before = numbersOf(model.getModelParameters());
    const evaluation = await child.evaluate(rows, targets);
    expect(numbersOf(model.getModelParameters())).toEqual(before);
    await child.adopt();
    expect(evaluation.metrics).toEqual(model.evaluate(rows, targets).metrics);
  });

  test('a model that cannot be copied is put back, also where its rows are bad', async () => {
    const { transport, main } = await setUp();
    const inner = classifier();
    inner.train(rows, labels);
    const model: Model & { evaluate: LogisticRegression['evaluate'] } = {
      train: (...all) => inner.train(...all),
      predict: (...all) => inner.predict(...all),
      getModelParameters: () => inner.getModelParameters(),
      setModelParameters: (...all) => inner.setModelParameters(...all),
      evaluate: (...all) => inner.evaluate(...all),
    };
    inner.setModelParameters(main.getModelParameters().scale(3));
    const before = numbersOf(inner.getModelParameters());
    const child = await Child.connect({ transport, model, childId: 'mine' });
    expect((await child.evaluate(rows, labels)).metrics).toEqual(main.evaluate(rows, labels).metrics);
    await expect(child.evaluate(rows, labels.slice(1))).rejects.toThrow();
    expect(numbersOf(inner.getModelParameters())).toEqual(before);
  });

  test('before there is a main, or after the end, evaluate says so', async () => {
    const coordinator = new DistributedModelParametersCoordinator();
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const child = await Child.connect({ transport, model: classifier(), childId: 'a' });
    await expect(child.evaluate(rows, labels)).rejects.toBeInstanceOf(NoMainParametersError);
    await child.leave();
    await expect(child.reportFeatureStatistics(new FeatureStatistics())).rejects.toThrow(/not connected/);
  });
});

describe('statistics of columns', () => {
  test('over the children are those of all rows, and fit one scaler for all', async () => {
    const { coordinator, children } = await setUp();
    const scaling = new Preprocessing('standardScaler');
    for (const [i, { features }] of shards.entries())
      await children[i]?.reportFeatureStatistics(scaling.createStatistics().add(features));
    const { children: ids, statistics } = coordinator.reports.featureStatistics as NonNullable<
      typeof coordinator.reports.featureStatistics
    >;
    expect([ids.length, statistics.rows]).toEqual([3, 60]);
    const [merged, pooled] = [scaling.fit(statistics), new Preprocessing('standardScaler').fit(rows)].map(
      (fitted) => fitted.transform(rows).data,
    );
    (merged as Float64Array).forEach((value, i) => {
      expect(Math.abs(value - (pooled?.[i] as number))).toBeLessThan(1e-12);
    });
  });

  test('a later report replaces an earlier one, and a child that leaves takes its own along', async () => {
    const { coordinator, children } = await setUp();
    const of = (features: number[][]): FeatureStatistics => new FeatureStatistics().add(features);
    for (let i = 0; i < 3; i++) await children[0]?.reportFeatureStatistics(of(rows.slice(0, 10)));
    await children[1]?.reportFeatureStatistics(of(rows.slice(10, 15)));
    expect(coordinator.reports.featureStatistics?.statistics.rows).toBe(15);
    await children[0]?.leave();
    await settle();
    expect(coordinator.reports.featureStatistics?.statistics.rows).toBe(5);
    coordinator.reports.clear();
    expect(coordinator.reports.featureStatistics).toBeUndefined();
  });
});

describe('what cannot be taken', () => {
  const evaluation = Evaluation.ofRegression({ predicted: [1], labels: [2], rows: 1, outputs: 1 });

  test('is refused with a reason that its sender gets; the child may go on', async () => {
    const { coordinator, children } = await setUp();
    await children[0]?.reportFeatureStatistics(new FeatureStatistics().add([[1, 2]]));
    const three = new FeatureStatistics().add([[1, 2, 3]]);
    await expect(children[1]?.reportFeatureStatistics(three)).rejects.toMatchObject({ code: 'INVALID_DATA' });
    await children[1]?.reportFeatureStatistics(new FeatureStatistics().add([[1, 2]]));
    expect(coordinator.reports.featureStatistics?.children).toEqual(['child-0', 'child-1']);
  });

  test('a direct call throws: a version to come, other outputs, too many children, no id', () => {
    const coordinator = new DistributedGradientsCoordinator({ limits: { childrenMax: 2 } });
    coordinator.setModelParameters(parametersOf(0, 0));
    const { reports } = coordinator;
    expect(() => reports.addEvaluation(evaluation, { childId: 'a', version: 2 })).toThrow(MalformedDataError);
    expect(() => reports.addEvaluation(evaluation, { childId: '', version: 1 })).toThrow(MalformedDataError);
    reports.addEvaluation(evaluation, { childId: 'a', version: 1 });
    const two = Evaluation.ofRegression({ predicted: [1, 1], labels: [2, 2], rows: 1, outputs: 2 });
    expect(() => reports.addEvaluation(two, { childId: 'b', version: 1 })).toThrow(InvalidDataError);
    reports.addEvaluation(evaluation, { childId: 'b', version: 1 });
    expect(() => reports.addEvaluation(evaluation, { childId: 'c', version: 1 })).toThrow(LimitExceededError);
    expect(reports.evaluation?.children).toEqual(['a', 'b']);
    coordinator.addGradients(gradientsOf([1, 1]));
    reports.addEvaluation(evaluation, { childId: 'a', version: 2 });
    expect(reports.evaluation).toMatchObject({ version: 2, children: ['a'] });
  });

  test('the order of reports does not matter, not by one bit', () => {
    const parts = shards.map(({ features, labels: own }) => {
      const model = classifier();
      model.train(rows, labels);
      return model.evaluate(features, own);
    });
    const bits = [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ].map((order) => {
      const { reports } = new DistributedGradientsCoordinator();
      for (const i of order) reports.addEvaluation(parts[i] as Evaluation, { childId: `c${i}`, version: 0 });
      return JSON.stringify(reports.evaluation?.evaluation);
    });
    expect(new Set(bits).size).toBe(1);
  });
});

test('adopting by a metric of which lower is better', async () => {
  const coordinator = new DistributedModelParametersCoordinator();
  coordinator.setMainModelParameters(parametersOf(2, 1));
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const model = new LinearRegression();
  model.setModelParameters(parametersOf(2, 0.5));
  const child = await Child.connect({ transport, model, childId: 'a' });
  const test = { features: [[0], [1]], labels: [1, 3], metric: 'meanSquaredError' } as const;
  expect(await child.adopt({ onlyIfBetter: test })).toBe(true);
  coordinator.setMainModelParameters(parametersOf(2, 0.75));
  await settle();
  expect(await child.adopt({ onlyIfBetter: test })).toBe(false);
  expect(numbersOf(model.getModelParameters())).toEqual([2, 1]);
});

test('a report must add to those of all others, not only to one of them', async () => {
  const { coordinator, children } = await setUp();
  const of = (from: number): FeatureStatistics =>
    new FeatureStatistics({ categorical: [0] }).add(Array.from({ length: 500 }, (_, i) => [from + i, 0]));
  await children[0]?.reportFeatureStatistics(of(0));
  await children[1]?.reportFeatureStatistics(of(500));
  await expect(children[2]?.reportFeatureStatistics(of(1_000))).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  });
  expect(coordinator.reports.featureStatistics?.statistics.rows).toBe(1_000);
  await children[1]?.reportFeatureStatistics(of(0));
  await children[2]?.reportFeatureStatistics(of(100));
  expect(coordinator.reports.featureStatistics?.statistics.rows).toBe(1_500);
});

test('an evaluation of an older main than others have reported on is not kept', () => {
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(parametersOf(0, 0));
  coordinator.addGradients(gradientsOf([1, 1]));
  const evaluation = Evaluation.ofRegression({ predicted: [1], labels: [2], rows: 1, outputs: 1 });
  coordinator.reports.addEvaluation(evaluation, { childId: 'a', version: 2 });
  coordinator.reports.addEvaluation(evaluation, { childId: 'b', version: 1 });
  expect(coordinator.reports.evaluation).toMatchObject({ version: 2, children: ['a'] });
  expect(() => coordinator.reports.addEvaluation({} as Evaluation, { childId: 'a', version: 2 })).toThrow(
    MalformedDataError,
  );
});

test('main says what reports must be of, and not whoever reports first', async () => {
  const { children } = await setUp();
  const one = new FeatureStatistics().add([[1]]);
  await expect(children[0]?.reportFeatureStatistics(one)).rejects.toThrow(/of 1 columns, main is for 2/);
  await children[1]?.reportFeatureStatistics(new FeatureStatistics().add([[1, 2]]));
  const { coordinator } = await setUp();
  const numbers = Evaluation.ofRegression({ predicted: [1], labels: [2], rows: 1, outputs: 1 });
  expect(() => coordinator.reports.addEvaluation(numbers, { childId: 'x', version: 1 })).toThrow(
    /classes undefined, main has \["lose","win"\]/,
  );
});

test('reports that are too much all together are left out, and nobody loses the rest for it', async () => {
  const coordinator = new DistributedGradientsCoordinator();
  const of = (from: number): FeatureStatistics =>
    new FeatureStatistics({ categorical: [0] }).add(Array.from({ length: 500 }, (_, i) => [from + i]));
  for (const childId of ['a', 'b', 'c']) coordinator.reports.addFeatureStatistics(of(0), { childId });
  coordinator.reports.addFeatureStatistics(of(500), { childId: 'b' });
  coordinator.reports.addFeatureStatistics(of(1_000), { childId: 'c' });
  expect(coordinator.reports.featureStatistics).toMatchObject({ children: ['a', 'b'] });
  expect(coordinator.reports.featureStatistics?.statistics.rows).toBe(1_000);
});
