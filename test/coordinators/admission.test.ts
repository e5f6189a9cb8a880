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
