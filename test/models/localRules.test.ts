import { afterEach, describe, expect, it } from 'vitest';
import type { BuiltInModel } from '../../src/index.ts';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  FedNovaModel,
  Gradients,
  InProcessTransport,
  InvalidOptionError,
  kernels,
  LayoutMismatchError,
  LinearRegression,
  LogisticRegression,
  ModelParameters,
  NeuralNetwork,
  NonFiniteError,
  ScaffoldModel,
} from '../../src/index.ts';
import { seededRandom, standardNormal } from '../../src/random.ts';
import { bits, normalRows } from './support.ts';

const features = normalRows(12, 3, 1);
const labels = normalRows(12, 2, 2);
const layers = [3, { units: 4, activation: 'tanh' }, 2] as const;

/** Descent in plain numbers on ½·mean((w·x + b − y)²)-like costs: the gradient comes from the model itself. */
function descend(
  model: LinearRegression,
  {
    steps,
    rate,
    mu = 0,
    correction = [],
  }: { steps: number; rate: number; mu?: number; correction?: number[] },
): number[] {
  const probe = new LinearRegression({});
  const start = Array.from(model.getModelParameters().values);
  let values = start.slice();
  for (let step = 0; step < steps; step++) {
    const at = model.getModelParameters();
    at.values.set(values);
    probe.setModelParameters(at);
    const gradient = probe.computeGradients(features, labels).values;
    values = values.map(
      (value, i) => value - rate * (gradient[i]! + mu * (value - start[i]!) + (correction[i] ?? 0)),
    );
  }
  return values;
}

function startedRegression(options: object = {}): LinearRegression {
  const model = new LinearRegression({ learningRate: 0.1, maximumNumberOfIterations: 5, ...options });
  model.train(features, labels, { maximumNumberOfIterations: 2 });
  return model;
}

const startKernel = kernels.name;
afterEach(() => kernels.select(startKernel));

function expectClose(values: ArrayLike<number>, expected: readonly number[]): void {
  expect(values).toHaveLength(expected.length);
  for (const [i, value] of Array.from(values).entries()) expect(value).toBeCloseTo(expected[i]!, 12);
}

describe.each(kernels.available)('gradient terms with the kernel %s', (kernel) => {
  it('proximal: 0 has the bits of none', () => {
    kernels.select(kernel);
    const [one, other] = [{}, { proximal: 0 }].map((more) => {
      const model = new NeuralNetwork({ layers, ...more });
      model.train(features, labels, { maximumNumberOfIterations: 5 });
      return bits(model.getModelParameters().values);
    });
    expect(one).toEqual(other);
  });

  it('proximal: the steps of the written rule, w ← w − η (∇f + μ (w − w₀))', () => {
    kernels.select(kernel);
    const model = startedRegression({ proximal: 0.7 });
    const expected = descend(model, { steps: 5, rate: 0.1, mu: 0.7 });
    model.train(features, labels);
    expectClose(model.getModelParameters().values, expected);
  });

  it('gradientCorrection: is added at every step', () => {
    kernels.select(kernel);
    const model = startedRegression();
    const { layout } = model.getModelParameters();
    const correction = Array.from({ length: layout.length }, (_, i) => Math.sin(i));
    const expected = descend(model, { steps: 5, rate: 0.1, correction });
    const gradientCorrection = new Gradients(layout, Float64Array.from(correction), { sampleCount: 1 });
    model.train(features, labels, { gradientCorrection });
    expectClose(model.getModelParameters().values, expected);
  });

  it('a large μ keeps a network where it was; costs, saved gradients and frozen tensors are as without', async () => {
    kernels.select(kernel);
    const options = { layers, optimizer: 'gradientDescent', learningRate: 0.01, batchSize: 5 } as const;
    const far = (proximal: number): number => {
      const model = new NeuralNetwork({ ...options, proximal, frozen: ['layers.1.bias'] });
      model.train(features, labels, { maximumNumberOfIterations: 0 });
      const before = model.getModelParameters();
      model.train(features, labels, { maximumNumberOfIterations: 50 });
      const after = model.getModelParameters();
      expect(bits(after.get('layers.1.bias'))).toEqual(bits(before.get('layers.1.bias')));
      return Math.hypot(...after.subtract(before).values);
    };
    expect(far(50)).toBeLessThan(far(0) / 10);
    const [plain, near] = [0, 5].map((proximal) => {
      const model = new NeuralNetwork({ ...options, proximal, batchSize: 12 });
      model.setAreGradientsSaved(true);
      const costs = model.train(features, labels, { maximumNumberOfIterations: 1 });
      return { costs, gradients: bits(model.getGradients().values) };
    });
    expect(near).toEqual(plain);
  });
});

describe('gradient terms', () => {
  it.each<[string, () => unknown, unknown]>([
    ['proximal below 0', () => new LinearRegression({ proximal: -1 }), InvalidOptionError],
    [
      'proximal with an exact solver',
      () => new LinearRegression({ proximal: 1, solver: 'exact' }),
      InvalidOptionError,
    ],
    [
      'a correction of another layout',
      () => {
        const gradientCorrection = Gradients.fromArrays({ weights: [1] }, { sampleCount: 1 });
        startedRegression().train(features, labels, { gradientCorrection });
      },
      LayoutMismatchError,
    ],
    [
      'a correction that is not finite',
      () => {
        const model = startedRegression();
        const gradientCorrection = model.computeGradients(features, labels);
        gradientCorrection.values[1] = Number.NaN;
        model.train(features, labels, { gradientCorrection });
      },
      NonFiniteError,
    ],
  ])('refuses %s', (_, call, error) => {
    expect(call).toThrow(error as never);
  });

  it('a refused correction changes nothing', () => {
    const model = startedRegression();
    const before = JSON.stringify(model.toJSON());
    const gradientCorrection = Gradients.fromArrays({ weights: [1] }, { sampleCount: 1 });
    expect(() => model.train(features, labels, { gradientCorrection })).toThrow(LayoutMismatchError);
    expect(JSON.stringify(model.toJSON())).toBe(before);
  });
});

interface Rows {
  readonly features: number[][];
  readonly labels: number[];
}

/** Children whose rows come from two different lines. */
function shard(index: number): Rows {
  const random = seededRandom(index, 7);
  const rows = Array.from({ length: 20 }, () => standardNormal(random) * (index + 1));
  return { features: rows.map((x) => [x]), labels: rows.map((x) => (index - 1) * 3 * x + 2 * index) };
}

/** Rounds of averages over direct calls; returns main's slope and intercept. */
function federate(
  children: readonly (BuiltInModel | ScaffoldModel | FedNovaModel)[],
  rounds: number,
  passes: (index: number) => number,
  rowsOf = shard,
): number[] {
  const coordinator = new DistributedModelParametersCoordinator({ mode: { mode: 'synchronous' } });
  for (const index of children.keys()) coordinator.addChild(`${index}`);
  for (let round = 0; round < rounds; round++) {
    const main = coordinator.version === 0 ? undefined : coordinator.getMainModelParameters();
    children.forEach((child, index) => {
      if (main !== undefined) child.setModelParameters(main);
      const rows = rowsOf(index);
      child.train(rows.features, rows.labels, { maximumNumberOfIterations: passes(index) });
      const { status } = coordinator.addModelParameters(child.getModelParameters(), { childId: `${index}` });
      expect(status).not.toBe('refused');
    });
  }
  return Array.from(coordinator.getMainModelParameters().values).slice(0, 2);
}

/** What all rows together lead to. */
function pooled(rowsOf = shard): number[] {
  const rows = [0, 1, 2].map(rowsOf);
  const model = new LinearRegression({ solver: 'exact' });
  model.train(
    rows.flatMap((one) => one.features),
    rows.flatMap((one) => one.labels),
  );
  return Array.from(model.getModelParameters().values);
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...a.map((value, i) => value - b[i]!));

const regression = (): LinearRegression => new LinearRegression({ learningRate: 0.02 });

describe('SCAFFOLD', () => {
  it('ends at the optimum of all rows, where averages of many local steps do not', () => {
    const plain = federate([0, 1, 2].map(regression), 300, () => 10);
    const scaffold = federate(
      [0, 1, 2].map(() => new ScaffoldModel(regression())),
      300,
      () => 10,
    );
    expect(distance(plain, pooled())).toBeGreaterThan(0.1);
    expect(distance(scaffold, pooled())).toBeLessThan(1e-6);
  });

  it('c is the mean of the children’s mean gradients on their way, once all have taken part', () => {
    const children = [0, 1, 2].map(() => new ScaffoldModel(regression()));
    const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 3 });
    const means = children.map((child, index) => {
      const rows = shard(index);
      child.train(rows.features, rows.labels, { maximumNumberOfIterations: 4 });
      coordinator.addModelParameters(child.getModelParameters(), { childId: `${index}` });
      const alone = regression();
      const gradients = Array.from({ length: 4 }, () => {
        const { values } = alone.computeGradients(rows.features, rows.labels);
        alone.train(rows.features, rows.labels, { maximumNumberOfIterations: 1 });
        return values;
      });
      return [0, 1].map((place) => gradients.reduce((sum, one) => sum + one[place]!, 0) / 4);
    });
    const main = coordinator.getMainModelParameters();
    for (const [place, name] of ['control.weights', 'control.bias'].entries()) {
      const mean = means.reduce((sum, one) => sum + one[place]!, 0) / 3;
      expect(main.get(name)[0]).toBeCloseTo(mean, 10);
    }
  });

  it('with a schedule the rates of its steps count', () => {
    const schedule = { name: 'exponential', factor: 0.5 } as const;
    const model = new LinearRegression({ learningRate: 0.1, learningRateSchedule: schedule });
    model.train([[1]], [1], { maximumNumberOfIterations: 3 });
    expect(model.stepCount).toBe(3);
    expect(model.descentLength(1, 4)).toBeCloseTo(0.1 * (0.5 + 0.25 + 0.125), 12);
    expect(() => new LinearRegression({ optimizer: 'adam' }).descentLength(0, 1)).toThrow(InvalidOptionError);
  });

  it('over a connection, with turns: main as by direct calls', async () => {
    const transport = new InProcessTransport();
    const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 3 });
    await coordinator.listen(transport);
    const models = [0, 1, 2].map(() => new ScaffoldModel(regression()));
    const children = await Promise.all(
      models.map((model, index) => Child.connect({ transport, model, childId: `${index}` })),
    );
    for (let round = 0; round < 5; round++) {
      const sent = [];
      for (const [index, child] of children.entries()) {
        const rows = shard(index);
        sent.push(await child.train(rows.features, rows.labels, { maximumNumberOfIterations: 3 }));
      }
      await Promise.all(sent.map(({ receipt }) => receipt.committed));
    }
    const direct = federate(
      [0, 1, 2].map(() => new ScaffoldModel(regression())),
      5,
      () => 3,
    );
    const main = Array.from(coordinator.getMainModelParameters().values).slice(0, 2);
    expect(distance(main, direct)).toBeLessThan(1e-12);
    await coordinator.close();
  });

  it('takes parameters of the model alone as a start without control variates, and predicts as the model', () => {
    const model = startedRegression();
    const scaffold = new ScaffoldModel(new LinearRegression({}));
    scaffold.setModelParameters(model.getModelParameters());
    expect(scaffold.predict(features)).toEqual(model.predict(features));
    expect(scaffold.score(features, labels)).toBe(model.score(features, labels));
    const { values } = scaffold.getModelParameters();
    expect(Array.from(values.subarray(values.length / 2))).toEqual(Array(values.length / 2).fill(0));
  });

  it('a copy is independent', () => {
    const one = new ScaffoldModel(regression(), { participation: 0.5 });
    const rows = shard(1);
    one.train(rows.features, rows.labels, { maximumNumberOfIterations: 1 });
    const copy = one.clone();
    expect(bits(copy.getModelParameters().values)).toEqual(bits(one.getModelParameters().values));
    copy.train(rows.features, rows.labels, { maximumNumberOfIterations: 1 });
    expect(bits(copy.getModelParameters().values)).not.toEqual(bits(one.getModelParameters().values));
  });

  it('refuses an illegal participation, and a correction of somebody else', () => {
    for (const participation of [0, 1.5, Number.NaN])
      expect(() => new ScaffoldModel(regression(), { participation })).toThrow(InvalidOptionError);
    const gradientCorrection = Gradients.fromArrays({ weights: [1] }, { sampleCount: 1 });
    expect(() => new ScaffoldModel(regression()).train([[1]], [1], { gradientCorrection })).toThrow(
      InvalidOptionError,
    );
    const other = new ScaffoldModel(new LinearRegression({ optimizer: 'momentum' }));
    expect(() => other.train([[1]], [1])).toThrow('expected gradientDescent');
  });
});

describe('FedNova', () => {
  const passes = (index: number): number => [1, 5, 30][index]!;

  it('with children that take different numbers of steps it ends near the optimum of all, averages do not', () => {
    // Alike in everything but what they want, so that the optimum is the mean of theirs.
    const alike = (index: number): Rows => {
      const { features: x } = shard(0);
      return { features: x, labels: x.map(([value]) => (index - 1) * 3 * value! + 2 * index) };
    };
    const slow = (): LinearRegression => new LinearRegression({ learningRate: 0.005 });
    const optimum = pooled(alike);
    const plain = federate([0, 1, 2].map(slow), 500, passes, alike);
    const nova = federate(
      [0, 1, 2].map(() => new FedNovaModel(slow(), { steps: 10 })),
      500,
      passes,
      alike,
    );
    expect(distance(plain, optimum)).toBeGreaterThan(2);
    expect(distance(nova, optimum)).toBeLessThan(distance(plain, optimum) / 5);
  });

  it('w₀ + steps/τ (w − w₀) after τ steps, over several trainings; the model goes on from w', () => {
    const rows = shard(1);
    const [plain, model] = [regression(), regression()];
    const nova = new FedNovaModel(model, { steps: 2 });
    for (const one of [plain, nova]) {
      one.train(rows.features, rows.labels, { maximumNumberOfIterations: 3 });
      one.train(rows.features, rows.labels, { maximumNumberOfIterations: 5 });
    }
    const trained = plain.getModelParameters();
    expect(bits(model.getModelParameters().values)).toEqual(bits(trained.values));
    nova.getModelParameters().values.forEach((value, i) => {
      expect(value).toBeCloseTo((2 / 8) * trained.values[i]!, 12);
    });
  });

  it('where all take as many steps as is said it is FedAvg', () => {
    const plain = federate([0, 1, 2].map(regression), 20, () => 4);
    const nova = federate(
      [0, 1, 2].map(() => new FedNovaModel(regression(), { steps: 4 })),
      20,
      () => 4,
    );
    expect(distance(nova, plain)).toBeLessThan(1e-12);
  });

  it('refuses illegal steps, and is a parameters child', () => {
    for (const steps of [0, -1, Number.NaN])
      expect(() => new FedNovaModel(regression(), { steps })).toThrow(InvalidOptionError);
  });
});

describe('learningRateScaling', () => {
  const gradients = (value: number): Gradients =>
    Gradients.fromArrays({ weights: [value] }, { sampleCount: 1 });

  function mainAfter(options: object, rounds: number): number {
    const coordinator = new DistributedGradientsCoordinator({
      learningRate: 0.1,
      childrenPerUpdate: 4,
      ...options,
    });
    coordinator.setModelParameters(ModelParameters.fromArrays({ weights: [0] }));
    for (let round = 0; round < rounds; round++)
      for (const child of [1, 2, 3, 6]) coordinator.addGradients(gradients(child), { childId: `${child}` });
    return coordinator.getModelParameters().values[0]!;
  }

  it('linear: the step along the mean of four is that of four steps along it', () => {
    expect(mainAfter({}, 1)).toBeCloseTo(-0.1 * 3, 12);
    expect(mainAfter({ learningRateScaling: 'linear' }, 1)).toBeCloseTo(-0.1 * 4 * 3, 12);
  });

  it('with a warm-up: the written schedule, from the base to four times it', () => {
    const learningRateSchedule = { name: 'linearWarmUp', steps: 4 } as const;
    // η·4·(step + 1)/4 for each of the first four steps, then η·4.
    const expected = [1, 2, 3, 4, 4, 4].reduce((sum, part) => sum + 0.1 * 4 * (part / 4) * 3, 0);
    expect(mainAfter({ learningRateScaling: 'linear', learningRateSchedule }, 6)).toBeCloseTo(-expected, 12);
  });

  it('refuses what it does not know', () => {
    expect(() => mainAfter({ learningRateScaling: 'cubic' }, 1)).toThrow(InvalidOptionError);
  });
});

it('the rules take every model that mainstem comes with', () => {
  const rows = normalRows(20, 2, 3);
  const classes = rows.map(([x]) => (x! > 0 ? 'up' : 'down'));
  for (const model of [
    new LogisticRegression({}),
    new NeuralNetwork({ layers: [2, 3, 2], optimizer: 'gradientDescent' }),
  ]) {
    const targets = model instanceof LogisticRegression ? classes : rows;
    for (const rule of [new ScaffoldModel(model), new FedNovaModel(model.clone(), { steps: 10 })]) {
      rule.train(rows, targets, { maximumNumberOfIterations: 2 });
      expect(rule.predict(rows)).toHaveLength(20);
    }
  }
});
