import { describe, expect, it } from 'vitest';
import { erf, erfc } from '../../src/kernels/erf.ts';

// x, erf(x), erfc(x), from the C library.
const table: readonly (readonly [number, number, number])[] = [
  [1e-10, 1.1283791670955126e-10, 0.999999999887162],
  [0.1, 0.1124629160182849, 0.8875370839817152],
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [0.99, 0.8385080695553698, 0.1614919304446302],
  [1, 0.8427007929497149, 0.15729920705028513],
  [1.5, 0.9661051464753108, 0.033894853524689274],
  [2, 0.9953222650189527, 0.004677734981047265],
  [3, 0.9999779095030014, 2.2090496998585438e-5],
  [5, 0.9999999999984626, 1.5374597944280351e-12],
  [8, 1, 1.1224297172982928e-29],
];

describe.each(table)('at %d', (x, wanted, complement) => {
  it('erf and erfc are right to the last digits', () => {
    expect(Math.abs(erf(x) - wanted)).toBeLessThan(1e-15);
    expect(erf(-x)).toBe(-erf(x));
    expect(Math.abs(erfc(x) / complement - 1)).toBeLessThan(1e-14);
    expect(Math.abs(erfc(-x) - (2 - complement))).toBeLessThan(1e-15);
  });
});

it('the derivative is 2/√π e^{−x²}, also across the places where the formula changes', () => {
  for (let x = -7; x <= 7; x += 0.0625) {
    const d = 1e-3;
    const slope = (8 * (erf(x + d) - erf(x - d)) - (erf(x + 2 * d) - erf(x - 2 * d))) / (12 * d);
    expect(Math.abs(slope - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x))).toBeLessThan(3e-12);
  }
});

it('ends at 0, ±1 and 2, and passes NaN on', () => {
  expect([erf(0), erf(1e300), erf(-Infinity)]).toEqual([0, 1, -1]);
  expect([erfc(0), erfc(1e300), erfc(-Infinity)]).toEqual([1, 0, 2]);
  expect([erf(Number.NaN), erfc(Number.NaN)]).toEqual([Number.NaN, Number.NaN]);
});
