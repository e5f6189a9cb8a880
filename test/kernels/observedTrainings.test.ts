import { describe, expect, it } from 'vitest';
import { DivergedError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import type { NeuralNetworkOptions } from '../../src/models/NeuralNetwork.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import { Adam } from '../../src/optimizers/Adam.ts';
import { normalRows, roundRobin, thrownBy } from '../models/support.ts';
import type { AnyModel } from './trainingSupport.ts';
import { digest, network, stateBits } from './trainingSupport.ts';
import { builds, dataTypes, withKernels } from './wasmSupport.ts';

const rows = 30;
const features = normalRows(rows, 5, 1);
const labels = normalRows(rows, 3, 2);

/** Steps by its own code, which works on ordinary arrays. */
class OwnAdam extends Adam {
  override step(...[state, values, gradient, rate]: Parameters<Adam['step']>): void {
    super.step(state, values, gradient, rate);
  }
}

const cases: [string, NeuralNetworkOptions][] = [
  ['adam', { optimizer: 'adam' }],
  ['momentum and clipping', { optimizer: 'momentum', gradientClipping: { norm: 0.1 } }],
  ['a rule of its own', { optimizer: new OwnAdam() }],
  ['an activation in JavaScript', { layers: [5, { units: 6, activation: 'gelu' }, 3] }],
  ['one batch', { batchSize: 30, optimizer: 'nesterov' }],
];

describe.each(dataTypes)('in %s', (dtype) => {
  /** What a model is after so many iterations. */
  function stateAfter(iterations: number, options: NeuralNetworkOptions): string {
    const model = network(dtype, options)();
    model.train(features, labels, { maximumNumberOfIterations: iterations });
    return stateBits(model);
  }

  it.each(cases)('onIteration sees the model as it is after its pass: %s', (_name, options) => {
    const model = network(dtype, options)();
    const seen: string[] = [];
    const costs: number[] = [];
    const reported = model.train(features, labels, {
      maximumNumberOfIterations: 4,
      onIteration: ({ iteration, cost }) => {
        seen.push(stateBits(model));
        costs.push(cost);
        if (iteration === 3) return false;
        return undefined;
      },
    });
    expect(seen).toEqual([stateAfter(1, options), stateAfter(2, options), stateAfter(3, options)]);
    expect(costs).toEqual(reported);
    expect(stateBits(model)).toBe(seen[2]);
  });

  it.each(cases)('between two steps of an iterator the model is whole: %s', (_name, options) => {
    const batches = Math.ceil(rows / (options.batchSize ?? 4));
    const model = network(dtype, options)();
    model.train(features, labels, { maximumNumberOfIterations: 0 });
    const own = options.optimizer instanceof OwnAdam;
    const states = [stateBits(model)];
    const steps = model.trainIterator(features, labels, { maximumNumberOfIterations: 3 });
    for (;;) {
      const step = steps.next();
      if (step.done === true) break;
      // Parameters, slots and the count of steps are of one moment, wherever the iterator stands.
      const { steps: made } = model.getOptimizerState()!;
      const state = stateBits(model);
      if (own) continue;
      expect(made % batches).toBe(0);
      expect(state).toBe(made === 0 ? states[0] : stateAfter(made / batches, options));
      if (step.value.cost !== undefined) expect(made).toBe(step.value.iteration * batches);
    }
    expect(stateBits(model)).toBe(stateAfter(3, options));
  });

  it('what return() leaves behind are the steps that were made', () => {
    for (const [, options] of cases.slice(0, 3)) {
      const model = network(dtype, options)();
      const steps = model.trainIterator(features, labels, { maximumNumberOfIterations: 3 });
      for (let i = 0; i < 11; i++) steps.next();
      steps.return([]);
      const { steps: made } = model.getOptimizerState()!;
      // The pass of eight batches, and three of the next.
      expect(made).toBe(11);
      expect(stateBits(model)).not.toBe(stateAfter(1, options));
      // And the model goes on from there.
      expect(model.train(features, labels, { maximumNumberOfIterations: 1 })).toHaveLength(1);
      expect(model.getOptimizerState()!.steps).toBe(19);
    }
  });

  const diverging: [string, () => AnyModel, number[][] | number[] | (string | number)[]][] = [
    [
      'a linear regression',
      () => new LinearRegression({ dtype, learningRate: 1e20 }),
      labels.map((row) => row[0]!),
    ],
    [
      'one of several outputs',
      () => new LinearRegression({ dtype, learningRate: 1e20, batchSize: 7 }),
      labels,
    ],
    [
      'a logistic regression',
      () => new LogisticRegression({ dtype, learningRate: 1e308, penalty: { l2: 1e3 } }),
      roundRobin(rows, [0, 1]),
    ],
    [
      'one of three classes',
      () => new LogisticRegression({ dtype, learningRate: 1e308, penalty: { l2: 1e3 } }),
      roundRobin(rows, [0, 1, 2]),
    ],
    [
      'a network',
      () => new NeuralNetwork({ dtype, layers: [5, 6, 3], optimizer: 'momentum', learningRate: 1e30 }),
      labels,
    ],
    [
      'a classifier',
      () =>
        new NeuralNetwork({
          dtype,
          layers: [5, 6, { units: 3, activation: 'softmax' }],
          optimizer: 'gradientDescent',
          learningRate: 1e300,
        }),
      roundRobin(rows, [0, 1, 2]),
    ],
    [
      'a rule of its own',
      () => new NeuralNetwork({ dtype, layers: [5, 6, 3], optimizer: new OwnAdam(), learningRate: 1e300 }),
      labels,
    ],
  ];

  it.each(diverging)('a training that diverges leaves the model as it was: %s', (_name, create, wanted) => {
    for (const build of ['reference', ...builds] as const) {
      withKernels(build, () => {
        const fresh = create();
        const options = { maximumNumberOfIterations: 60 };
        expect(thrownBy(() => fresh.train(features, wanted, options))).toBeInstanceOf(DivergedError);

        const model = create();
        model.setParameters({ learningRate: 1e-3, penalty: { l2: 0 } });
        model.train(features, wanted, { maximumNumberOfIterations: 2 });
        const before = [stateBits(model), JSON.stringify(model.toJSON().random)];
        model.setParameters({
          learningRate: (create().toJSON().options as { learningRate: number }).learningRate,
          penalty: { l2: 1e3 },
        } as object);
        expect(thrownBy(() => model.train(features, wanted, options))).toBeInstanceOf(DivergedError);
        expect([stateBits(model), JSON.stringify(model.toJSON().random)]).toEqual(before);
        const steps = model.trainIterator(features, wanted, options);
        expect(
          thrownBy(() => {
            while (steps.next().done !== true);
          }),
        ).toBeInstanceOf(DivergedError);
        expect([stateBits(model), JSON.stringify(model.toJSON().random)]).toEqual(before);
      });
    }
  });

  it('a cost that is not finite says so, in every kernel', () => {
    const huge = dtype === 'float32' ? 1e38 : 1e308;
    const model = new LinearRegression({ dtype, fitIntercept: false });
    model.train([[1, 1]], [1], { maximumNumberOfIterations: 0 });
    const parameters = model.getModelParameters();
    parameters.values.fill(10);
    model.setModelParameters(parameters);
    for (const build of ['reference', ...builds] as const) {
      const cost = withKernels(build, () => model.computeCost([[huge, huge]], [0]));
      expect(Number.isFinite(cost)).toBe(false);
    }
  });

  it('a network without hidden layers learns many outputs as so many regressions', () => {
    const outputs = 65;
    const wide = normalRows(rows, outputs, 4);
    const options = {
      dtype,
      learningRate: 0.02,
      optimizer: 'gradientDescent',
      maximumNumberOfIterations: 20,
    } as const;
    const all = new LinearRegression({ ...options, learningRate: 0.02 * outputs });
    all.train(features, wide);
    const values = all.getModelParameters().values;
    for (const column of [0, 7, 64]) {
      const one = new LinearRegression(options);
      one.train(
        features,
        wide.map((row) => row[column]!),
      );
      one.getModelParameters().values.forEach((weight, input) => {
        expect(Math.abs(values[input * outputs + column]! - weight)).toBeLessThan(
          dtype === 'float32' ? 1e-5 : 1e-13,
        );
      });
    }
    expect(digest(values)).not.toBe(digest(values.slice().fill(0)));
  });
});
