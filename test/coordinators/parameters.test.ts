import type { Merger, MergerNeeds, ModelParametersCoordinatorOptions } from 'mainstem';
import {
  ArchitectureMismatchError,
  DistributedModelParametersCoordinator,
  InvalidWeightError,
  LimitExceededError,
  LinearRegression,
  ModelParametersMerger,
  NeuralNetwork,
  NoMainParametersError,
  UpdateDiscardedError,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { numbersOf, parametersOf } from './helpers.ts';

const average = (options: ModelParametersCoordinatorOptions = {}): DistributedModelParametersCoordinator =>
  new DistributedModelParametersCoordinator({
    merger: new ModelParametersMerger({ mode: 'average' }),
    ...options,
  });

describe('latest of every child', () => {
  test('the tutorial: three adds in any order end in the merge of the three', () => {
    const models = [2, 5, -3].map((slope, index) => {
      const model = new LinearRegression({ solver: 'exact' });
      const rows = Array.from({ length: 3 + index }, (_, i) => [i]);
      model.train(
        rows,
        rows.map(([x]) => slope * (x as number) + index),
      );
      return model;
    });
    const expected = [(3 * 2 + 4 * 5 + 5 * -3) / 12, (3 * 0 + 4 * 1 + 5 * 2) / 12];
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
    ]) {
      const coordinator = new DistributedModelParametersCoordinator();
      coordinator.setModelParametersMerger(new ModelParametersMerger());
      for (const index of order)
        coordinator.addModelParameters((models[index] as LinearRegression).getModelParameters());
      numbersOf(coordinator.getMainModelParameters()).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i] as number, 12);
      });
    }
  });

  test('training the first child again and adding it replaces its part', () => {
    const models = [1, 2].map((value) => {
      const model = new LinearRegression();
      model.setModelParameters(parametersOf(value, value));
      return model;
    });
    const coordinator = average();
    for (const model of models) coordinator.addModelParameters(model.getModelParameters());
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([1.5, 1.5]);
    (models[0] as LinearRegression).setModelParameters(parametersOf(4, 6));
    const receipt = coordinator.addModelParameters((models[0] as LinearRegression).getModelParameters());
    expect(receipt).toMatchObject({ status: 'applied', version: 3 });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([3, 4]);
    expect(coordinator.children).toHaveLength(2);
  });

  test('a child is known by its id before its model', () => {
    const coordinator = average();
    coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' });
    coordinator.addModelParameters(parametersOf(3, 3), { childId: 'b' });
    coordinator.addModelParameters(parametersOf(5, 5), { childId: 'a' });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([4, 4]);
    expect(coordinator.children).toEqual(['a', 'b']);
  });

  test('two clones of one model are two children', () => {
    const model = new LinearRegression();
    model.setModelParameters(parametersOf(1, 1));
    const coordinator = average();
    coordinator.addModelParameters(model.getModelParameters());
    coordinator.addModelParameters(model.clone().getModelParameters());
    expect(coordinator.children).toHaveLength(2);
  });

  test('updates without identity count each for itself, up to a limit of their own', () => {
    const coordinator = average({ limits: { keptAnonymousMax: 2 } });
    coordinator.addModelParameters(parametersOf(1, 1));
    coordinator.addModelParameters(parametersOf(3, 3));
    expect(coordinator.addModelParameters(parametersOf(100, 100)).reason).toBeInstanceOf(LimitExceededError);
    expect(coordinator.addModelParameters(parametersOf(5, 5), { childId: 'named' }).status).toBe('applied');
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([3, 3]);
  });

  test('at most so many children are kept; a known one may always replace its part', () => {
    const coordinator = average({ limits: { keptChildrenMax: 2 } });
    coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' });
    coordinator.addModelParameters(parametersOf(3, 3), { childId: 'b' });
    const refused = coordinator.addModelParameters(parametersOf(9, 9), { childId: 'c' });
    expect(refused.reason?.message).toMatch(/2 children are kept, at most 2/);
    expect(coordinator.children).toEqual(['a', 'b']);
    coordinator.addModelParameters(parametersOf(5, 5), { childId: 'a' });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([4, 4]);
  });

  test('a child that leaves takes its part out of the next merge and makes room', () => {
    const coordinator = average({ limits: { keptChildrenMax: 2 } });
    coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' });
    coordinator.addModelParameters(parametersOf(3, 3), { childId: 'b' });
    expect(coordinator.removeChild('a')).toBe(true);
    expect(coordinator.removeChild('a')).toBe(false);
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([2, 2]);
    coordinator.addModelParameters(parametersOf(5, 5), { childId: 'c' });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([4, 4]);
  });

  test('sample counts weigh, also those given with the update', () => {
    const coordinator = new DistributedModelParametersCoordinator();
    coordinator.addModelParameters(parametersOf(0, 0), { childId: 'a', sampleCount: 30 });
    coordinator.addModelParameters(parametersOf(4, 8), { childId: 'b', sampleCount: 10 });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([1, 2]);
  });

  test('some with and some without a sample count is refused, and main stays', () => {
    const coordinator = new DistributedModelParametersCoordinator();
    coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a', sampleCount: 30 });
    const receipt = coordinator.addModelParameters(parametersOf(4, 8), { childId: 'b' });
    expect(receipt.reason).toBeInstanceOf(InvalidWeightError);
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([1, 1]);
    // The refused part is not kept for the next merge either.
    expect(coordinator.addModelParameters(parametersOf(3, 3), { childId: 'a', sampleCount: 1 }).status).toBe(
      'applied',
    );
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([3, 3]);
  });

  test('reset forgets the children and keeps main', () => {
    const coordinator = average();
    coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' });
    coordinator.reset();
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([1, 1]);
    coordinator.addModelParameters(parametersOf(5, 5), { childId: 'b' });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([5, 5]);
  });
});

describe('each N arrivals', () => {
  test('adding 1..6 with a threshold of 3 merges {1,2,3} and {4,5,6}', async () => {
    const coordinator = average({ childUpdatesPerMerge: 3 });
    const receipts = [1, 2, 3, 4, 5, 6].map((value) =>
      coordinator.addModelParameters(parametersOf(value, value)),
    );
    expect(receipts.map(({ status }) => status)).toEqual([
      'accepted',
      'accepted',
      'applied',
      'accepted',
      'accepted',
      'applied',
    ]);
    expect(receipts.map(({ version }) => version)).toEqual([0, 0, 1, 1, 1, 2]);
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([5, 5]);
    await Promise.all(receipts.map(({ committed }) => committed));
  });

  test('after three of six, main is the merge of the first three', () => {
    const coordinator = average({ childUpdatesPerMerge: 3 });
    for (const value of [1, 2, 3, 4, 5]) coordinator.addModelParameters(parametersOf(value, value));
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([2, 2]);
  });

  test('before the first merge there is no main', () => {
    const coordinator = average({ childUpdatesPerMerge: 2 });
    coordinator.addModelParameters(parametersOf(1, 1));
    expect(() => coordinator.getMainModelParameters()).toThrow(NoMainParametersError);
    expect(coordinator.version).toBe(0);
  });

  test('a merge that fails gives all of its updates up, and the next starts afresh', async () => {
    const merger = new ModelParametersMerger({
      mode: 'weightedAverage',
      weights: (child) => (child.id.startsWith('zero') ? 0 : 1),
    });
    const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 2, merger });
    coordinator.setMainModelParameters(parametersOf(7, 7));
    const first = coordinator.addModelParameters(parametersOf(1, 1), { childId: 'zero-a', sequence: 1 });
    const second = coordinator.addModelParameters(parametersOf(1, 1), { childId: 'zero-b' });
    expect(second.reason).toBeInstanceOf(InvalidWeightError);
    await expect(first.committed).rejects.toBeInstanceOf(UpdateDiscardedError);
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([7, 7]);
    coordinator.addModelParameters(parametersOf(2, 2), { childId: 'one-a' });
    coordinator.addModelParameters(parametersOf(4, 4), { childId: 'one-b' });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([3, 3]);
    // The number of an update that was given up may be used again.
    expect(
      coordinator.addModelParameters(parametersOf(1, 1), { childId: 'zero-a', sequence: 1 }).status,
    ).toBe('accepted');
  });

  test('the memory of a merge does not grow with its children', () => {
    const coordinator = average({ childUpdatesPerMerge: 1000, limits: { keptChildrenMax: 1 } });
    for (let i = 1; i <= 1000; i++)
      coordinator.addModelParameters(parametersOf(i, -i), { childId: `child-${i}` });
    numbersOf(coordinator.getMainModelParameters()).forEach((value, i) => {
      expect(value).toBeCloseTo(i === 0 ? 500.5 : -500.5, 9);
    });
  });
});

describe('mergers of a coordinator', () => {
  const lastOne: Merger<{ values: Float64Array<ArrayBuffer> }> = {
    needs: { minimumChildren: 3, sampleCounts: true } satisfies MergerNeeds,
    begin: ({ layout }) => ({ values: new Float64Array(layout.length) }),
    add: (state, { parameters }) => state.values.set(parameters.values),
    finish: ({ values }) => values,
  };

  test('what a merger needs is asked for', async () => {
    const coordinator = new DistributedModelParametersCoordinator({ merger: lastOne });
    expect(coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' }).reason?.message).toMatch(
      /names none/,
    );
    const receipts = ['a', 'b', 'c'].map((childId, i) =>
      coordinator.addModelParameters(parametersOf(i, i), { childId, sampleCount: 1 }),
    );
    expect(receipts.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'applied']);
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([2, 2]);
    await Promise.all(receipts.map(({ committed }) => committed));
  });

  test('a threshold below what the merger needs is refused at once', () => {
    expect(
      () => new DistributedModelParametersCoordinator({ merger: lastOne, childUpdatesPerMerge: 2 }),
    ).toThrow(/needs 3 children/);
    const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 2 });
    expect(() => coordinator.setModelParametersMerger(lastOne)).toThrow(/needs 3 children/);
    expect(() => coordinator.setModelParametersMerger({} as never)).toThrow(/needs, begin, add and finish/);
  });

  test('a merger that returns nonsense is refused, and main stays', () => {
    const coordinator = average();
    coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' });
    for (const bad of [new Float64Array(1), Float64Array.of(1, Number.NaN)]) {
      coordinator.setModelParametersMerger({
        ...lastOne,
        needs: { minimumChildren: 1, sampleCounts: false },
        finish: () => bad,
      });
      expect(coordinator.addModelParameters(parametersOf(2, 2), { childId: 'b' }).status).toBe('refused');
      expect(numbersOf(coordinator.getMainModelParameters())).toEqual([1, 1]);
    }
  });

  test('a relu and a tanh network of equal shape never merge', () => {
    const [relu, tanh] = (['relu', 'tanh'] as const).map(
      (activation) => new NeuralNetwork({ layers: [2, { units: 3, activation }, 1] }),
    );
    const coordinator = average();
    coordinator.addModelParameters((relu as NeuralNetwork).getModelParameters());
    const receipt = coordinator.addModelParameters((tanh as NeuralNetwork).getModelParameters());
    expect(receipt.reason).toBeInstanceOf(ArchitectureMismatchError);
    expect(receipt.reason?.message).toMatch(
      /activations is \["tanh","identity"\], expected \["relu","identity"\]/,
    );
  });

  test('a float32 and a float64 child merge', () => {
    const coordinator = average();
    coordinator.addModelParameters(parametersOf(1, 2), { childId: 'a' });
    expect(
      coordinator.addModelParameters(parametersOf(3, 4).toDataType('float32'), { childId: 'b' }).status,
    ).toBe('applied');
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([2, 3]);
    expect(coordinator.getMainModelParameters().dtype).toBe('float64');
  });
});
