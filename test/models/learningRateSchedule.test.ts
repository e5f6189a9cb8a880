import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { LearningRateSchedule, ScheduleContext } from '../../src/optimizers/LearningRateSchedule.ts';
import { ModelParameters } from '../../src/parameters/ModelParameters.ts';
import { bits, normalRows } from './support.ts';

const features = normalRows(10, 2, 1);
const labels = features.map((row) => row[0]! - 2 * row[1]! + 1);

/** A schedule that writes down what it is asked. */
function spy(rate: (context: ScheduleContext) => number = ({ base }) => base): {
  schedule: LearningRateSchedule;
  asked: ScheduleContext[];
} {
  const asked: ScheduleContext[] = [];
  const rateAt = (context: ScheduleContext): number => {
    asked.push(context);
    return rate(context);
  };
  return { schedule: { description: 'spy', rateAt }, asked };
}

describe('a model with a schedule', () => {
  it('asks once a step, counting on over trainings until the state of the optimizer is reset', () => {
    const { schedule, asked } = spy();
    const model = new LinearRegression({
      learningRateSchedule: schedule,
      learningRate: 0.05,
      batchSize: 4,
      maximumNumberOfIterations: 2,
    });
    const steps = (): number[] => asked.splice(0).map(({ step }) => step);
    model.train(features, labels);
    expect(asked[0]).toEqual({ base: 0.05, step: 0, round: 0 });
    expect(steps()).toEqual([0, 1, 2, 3, 4, 5]);
    model.train(features, labels, { maximumNumberOfIterations: 1 });
    expect(steps()).toEqual([6, 7, 8]);
    model.setModelParameters(model.getModelParameters(), { resetOptimizer: true });
    model.train(features, labels, { maximumNumberOfIterations: 1 });
    expect(steps()).toEqual([0, 1, 2]);
    model.setParameters({ optimizer: 'momentum' });
    model.train(features, labels, { maximumNumberOfIterations: 1 });
    expect(steps()).toEqual([0, 1, 2]);
  });

  it('is told the version of main that its parameters started from', () => {
    const { schedule, asked } = spy();
    const model = new LinearRegression({ learningRateSchedule: schedule, maximumNumberOfIterations: 1 });
    model.setModelParameters(
      ModelParameters.fromArrays({ weights: [[0], [0]], bias: [0] }, { baseVersion: 7 }),
    );
    model.train(features, labels);
    expect(asked).toEqual([{ base: 0.1, step: 0, round: 7 }]);
  });

  it('steps by the rates of the schedule', () => {
    const option = { name: 'linearWarmUp', steps: 3, after: { name: 'exponential', factor: 0.5 } } as const;
    const scheduled = new LinearRegression({ learningRateSchedule: option, learningRate: 0.2 });
    scheduled.train(features, labels, { maximumNumberOfIterations: 6 });
    const plain = new LinearRegression({ maximumNumberOfIterations: 1 });
    for (const share of [1 / 3, 2 / 3, 1, 1, 0.5, 0.25]) {
      plain.setParameters({ learningRate: 0.2 * share });
      plain.train(features, labels);
    }
    scheduled.getModelParameters().values.forEach((value, i) => {
      expect(value).toBeCloseTo(plain.getModelParameters().values[i]!, 14);
    });
    const constant = new LinearRegression({ learningRateSchedule: 'constant' });
    expect(constant.train(features, labels)).toEqual(new LinearRegression().train(features, labels));
  });

  it('may be given another one', () => {
    const model = new LinearRegression({ learningRateSchedule: { name: 'exponential', factor: 0.5 } });
    model.train(features, labels, { maximumNumberOfIterations: 2 });
    model.setParameters({ learningRateSchedule: 'constant', learningRate: 0 });
    const before = bits(model.getModelParameters().values);
    model.train(features, labels, { maximumNumberOfIterations: 2 });
    expect(bits(model.getModelParameters().values)).toEqual(before);
    expect(model.toJSON().options).toMatchObject({ learningRateSchedule: 'constant' });
    expect(() => model.setParameters({ learningRateSchedule: 'warp' as never })).toThrow(InvalidOptionError);
  });

  it('of your own must be given again after JSON, and continues where it stood', () => {
    const { schedule } = spy(({ base, step }) => base / (1 + step));
    const model = new NeuralNetwork({ layers: [2, 3, 1], learningRateSchedule: schedule, batchSize: 4 });
    model.train(features, labels, { maximumNumberOfIterations: 2 });
    const json = JSON.parse(JSON.stringify(model.toJSON()));
    expect(json.options.learningRateSchedule).toBe('spy');
    expect(() => NeuralNetwork.fromJSON(json)).toThrow(/learningRateSchedule is "spy".*again after JSON/);
    const restored = NeuralNetwork.fromJSON(json, { learningRateSchedule: schedule });
    const twin = model.clone();
    const costs = bits(model.train(features, labels, { maximumNumberOfIterations: 2 }));
    for (const copy of [restored, twin]) {
      expect(bits(copy.train(features, labels, { maximumNumberOfIterations: 2 }))).toEqual(costs);
    }
  });
});

it.each([Number.NaN, Infinity, -1])('a rate of %d ends the training, which is taken back', (bad) => {
  const { schedule } = spy(({ base, step }) => (step === 7 ? bad : base));
  const model = new LinearRegression({
    learningRateSchedule: schedule,
    batchSize: 4,
    maximumNumberOfIterations: 2,
    optimizer: 'momentum',
  });
  model.train(features, labels);
  const before = JSON.stringify(model.toJSON());
  expect(() => model.train(features, labels)).toThrow(InvalidOptionError);
  expect(() => model.train(features, labels)).toThrow(/at step 7/);
  expect(JSON.stringify(model.toJSON())).toBe(before);
});
