import { describe, expect, it } from 'vitest';
import { andThen, inSlices, inSteps, isSteps, runSteps, slices, valuesPerSlice } from '../src/steps.ts';

function* counting(steps: number, log: number[]): Generator<undefined, string> {
  for (let i = 0; i < steps; i++) {
    log.push(i);
    yield;
  }
  return 'done';
}

describe('runSteps', () => {
  it('gives back what is no generator', () => {
    for (const value of [5, null, undefined, 'a', { next: 3 }]) expect(runSteps(value)).toBe(value);
  });

  it('does all the work of a generator', () => {
    const log: number[] = [];
    expect(runSteps(counting(3, log))).toBe('done');
    expect(log).toEqual([0, 1, 2]);
  });

  it('throws what the work throws', () => {
    const failing = function* (): Generator<undefined, void> {
      yield;
      throw new RangeError('mine');
    };
    expect(() => runSteps(failing())).toThrow(RangeError);
  });
});

describe('inSteps', () => {
  it('pauses where the work pauses', () => {
    const log: number[] = [];
    const steps = inSteps(counting(2, log));
    expect(steps.next()).toEqual({ done: false, value: undefined });
    expect(log).toEqual([0]);
    expect(steps.next().done).toBe(false);
    expect(steps.next()).toEqual({ done: true, value: 'done' });
  });

  it('ends at once where there is nothing to do', () => {
    expect(inSteps('ready').next()).toEqual({ done: true, value: 'ready' });
  });
});

describe('inSlices', () => {
  function slices(length: number): { ranges: number[][]; pauses: number } {
    const ranges: number[][] = [];
    const work = inSlices(length, (start, end) => {
      ranges.push([start, end]);
    });
    let pauses = 0;
    while (work.next().done !== true) pauses++;
    return { ranges, pauses };
  }

  it('covers every value once, pausing in between only', () => {
    const n = valuesPerSlice;
    expect(slices(0)).toEqual({ ranges: [], pauses: 0 });
    expect(slices(1)).toEqual({ ranges: [[0, 1]], pauses: 0 });
    expect(slices(n)).toEqual({ ranges: [[0, n]], pauses: 0 });
    expect(slices(n + 1)).toEqual({
      ranges: [
        [0, n],
        [n, n + 1],
      ],
      pauses: 1,
    });
    expect(slices(3 * n)).toEqual({
      ranges: [
        [0, n],
        [n, 2 * n],
        [2 * n, 3 * n],
      ],
      pauses: 2,
    });
  });

  it('does one slice for each call', () => {
    const done: number[] = [];
    const work = inSlices(2 * valuesPerSlice, (start) => {
      done.push(start);
    });
    expect(done).toEqual([]);
    work.next();
    expect(done).toEqual([0]);
    work.next();
    expect(done).toEqual([0, valuesPerSlice]);
  });
});

it('one slice is worked on at once, more of them as in slices', () => {
  for (const length of [0, 1, valuesPerSlice, valuesPerSlice + 1, 3 * valuesPerSlice]) {
    const [straight, sliced]: [number[][], number[][]] = [[], []];
    const work = slices(length, (start, end) => straight.push([start, end]));
    expect(isSteps(work)).toBe(length > valuesPerSlice);
    runSteps(work);
    runSteps(inSlices(length, (start, end) => sliced.push([start, end])));
    expect(straight).toEqual(sliced);
  }
});

it('what follows work comes at once where the work does, and is handed its result', () => {
  const later = function* (value: number): Generator<undefined, number> {
    yield;
    return value;
  };
  expect(andThen(1, (value) => value + 1)).toBe(2);
  for (const steps of [
    andThen(later(1), (value) => value + 1),
    andThen(1, (value) => later(value + 1)),
    andThen(later(1), (value) => later(value + 1)),
  ]) {
    expect(isSteps(steps)).toBe(true);
    expect(runSteps(steps)).toBe(2);
  }
});
