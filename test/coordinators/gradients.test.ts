import type { GradientsCoordinatorOptions, ModelParameters } from 'mainstem';
import {
  Adam,
  AlreadyContributedError,
  DistributedGradientsCoordinator,
  InvalidOptionError,
  MalformedDataError,
  MemoryStore,
  NoMainParametersError,
  UpdateDiscardedError,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf } from './helpers.ts';

function coordinatorAt(
  main: ModelParameters,
  options: GradientsCoordinatorOptions = {},
): DistributedGradientsCoordinator {
  const coordinator = new DistributedGradientsCoordinator(options);
  coordinator.setModelParameters(main);
  return coordinator;
}

describe('DistributedGradientsCoordinator', () => {
  test('moves main by the learning rate against the gradient, at once', () => {
    const coordinator = coordinatorAt(parametersOf(1, 2, 3));
    const receipt = coordinator.addGradients(gradientsOf([10, -20, 0]));
    expect(receipt.status).toBe('applied');
    expect(receipt.version).toBe(2);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 4, 3]);
  });

  test.each([
    'gradientDescent',
    'momentum',
    'adam',
  ] as const)('ten zero gradients change nothing: %s', (optimizer) => {
    const coordinator = coordinatorAt(parametersOf(1, -2, 3), { optimizer });
    for (let i = 0; i < 10; i++)
      expect(coordinator.addGradients(gradientsOf([0, 0, 0])).status).toBe('applied');
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, -2, 3]);
    expect(coordinator.version).toBe(11);
  });

  test('a learning rate of 0 is honoured', () => {
    const coordinator = coordinatorAt(parametersOf(1, 2), { learningRate: 0 });
    coordinator.addGradients(gradientsOf([5, 5]));
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 2]);
  });

  test.each([
    'gradientDescent',
    'momentum',
    'adam',
  ] as const)('descent lowers a cost and ascent raises it: %s', (optimizer) => {
    const costOf = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value * value, 0);
    for (const [gradientChangeMode, sign] of [
      ['descent', -1],
      ['ascent', 1],
    ] as const) {
      const coordinator = coordinatorAt(parametersOf(1, -2, 3), {
        optimizer,
        gradientChangeMode,
        learningRate: 0.01,
      });
      let before = costOf(numbersOf(coordinator.getModelParameters()));
      for (let i = 0; i < 5; i++) {
        coordinator.addGradients(
          gradientsOf(numbersOf(coordinator.getModelParameters()).map((value) => 2 * value)),
        );
        const after = costOf(numbersOf(coordinator.getModelParameters()));
        expect(Math.sign(after - before)).toBe(sign);
        before = after;
      }
    }
  });

  test('the optimizer is the same as on a model: Adam over three updates', () => {
    const coordinator = coordinatorAt(parametersOf(1, 2), {
      optimizer: { name: 'adam', beta1: 0.8 },
      learningRate: 0.05,
    });
    const values = Float64Array.of(1, 2);
    const state = { steps: 0, slots: [new Float64Array(2), new Float64Array(2)] };
    for (const gradient of [
      [0.1, -3],
      [2, 2],
      [-0.5, 0.25],
    ]) {
      coordinator.addGradients(gradientsOf(gradient));
      state.steps++;
      new Adam({ beta1: 0.8 }).step(state, values, gradient, 0.05);
    }
    expect(numbersOf(coordinator.getModelParameters())).toEqual(Array.from(values));
  });

  test('setModelParameters copies, and main is a copy on the way out', () => {
    const given = parametersOf(1, 2);
    const coordinator = coordinatorAt(given);
    given.values.fill(9);
    coordinator.getModelParameters().values.fill(8);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 2]);
  });

  test('main keeps its dtype and float64 precision inside', () => {
    const coordinator = coordinatorAt(parametersOf(1, 1).toDataType('float32'), { learningRate: 1 });
    for (let i = 0; i < 1000; i++) coordinator.addGradients(gradientsOf([-1e-9, 0]));
    expect(coordinator.getModelParameters().dtype).toBe('float32');
    // 1 + 1e-9 is 1 in float32; a thousand of them are not.
    expect(coordinator.getModelParameters().values[0]).toBe(Math.fround(1 + 1e-6));
  });

  test('without main, gradients are refused with a reason', async () => {
    const receipt = new DistributedGradientsCoordinator().addGradients(gradientsOf([1, 1]));
    expect(receipt.status).toBe('refused');
    expect(receipt.reason).toBeInstanceOf(NoMainParametersError);
    await expect(receipt.committed).rejects.toBe(receipt.reason);
  });

  test('what is no Gradients at all is thrown back', () => {
    const coordinator = coordinatorAt(parametersOf(1, 2));
    expect(() => coordinator.addGradients([1, 2] as never)).toThrow(MalformedDataError);
    expect(() => coordinator.addGradients(parametersOf(1, 2) as never)).toThrow(/getGradients/);
    expect(() => coordinator.setModelParameters([1, 2] as never)).toThrow(MalformedDataError);
  });

  test.each([
    [{ learningRate: -1 }, /learningRate is -1/],
    [{ learningRate: Number.NaN }, /learningRate is NaN/],
    [{ gradientChangeMode: 'up' as never }, /gradientChangeMode is "up"/],
    [{ childrenPerUpdate: 0 }, /childrenPerUpdate is 0/],
    [{ optimizer: 'sgd' as never }, /optimizer is "sgd"/],
    [{ learnRate: 1 } as never, /no option learnRate/],
    [{ drive: 'auto' as never }, /drive is "auto"/],
    [{ limits: { childMax: 1 } as never }, /no limit childMax/],
  ])('illegal options are refused: %j', (options, message) => {
    expect(() => new DistributedGradientsCoordinator(options)).toThrow(InvalidOptionError);
    expect(() => new DistributedGradientsCoordinator(options)).toThrow(message);
  });
});

describe('rounds of several children', () => {
  test('main moves once, by the row-weighted mean', () => {
    const coordinator = coordinatorAt(parametersOf(0, 0), { childrenPerUpdate: 2, learningRate: 1 });
    expect(coordinator.addGradients(gradientsOf([1, 0], 30), { childId: 'a' }).status).toBe('accepted');
    expect(coordinator.version).toBe(1);
    expect(coordinator.addGradients(gradientsOf([5, 4], 10), { childId: 'b' }).status).toBe('applied');
    expect(coordinator.version).toBe(2);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-2, -1]);
  });

  test('an accepted update is committed with its round, not before', async () => {
    const coordinator = coordinatorAt(parametersOf(0, 0), { childrenPerUpdate: 2 });
    const receipt = coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a' });
    let isCommitted = false;
    void receipt.committed.then(() => {
      isCommitted = true;
    });
    await Promise.resolve();
    expect(isCommitted).toBe(false);
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'b' });
    await receipt.committed;
    expect(isCommitted).toBe(true);
  });

  test('one child cannot supply a whole round', () => {
    const coordinator = coordinatorAt(parametersOf(0, 0), { childrenPerUpdate: 2, learningRate: 1 });
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a' });
    const second = coordinator.addGradients(gradientsOf([100, 0]), { childId: 'a', sequence: 2 });
    expect(second.status).toBe('refused');
    expect(second.reason).toBeInstanceOf(AlreadyContributedError);
    coordinator.addGradients(gradientsOf([3, 0]), { childId: 'b' });
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-2, 0]);
    // The next round takes it again, under the same number.
    expect(coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 2 }).status).toBe(
      'accepted',
    );
  });

  test('clearGradients gives up the round and says so; main stays', async () => {
    const coordinator = coordinatorAt(parametersOf(0, 0), { childrenPerUpdate: 2, learningRate: 1 });
    const receipt = coordinator.addGradients(gradientsOf([100, 0]), { childId: 'a' });
    coordinator.clearGradients();
    await expect(receipt.committed).rejects.toBeInstanceOf(UpdateDiscardedError);
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a' });
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'b' });
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, 0]);
  });

  test('a round over no rows at all fails and is given up', async () => {
    const coordinator = coordinatorAt(parametersOf(1, 1), { childrenPerUpdate: 2 });
    const first = coordinator.addGradients(gradientsOf([1, 0], 0), { childId: 'a' });
    const second = coordinator.addGradients(gradientsOf([1, 0], 0), { childId: 'b' });
    expect(second.status).toBe('refused');
    await expect(first.committed).rejects.toBeInstanceOf(UpdateDiscardedError);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 1]);
  });

  test('a step that would make main infinite changes nothing, optimizer state included', () => {
    const coordinator = coordinatorAt(parametersOf(1, 1), { optimizer: 'momentum', learningRate: 1e300 });
    expect(coordinator.addGradients(gradientsOf([1e200, 0])).status).toBe('refused');
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 1]);
    coordinator.addGradients(gradientsOf([1e-300, 0]));
    // A velocity left over from the refused step would throw main far away.
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 1]);
  });
});

describe('a learning-rate schedule', () => {
  const learningRateSchedule = { name: 'exponential', factor: 0.5 } as const;

  test('counts the steps of main, also over a restart', async () => {
    const store = new MemoryStore();
    const first = new DistributedGradientsCoordinator({ learningRate: 1, learningRateSchedule, store });
    first.setModelParameters(parametersOf(0, 0));
    for (let i = 0; i < 3; i++) first.addGradients(gradientsOf([-8, 0]), { childId: 'a' });
    expect(numbersOf(first.getModelParameters())).toEqual([8 + 4 + 2, 0]);
    const second = new DistributedGradientsCoordinator({ learningRate: 1, learningRateSchedule, store });
    await second.restore();
    second.addGradients(gradientsOf([-8, 0]), { childId: 'a' });
    expect(numbersOf(second.getModelParameters())).toEqual([8 + 4 + 2 + 1, 0]);
  });

  test('gets the version of main as round, and begins anew when main is set', () => {
    const seen: string[] = [];
    const coordinator = new DistributedGradientsCoordinator({
      learningRate: 0.25,
      learningRateSchedule: {
        description: 'mine',
        rateAt({ base, step, round }) {
          seen.push(`${base} ${step} ${round}`);
          return base;
        },
      },
    });
    coordinator.setModelParameters(parametersOf(0, 0));
    for (let i = 0; i < 2; i++) coordinator.addGradients(gradientsOf([1, 0]));
    coordinator.setModelParameters(parametersOf(0, 0));
    coordinator.addGradients(gradientsOf([1, 0]));
    expect(seen).toEqual(['0.25 0 1', '0.25 1 2', '0.25 0 4']);
  });

  test('that gives no rate refuses the update, and main stays', () => {
    const coordinator = new DistributedGradientsCoordinator({
      learningRateSchedule: { description: 'broken', rateAt: () => Number.NaN },
    });
    coordinator.setModelParameters(parametersOf(1, 1));
    const { status, reason } = coordinator.addGradients(gradientsOf([1, 0]));
    expect([status, reason?.code]).toEqual(['refused', 'INVALID_OPTION']);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 1]);
    expect(
      () => new DistributedGradientsCoordinator({ learningRateSchedule: { name: 'exponentail' } as never }),
    ).toThrow(InvalidOptionError);
  });
});
