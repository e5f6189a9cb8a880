import { afterEach, describe, expect, it } from 'vitest';
import { DivergedError } from '../../src/errors.ts';
import { kernels } from '../../src/kernels/selection.ts';
import { LinearRegression } from '../../src/models/LinearRegression.ts';
import type { NeuralNetworkOptions } from '../../src/models/NeuralNetwork.ts';
import { NeuralNetwork } from '../../src/models/NeuralNetwork.ts';
import type { Optimizer } from '../../src/optimizers/Optimizer.ts';
import { normalRows, randomise, thrownBy } from './support.ts';

const features = normalRows(40, 5, 1);
const labels = normalRows(40, 2, 2);
const asked = normalRows(3, 5, 3);
const options: NeuralNetworkOptions = {
  layers: [5, 7, 2],
  batchSize: 8,
  maximumNumberOfIterations: 3,
  learningRate: 0.02,
};
const best = kernels.name;

afterEach(() => {
  kernels.select(best);
});

/** What a model that never predicted before says, given the parameters that this one shows. */
function predictionOfTwin(model: NeuralNetwork): ReturnType<NeuralNetwork['predict']> {
  const twin = new NeuralNetwork({ layers: [5, 7, 2], dtype: model.getModelParameters().dtype });
  twin.setModelParameters(model.getModelParameters());
  return twin.predict(asked);
}

/** Predicts, so that the parameters as they are now lie ready; returns it. */
function expectFresh(model: NeuralNetwork): ReturnType<NeuralNetwork['predict']> {
  const predicted = model.predict(asked);
  expect(predicted).toEqual(predictionOfTwin(model));
  return predicted;
}

describe.each(kernels.available)('a prediction by %s', (kernel) => {
  const create = (more: NeuralNetworkOptions = {}): NeuralNetwork => {
    kernels.select(kernel);
    const model = new NeuralNetwork({ ...options, ...more });
    expectFresh(model);
    return model;
  };

  it('follows each training, and takes of parameters', async () => {
    const model = create();
    const predictions = [model.predict(asked)];
    model.train(features, labels);
    predictions.push(expectFresh(model));
    await model.trainAsync(features, labels);
    predictions.push(expectFresh(model));
    randomise(model, 9);
    predictions.push(expectFresh(model));
    model.train(features, labels, { maximumNumberOfIterations: 0 });
    expect(expectFresh(model)).toEqual(predictions[3]);
    expect(new Set(predictions.map((rows) => JSON.stringify(rows))).size).toBe(4);
  });

  it('between two passes is of the parameters as they are shown', () => {
    const model = create();
    const seen: unknown[] = [];
    model.train(features, labels, {
      maximumNumberOfIterations: 4,
      onIteration: () => {
        seen.push(expectFresh(model));
      },
    });
    expect(new Set(seen.map((rows) => JSON.stringify(rows))).size).toBe(4);
    expect(expectFresh(model)).toEqual(seen[3]);
  });

  it('between any two steps of an iterator is of the parameters as they are shown', () => {
    const model = create();
    const steps = model.trainIterator(features, labels);
    for (let step = steps.next(); step.done !== true; step = steps.next()) expectFresh(model);
    expectFresh(model);
  });

  it('follows a training that is stopped between two steps', () => {
    const model = create();
    const before = expectFresh(model);
    const steps = model.trainIterator(features, labels);
    for (let i = 0; i < 7; i++) steps.next();
    expectFresh(model);
    steps.return([]);
    expect(expectFresh(model)).not.toEqual(before);
  });

  it('is as before where a training diverges', () => {
    const model = create({ optimizer: 'gradientDescent' });
    const before = expectFresh(model);
    model.setParameters({ learningRate: 1e30 });
    const error = thrownBy(() =>
      model.train(features, labels, {
        onIteration: () => {
          model.predict(asked);
        },
      }),
    );
    expect(error).toBeInstanceOf(DivergedError);
    expect(expectFresh(model)).toEqual(before);
    const steps = model.trainIterator(features, labels);
    steps.next();
    model.predict(asked);
    expect(thrownBy(() => steps.throw(new Error('stop'))).message).toBe('stop');
    expect(expectFresh(model)).toEqual(before);
  });

  it('follows an optimizer that is written in JavaScript, also in the middle of its step', () => {
    const seen: unknown[] = [];
    const optimizer: Optimizer = {
      name: 'ours',
      defaultLearningRate: 0.01,
      slotCount: 0,
      step(_state, values, gradient, learningRate) {
        for (let i = 0; i < values.length; i++) values[i] = values[i]! - learningRate * gradient[i]!;
        seen.push(expectFresh(model));
      },
    };
    const model = create({ optimizer });
    model.train(features, labels);
    expectFresh(model);
    expect(seen).toHaveLength(15);
  });

  it('goes back to the best parameters with them', () => {
    const model = create({ learningRate: 0.3 });
    model.train(features, labels, {
      maximumNumberOfIterations: 8,
      validation: { features: normalRows(9, 5, 7), labels: normalRows(9, 2, 8) },
      earlyStopping: { patience: 2 },
      onIteration: () => {
        model.predict(asked);
      },
    });
    expectFresh(model);
  });

  it('of a copy has nothing to do with the original', () => {
    const model = create();
    let middle: NeuralNetwork | undefined;
    model.train(features, labels, {
      onIteration: () => {
        middle = model.clone();
        expect(middle.predict(asked)).toEqual(model.predict(asked));
      },
    });
    const twin = model.clone();
    const read = NeuralNetwork.fromJSON(structuredClone(model.toJSON()));
    expect(twin.predict(asked)).toEqual(model.predict(asked));
    expect(read.predict(asked)).toEqual(model.predict(asked));
    const before = twin.predict(asked);
    model.train(features, labels);
    expectFresh(model);
    expect(twin.predict(asked)).toEqual(before);
    twin.train(features, labels);
    expectFresh(twin);
    expect(expectFresh(middle as NeuralNetwork)).toEqual(before);
  });

  it('follows the exact solver', () => {
    kernels.select(kernel);
    const model = new LinearRegression({ solver: 'exact' });
    model.train(features, labels);
    const first = model.predict(asked);
    model.train(
      features,
      labels.map((row) => row.map((value) => 2 * value)),
    );
    model.predict(asked).forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(2 * first[i]![j]!, 10);
      });
    });
  });
});

it('a change of kernels holds for the next prediction, in both directions', () => {
  const model = new NeuralNetwork({ ...options, dtype: 'float64' });
  const predicted = kernels.available.map((kernel) => {
    kernels.select(kernel);
    return model.predict(asked);
  });
  randomise(model, 4);
  const changed = kernels.available.map((kernel) => {
    kernels.select(kernel);
    return model.predict(asked);
  });
  for (const kernel of [...kernels.available].reverse()) {
    kernels.select(kernel);
    expect(model.predict(asked)).toEqual(changed[kernels.available.indexOf(kernel)]);
  }
  expect(changed).not.toEqual(predicted);
});
