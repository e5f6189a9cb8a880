import { describe, expect, it } from 'vitest';
import { DivergedError, InvalidDataError, UnknownLabelError } from '../../src/errors.ts';
import { EarlyStopping } from '../../src/models/earlyStopping.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import { LogisticRegression } from '../../src/models/LogisticRegression.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { IterationReport, TrainOptions } from '../../src/models/trainOptions.ts';
import { bits, normalRows, roundRobin } from './support.ts';

/** After how many costs it says stop, and the cost whose values it gives back. */
function watch(options: ConstructorParameters<typeof EarlyStopping>[0], costs: number[]): number[] {
  const stopping = new EarlyStopping(options);
  const values = new Float64Array(1);
  let seen = 0;
  for (const cost of costs) {
    values[0] = cost;
    seen++;
    if (!stopping.observe(cost, values)) break;
  }
  stopping.restore(values);
  return [seen, values[0]!];
}

describe('EarlyStopping', () => {
  it('ends after so many iterations in a row without improvement', () => {
    expect(watch({ patience: 1 }, [5, 4, 4, 3])).toEqual([3, 4]);
    expect(watch({ patience: 2 }, [5, 6, 4, 5, 4, 3])).toEqual([5, 4]);
    expect(watch({ patience: 9 }, [5, 6, 4, 5])).toEqual([4, 4]);
    expect(watch({}, [1, ...Array.from({ length: 20 }, () => 2)])).toEqual([11, 1]);
  });

  it('counts only what falls by more than the least improvement, and gives back the lowest all the same', () => {
    expect(watch({ patience: 2, minimumImprovement: 0.5 }, [5, 4.75, 4.5, 1])).toEqual([3, 4.5]);
    expect(watch({ patience: 2, minimumImprovement: 0.5 }, [5, 4.75, 4.25, 4, 3.9, 1])).toEqual([5, 3.9]);
  });

  it('gives nothing back where that is not wanted', () => {
    expect(watch({ patience: 2, restoreBest: false }, [5, 6, 7, 8])).toEqual([3, 7]);
  });
});

// Few rows and many columns: the training cost falls on and on, that of other rows does not.
const features = normalRows(20, 12, 1);
const labels = features.map((row, i) => row[0]! + normalRows(20, 1, 2)[i]![0]!);
const held = normalRows(400, 12, 3);
const validation = { features: held, labels: held.map((row) => row[0]!) };
const make = (): NeuralNetwork =>
  new NeuralNetwork({ layers: [12, 16, 1], learningRate: 0.02, batchSize: 8, dtype: 'float64' });

function run(options: TrainOptions): { model: NeuralNetwork; reports: IterationReport[]; costs: number[] } {
  const model = make();
  const reports: IterationReport[] = [];
  const costs = model.train(features, labels, {
    ...options,
    onIteration: (report) => void reports.push(report),
  });
  return { model, reports, costs };
}

describe('training with validation', () => {
  it('reports the cost of the validation data after each iteration, and trains as without', () => {
    const model = make();
    const twin = make();
    let count = 0;
    const costs = model.train(features, labels, {
      validation,
      maximumNumberOfIterations: 4,
      onIteration: ({ iteration, validationCost }) => {
        count++;
        expect(iteration).toBe(count);
        expect(validationCost).toBe(model.computeCost(validation.features, validation.labels));
      },
    });
    expect(count).toBe(4);
    const reports: IterationReport[] = [];
    const plain = twin.train(features, labels, {
      maximumNumberOfIterations: 4,
      onIteration: (report) => void reports.push(report),
    });
    expect(bits(plain)).toEqual(bits(costs));
    expect(bits(twin.getModelParameters().values)).toEqual(bits(model.getModelParameters().values));
    expect(reports.some((report) => 'validationCost' in report)).toBe(false);
    expect(model.getModelParameters().sampleCount).toBe(20);
  });

  it('ends early with the best parameters', () => {
    const earlyStopping = { patience: 4 };
    const { model, reports, costs } = run({ validation, earlyStopping, maximumNumberOfIterations: 200 });
    const validationCosts = reports.map(({ validationCost }) => validationCost!);
    const best = validationCosts.indexOf(Math.min(...validationCosts));
    expect(costs.length).toBeLessThan(200);
    expect(costs).toHaveLength(best + 1 + 4);
    expect(model.computeCost(validation.features, validation.labels)).toBe(validationCosts[best]);
    const twin = run({ maximumNumberOfIterations: best + 1 }).model;
    expect(bits(model.getModelParameters().values)).toEqual(bits(twin.getModelParameters().values));
    const last = run({
      validation,
      earlyStopping: { patience: 4, restoreBest: false },
      maximumNumberOfIterations: 200,
    });
    expect(last.costs).toEqual(costs);
    expect(last.model.computeCost(validation.features, validation.labels)).toBe(validationCosts.at(-1));
  });

  it('also puts the best back where the iterations end first', () => {
    const { model, reports } = run({
      validation,
      earlyStopping: { patience: 500 },
      maximumNumberOfIterations: 120,
    });
    expect(reports).toHaveLength(120);
    const lowest = Math.min(...reports.map(({ validationCost }) => validationCost!));
    expect(reports.at(-1)!.validationCost).toBeGreaterThan(lowest);
    expect(model.computeCost(validation.features, validation.labels)).toBe(lowest);
  });

  it('does the same in slices, of which the validation has as many as chunks', async () => {
    const options = { validation, earlyStopping: { patience: 3 }, maximumNumberOfIterations: 60 };
    const { model, costs } = run(options);
    const [sliced, stepped] = [make(), make()];
    expect(await sliced.trainAsync(features, labels, options)).toEqual(costs);
    const steps = [...stepped.trainIterator(features, labels, options)];
    for (const twin of [sliced, stepped]) {
      expect(bits(twin.getModelParameters().values)).toEqual(bits(model.getModelParameters().values));
    }
    // Batches of 8, 8 and 4 rows; 400 validation rows are two chunks of up to 256.
    const first = steps.filter(({ iteration }) => iteration === 1).map(({ rows, cost }) => [rows, cost]);
    expect(first).toEqual([...[8, 16, 20, 20, 20].map((rows) => [rows, undefined]), [20, costs[0]]]);
  });

  it('takes a penalty into account, as computeCost does', () => {
    const model = new LogisticRegression({ penalty: { l1: 0.1, l2: 0.2 } });
    const y = roundRobin(20, ['a', 'b']);
    const reports: IterationReport[] = [];
    model.train(features, y, {
      maximumNumberOfIterations: 2,
      validation: { features, labels: y },
      onIteration: (report) => void reports.push(report),
    });
    expect(reports[1]!.validationCost).toBe(model.computeCost(features, y));
  });

  it("is reported by solver 'exact' too", () => {
    const model = new LinearRegression({ solver: 'exact' });
    const reports: IterationReport[] = [];
    model.train(features, labels, {
      validation,
      earlyStopping: {},
      onIteration: (report) => void reports.push(report),
    });
    expect(reports).toHaveLength(1);
    expect(reports[0]!.validationCost).toBe(model.computeCost(validation.features, validation.labels));
  });
});

describe('validation data that do not fit are refused before anything changes', () => {
  it.each([
    ['other columns', { features: [[1, 2]], labels: [1] }, InvalidDataError],
    ['fewer labels', { features: held, labels: [1] }, InvalidDataError],
    ['no rows', { features: [], labels: [] }, InvalidDataError],
  ])('%s', (_name, bad, Refusal) => {
    const model = new LinearRegression();
    expect(() => model.train(features, labels, { validation: bad })).toThrow(Refusal);
    expect(() => model.getModelParameters()).toThrow(/no parameters/);
  });

  it('a label that the training has not', () => {
    const model = new LogisticRegression();
    const bad = { features, labels: roundRobin(20, ['a', 'c']) };
    expect(() => model.train(features, roundRobin(20, ['a', 'b']), { validation: bad })).toThrow(
      UnknownLabelError,
    );
    expect(model.classes).toBeUndefined();
  });

  it('a validation cost that is not finite is a divergence, and the training is taken back', () => {
    const model = new LinearRegression({ maximumNumberOfIterations: 1 });
    model.train(features, labels);
    const before = JSON.stringify(model.toJSON());
    const far = { features: [features[0]!.map(() => 1e200)], labels: [0] };
    expect(() => model.train(features, labels, { validation: far })).toThrow(DivergedError);
    expect(() => model.train(features, labels, { validation: far })).toThrow(/validation/);
    expect(JSON.stringify(model.toJSON())).toBe(before);
  });
});
