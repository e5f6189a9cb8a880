import type { Receipt, UpdateIdentity } from 'mainstem';
import {
  ArchitectureMismatchError,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  DuplicateUpdateError,
  Gradients,
  LayoutMismatchError,
  LimitExceededError,
  MalformedDataError,
  ModelParameters,
  ModelParametersMerger,
  NonFiniteError,
  StaleSessionError,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { gradientsOf, parametersOf } from './helpers.ts';

const arrays = { weights: [[1], [2]], bias: [3] };
const architecture = { model: 'LinearRegression' };

/** Both coordinators with the same main, and a way to send each an update of the same numbers. */
const coordinators = [
  {
    name: 'gradients',
    make() {
      const coordinator = new DistributedGradientsCoordinator();
      coordinator.setModelParameters(ModelParameters.fromArrays(arrays, { architecture }));
      return coordinator;
    },
    add: (coordinator: unknown, like: ModelParameters, identity?: UpdateIdentity): Receipt =>
      (coordinator as DistributedGradientsCoordinator).addGradients(
        new Gradients(like.layout, like.values, { sampleCount: like.sampleCount ?? 1 }),
        identity,
      ),
  },
  {
    name: 'parameters',
    make() {
      const coordinator = new DistributedModelParametersCoordinator();
      coordinator.setMainModelParameters(ModelParameters.fromArrays(arrays, { architecture }));
      return coordinator;
    },
    add: (coordinator: unknown, like: ModelParameters, identity?: UpdateIdentity): Receipt =>
      (coordinator as DistributedModelParametersCoordinator).addModelParameters(like, identity),
  },
];

const bad: [string, ModelParameters, new (...args: never[]) => Error, RegExp][] = [
  [
    'NaN',
    ModelParameters.fromArrays({ weights: [[1], [Number.NaN]], bias: [3] }),
    NonFiniteError,
    /NaN at weights\[1\]/,
  ],
  [
    'Infinity',
    ModelParameters.fromArrays({ weights: [[1], [2]], bias: [-Infinity] }),
    NonFiniteError,
    /-Infinity at bias\[0\]/,
  ],
  [
    'too few values',
    parametersOf(1, 2),
    LayoutMismatchError,
    /have 2 values, main has 3 \(layout [0-9a-f]{8}… expected [0-9a-f]{8}…\)/,
  ],
  [
    'other names',
    ModelParameters.fromArrays({ w: [[1], [2]], bias: [3] }),
    LayoutMismatchError,
    /w \[2×1\], main has weights \[2×1\]/,
  ],
  [
    'other shape, same size',
    ModelParameters.fromArrays({ weights: [[1, 2]], bias: [3] }),
    LayoutMismatchError,
    /weights \[1×2\]/,
  ],
  [
    'another architecture of equal shape',
    ModelParameters.fromArrays(arrays, { architecture: { model: 'LogisticRegression' } }),
    ArchitectureMismatchError,
    /model is "LogisticRegression", expected "LinearRegression"/,
  ],
];

for (const { name, make, add } of coordinators) {
  describe(`admission to the ${name} coordinator`, () => {
    test.each(
      bad,
    )('%s is refused by name, and main stays bit for bit', async (_name, update, errorClass, message) => {
      const coordinator = make();
      const before = Array.from(coordinator.getModelParameters().values);
      const rejected: unknown[] = [];
      coordinator.on('updateRejected', ({ reason }) => rejected.push(reason));
      const receipt = add(coordinator, update, { childId: 'a', sequence: 1 });
      expect(receipt.status).toBe('refused');
      expect(receipt.reason).toBeInstanceOf(errorClass);
      expect(receipt.reason?.message).toMatch(message);
      await expect(receipt.committed).rejects.toBe(receipt.reason);
      expect(rejected).toEqual([receipt.reason]);
      expect(coordinator.version).toBe(1);
      expect(Array.from(coordinator.getModelParameters().values)).toEqual(before);
      // Mended, the same update is taken under the same number.
      expect(add(coordinator, ModelParameters.fromArrays(arrays), { childId: 'a', sequence: 1 }).status).toBe(
        'applied',
      );
    });

    test('a duplicate sequence is reported as such and changes nothing', () => {
      const coordinator = make();
      const update = ModelParameters.fromArrays({ weights: [[9], [9]], bias: [9] });
      expect(add(coordinator, update, { childId: 'a', sequence: 4 }).status).toBe('applied');
      const after = Array.from(coordinator.getModelParameters().values);
      const again = add(coordinator, update, { childId: 'a', sequence: 4 });
      expect(again.status).toBe('duplicate');
      expect(again.reason).toBeInstanceOf(DuplicateUpdateError);
      expect(coordinator.version).toBe(2);
      expect(Array.from(coordinator.getModelParameters().values)).toEqual(after);
      // Another child's 4, and this child's 3 that came late, are no duplicates.
      expect(add(coordinator, update, { childId: 'b', sequence: 4 }).status).toBe('applied');
      expect(add(coordinator, update, { childId: 'a', sequence: 3 }).status).toBe('applied');
    });

    test('a newer session fences the older one', () => {
      const coordinator = make();
      const update = ModelParameters.fromArrays(arrays);
      add(coordinator, update, { childId: 'a', sequence: 7, epoch: 1 });
      expect(add(coordinator, update, { childId: 'a', sequence: 7, epoch: 2 }).status).toBe('applied');
      const stale = add(coordinator, update, { childId: 'a', sequence: 8, epoch: 1 });
      expect(stale.status).toBe('stale');
      expect(stale.reason).toBeInstanceOf(StaleSessionError);
    });

    test.each([
      [{ childId: '' }],
      [{ childId: 'x'.repeat(257) }],
      [{ childId: 5 as never }],
      [{ sequence: -1 }],
      [{ sequence: 1.5 }],
      [{ epoch: Number.NaN }],
      [{ childId: '\ud800' }],
      [{ childId: 'model#1' }],
      [{ childID: 'a' } as never],
    ])('an illegal identity is refused: %j', (identity) => {
      const receipt = add(make(), ModelParameters.fromArrays(arrays), identity);
      expect(receipt.reason).toBeInstanceOf(MalformedDataError);
    });

    test('ids like names of object members are ordinary ids', () => {
      const coordinator = make();
      for (const childId of ['__proto__', 'constructor', 'toString']) {
        expect(add(coordinator, ModelParameters.fromArrays(arrays), { childId, sequence: 0 }).status).toBe(
          'applied',
        );
      }
      expect(coordinator.children).toEqual(['__proto__', 'constructor', 'toString']);
      expect('index' in {}).toBe(false);
    });

    test('a claim of too many rows is refused, never clamped', () => {
      const receipt = add(make(), ModelParameters.fromArrays(arrays, { sampleCount: 1e10 }));
      expect(receipt.reason).toBeInstanceOf(LimitExceededError);
      expect(receipt.reason?.message).toMatch(/claims 10000000000 rows, at most 1000000000/);
    });
  });
}

test('children have a limit; one that left makes room', () => {
  const coordinator = new DistributedGradientsCoordinator({ limits: { childrenMax: 2 } });
  coordinator.setModelParameters(parametersOf(1, 1));
  const add = (childId: string) => coordinator.addGradients(gradientsOf([0, 0]), { childId, sequence: 1 });
  expect([add('a').status, add('b').status, add('c').status]).toEqual(['applied', 'applied', 'refused']);
  coordinator.removeChild('a');
  // What is known of a child that left is kept until the room is needed.
  expect(add('a').status).toBe('duplicate');
  expect(add('c').status).toBe('applied');
  expect(coordinator.children).toEqual(['b', 'c']);
});

describe('what a refused update must not touch', () => {
  test('the numbers and the session of its child', () => {
    const coordinator = new DistributedGradientsCoordinator({ learningRate: 1 });
    coordinator.setModelParameters(parametersOf(0, 0));
    const bad = gradientsOf([Number.NaN, 0]);
    expect(coordinator.addGradients(bad, { childId: 'a', sequence: 1e6 }).status).toBe('refused');
    expect(coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 2 }).status).toBe(
      'applied',
    );
    expect(coordinator.addGradients(bad, { childId: 'a', sequence: 3, epoch: 5 }).status).toBe('refused');
    expect(coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 3 }).status).toBe(
      'applied',
    );
  });

  test('the numbers of a newer session, where it comes from an older one', () => {
    const coordinator = new DistributedGradientsCoordinator({ drive: 'tick', learningRate: 1 });
    coordinator.setModelParameters(parametersOf(0, 0));
    coordinator.addGradients(gradientsOf([Number.NaN, 0]), { childId: 'a', sequence: 1, epoch: 1 });
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 1, epoch: 2 });
    coordinator.tick(1000);
    expect(
      coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 1, epoch: 2 }).status,
    ).toBe('duplicate');
    expect(Array.from(coordinator.getModelParameters().values)).toEqual([-1, 0]);
  });

  test('the optimizer: a gradient whose square overflows is refused', () => {
    const coordinator = new DistributedGradientsCoordinator({ optimizer: 'adam', learningRate: 0.1 });
    coordinator.setModelParameters(parametersOf(0, 0));
    expect(coordinator.addGradients(gradientsOf([1e160, 0])).reason).toBeInstanceOf(NonFiniteError);
    coordinator.addGradients(gradientsOf([1, 0]));
    expect(coordinator.getModelParameters().values[0]).toBeCloseTo(-0.1, 6);
  });

  test('the round of others: rows times gradient must be finite', () => {
    const coordinator = new DistributedGradientsCoordinator({ childrenPerUpdate: 2, learningRate: 1 });
    coordinator.setModelParameters(parametersOf(0, 0));
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'honest' });
    expect(coordinator.addGradients(gradientsOf([1e300, 0], 1e9), { childId: 'b' }).reason).toBeInstanceOf(
      NonFiniteError,
    );
    expect(coordinator.addGradients(gradientsOf([3, 0]), { childId: 'c' }).status).toBe('applied');
    expect(coordinator.getModelParameters().values[0]).toBe(-2);
  });

  test('an update without values is refused', () => {
    const coordinator = new DistributedModelParametersCoordinator();
    expect(coordinator.addModelParameters(ModelParameters.fromArrays({})).reason).toBeInstanceOf(
      MalformedDataError,
    );
    expect(coordinator.version).toBe(0);
  });

  test('an architecture too large to store is refused before it can become main', () => {
    const architecture = { numbers: Array.from({ length: 20_000 }, () => 1e20) };
    expect(() => ModelParameters.fromArrays(arrays, { architecture })).toThrow(LimitExceededError);
  });
});

describe('merges in groups', () => {
  test('main set to another layout ends an open merge, which would never fill', async () => {
    const coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge: 2 });
    const open = coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' });
    coordinator.setMainModelParameters(parametersOf(1, 2, 3));
    await expect(open.committed).rejects.toMatchObject({ code: 'UPDATE_DISCARDED' });
    expect(coordinator.addModelParameters(parametersOf(1, 2, 3), { childId: 'a' }).status).toBe('accepted');
  });

  test('a child that leaves takes along what waits for more children', async () => {
    const merger = new ModelParametersMerger({ mode: 'average' });
    const coordinator = new DistributedModelParametersCoordinator({
      merger: {
        needs: { minimumChildren: 2, sampleCounts: false },
        begin: (context) => merger.begin(context),
        add: (state, child) => merger.add(state, child),
        finish: (state) => merger.finish(state),
      },
    });
    const waiting = coordinator.addModelParameters(parametersOf(100, 100), { childId: 'a' });
    coordinator.removeChild('a');
    await expect(waiting.committed).rejects.toMatchObject({ code: 'UPDATE_DISCARDED' });
  });
});
