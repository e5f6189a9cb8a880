import type { Merger } from 'mainstem';
import {
  DistributedModelParametersCoordinator,
  MemoryStore,
  ModelParameters,
  ModelParametersMerger,
  seededRandom,
} from 'mainstem';
import { afterEach, describe, expect, test } from 'vitest';
import { kernels } from '../../src/kernels/selection.ts';
import { flatLayout } from './helpers.ts';

// Long enough to be kept in the memory of the kernels, and to be merged in several slices.
const length = 300_001;
const layout = flatLayout(length);
const start = kernels.name;
afterEach(() => kernels.select(start));

function childOf(seed: number, dtype: 'float32' | 'float64' = 'float32'): ModelParameters {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length }, () => random.next() - 0.5);
  return new ModelParameters(layout, values, { sampleCount: 10 + seed }).toDataType(dtype);
}

const add = (coordinator: DistributedModelParametersCoordinator, name: string, seed: number): string =>
  coordinator.addModelParameters(childOf(seed), { childId: name }).status;

const mainOf = (coordinator: DistributedModelParametersCoordinator): Float32Array | Float64Array =>
  coordinator.getMainModelParameters().values;

/** What a merger makes of the children by itself, in float64 and rounded to the dtype of the first. */
function merged(seeds: readonly number[]): Float32Array | Float64Array {
  const children = seeds.map((seed) => childOf(seed));
  const wide = children.map((child) => child.toDataType('float64'));
  return new ModelParametersMerger().merge(wide).toDataType('float32').values;
}

function expectSame(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 0): void {
  let largest = 0;
  for (let i = 0; i < length; i++)
    largest = Math.max(largest, Math.abs((got[i] as number) - (wanted[i] as number)));
  expect(largest).toBeLessThanOrEqual(tolerance);
}

describe('parameters that are kept in the memory of the kernels', () => {
  test('merge as parameters in arrays do; a newer set of a child replaces its older one', () => {
    const coordinator = new DistributedModelParametersCoordinator();
    for (const [name, seed] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['b', 4],
    ] as const) {
      expect(add(coordinator, name, seed)).toBe('applied');
    }
    expectSame(mainOf(coordinator), merged([1, 4, 3]));
  });

  test('merge within rounding of the reference kernels, and go on when the kernels are changed', () => {
    const results = kernels.available.map((name) => {
      kernels.select(name);
      const coordinator = new DistributedModelParametersCoordinator();
      for (let seed = 0; seed < 5; seed++) add(coordinator, `child-${seed}`, seed);
      const straight = mainOf(coordinator);
      // Some children are in the pool of the kernels before, and one is not.
      kernels.select('reference');
      add(coordinator, 'child-3', 3);
      expectSame(mainOf(coordinator), straight, 1e-7);
      kernels.select(name);
      add(coordinator, 'child-4', 4);
      expectSame(mainOf(coordinator), straight, 1e-7);
      return straight;
    });
    for (const result of results) expectSame(result, results[0] as Float32Array, 1e-7);
  });

  test('are a copy: a child that goes on writing changes nothing', () => {
    const coordinator = new DistributedModelParametersCoordinator();
    const mine = childOf(1);
    coordinator.addModelParameters(mine, { childId: 'a' });
    mine.values.fill(5);
    add(coordinator, 'b', 2);
    expectSame(mainOf(coordinator), merged([1, 2]));
  });

  test('of a child that leaves in between two slices are part of that merge, and of no later one', () => {
    const coordinator = new DistributedModelParametersCoordinator({ drive: 'tick' });
    for (const [name, seed] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      add(coordinator, name, seed);
      while (!coordinator.tick(0));
    }
    add(coordinator, 'c', 3);
    let isGone = false;
    for (let slices = 0; !coordinator.tick(0); slices++) {
      if (slices < 5 || isGone) continue;
      isGone = coordinator.removeChild('a');
      expect(isGone).toBe(true);
    }
    expect(isGone).toBe(true);
    expectSame(mainOf(coordinator), merged([1, 2, 3]));
    // Takes the slot that was given back.
    add(coordinator, 'd', 4);
    while (!coordinator.tick(0));
    expectSame(mainOf(coordinator), merged([2, 3, 4]));
    coordinator.reset();
    add(coordinator, 'e', 5);
    while (!coordinator.tick(0));
    expectSame(mainOf(coordinator), merged([5]));
  });

  test('stay as they were where a merge fails', () => {
    let isBroken = false;
    const weights = (): number => {
      if (isBroken) throw new Error('no weight today');
      return 1;
    };
    const merger = new ModelParametersMerger({ mode: 'weightedAverage', weights });
    const coordinator = new DistributedModelParametersCoordinator({ merger });
    add(coordinator, 'a', 1);
    add(coordinator, 'b', 2);
    const before = mainOf(coordinator);
    isBroken = true;
    expect(add(coordinator, 'b', 7)).toBe('refused');
    isBroken = false;
    expectSame(mainOf(coordinator), before);
    add(coordinator, 'a', 1);
    expectSame(mainOf(coordinator), before);
  });

  test('are copied out for a merger that takes one child after the other', () => {
    const seen: number[] = [];
    const sum: Merger<Float64Array<ArrayBuffer>> = {
      needs: { minimumChildren: 1, sampleCounts: false },
      begin: () => new Float64Array(length),
      add(state, { parameters }) {
        seen.push(parameters.values[0] as number);
        for (let i = 0; i < length; i++) state[i] = (state[i] as number) + (parameters.values[i] as number);
        parameters.values.fill(9);
      },
      finish: (state) => state,
    };
    const coordinator = new DistributedModelParametersCoordinator({ merger: sum });
    add(coordinator, 'a', 1);
    add(coordinator, 'b', 2);
    expect(seen.slice(1)).toEqual([childOf(1).values[0], childOf(2).values[0]]);
  });

  test('come back from the store', async () => {
    const store = new MemoryStore();
    const first = new DistributedModelParametersCoordinator({ store });
    add(first, 'a', 1);
    const { committed } = first.addModelParameters(childOf(2, 'float64'), { childId: 'b' });
    await committed;
    await first.close();
    const second = new DistributedModelParametersCoordinator({ store });
    await second.restore();
    add(second, 'c', 3);
    expectSame(mainOf(second), merged([1, 2, 3]));
  });
});
