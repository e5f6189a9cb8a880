import { describe, expect, it } from 'vitest';
import { addColumnSums, fillRows } from '../../src/kernels/rows.ts';

describe('fillRows', () => {
  it('repeats a row from its offset and writes nowhere else', () => {
    const target = new Float64Array(8).fill(7);
    fillRows(target, 3, 2, Float32Array.of(9, 1, 2, 9), 1);
    expect([...target]).toEqual([1, 2, 1, 2, 1, 2, 7, 7]);
  });

  it('fills with zeros where there is no row', () => {
    const target = new Float32Array(5).fill(7);
    fillRows(target, 2, 2, undefined, -1);
    expect([...target]).toEqual([0, 0, 0, 0, 7]);
  });
});

it('addColumnSums adds to what is there, from its offset', () => {
  const target = Float64Array.of(1, 10, 20, 1);
  addColumnSums(target, 1, Float32Array.of(1, 2, 3, 4, 5, 6, 99), 3, 2);
  expect([...target]).toEqual([1, 19, 32, 1]);
  addColumnSums(target, 1, new Float32Array(0), 0, 2);
  expect([...target]).toEqual([1, 19, 32, 1]);
});
