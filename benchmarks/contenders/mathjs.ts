// mathjs: matrices as nested arrays of any numbers. It is made for expressions, not for training; one row shows it.
import type { Contender } from '../harness.ts';
import type { Rows } from './data.ts';
import { assertClose } from './data.ts';
import { loadPeer } from './load.ts';

/** The little that is used here: nested arrays in, nested arrays out. */
export interface Mathjs {
  multiply(a: number[][] | number, b: number[] | number[][]): number[];
  subtract(a: number[], b: number[]): number[];
  add(a: number[], b: number): number[];
  sum(a: number[]): number;
  transpose(a: number[][]): number[][];
}

const name = 'mathjs';

/** Undefined where it is not installed. */
export function loadMathjs(): Mathjs | undefined {
  return loadPeer<Mathjs>(name);
}

/** Linear regression, full batch, no costs. Few iterations a run, since each takes long. */
export function mathjsDescent(
  mathjs: Mathjs,
  { features, labels }: Rows<Float64Array>,
  iterations: number,
  rate: number,
  expected: ArrayLike<number>,
): Contender {
  const { data, rows, columns } = features;
  const x = Array.from({ length: rows }, (_, row) => [...data.subarray(row * columns, (row + 1) * columns)]);
  const transposed = mathjs.transpose(x);
  const y = [...labels];
  const factor = (2 * rate) / rows;
  const descend = (count: number): number[] => {
    let weights = new Array<number>(columns).fill(0);
    let bias = 0;
    for (let i = 0; i < count; i++) {
      const residual = mathjs.subtract(mathjs.add(mathjs.multiply(x, weights), bias), y);
      weights = mathjs.subtract(weights, mathjs.multiply(factor, mathjs.multiply(transposed, residual)));
      bias -= factor * mathjs.sum(residual);
    }
    return [...weights, bias];
  };
  assertClose(name, descend(iterations), expected, 1e-9);
  const units = 5;
  return { name, units, run: () => descend(units) };
}
