import { InvalidDataError } from '../../errors.ts';
import type { Features, Matrix } from '../features.ts';
import { readMatrix } from '../features.ts';
import type { Numbers } from './families/Distribution.ts';

/** Rows of numbers, with a column of ones before them where wanted. Throws InvalidDataError. */
export function readRows(features: Features, fitIntercept: boolean): Matrix & { readonly data: Numbers } {
  const matrix = readMatrix(features, 'float64');
  const { data, rows } = matrix;
  // Of its own: the sites are made from these numbers, and go on with them.
  if (!fitIntercept) return { ...matrix, data: Float64Array.from(data) };
  const columns = matrix.columns + 1;
  const whole = new Float64Array(rows * columns).fill(1);
  for (let row = 0; row < rows; row++)
    whole.set(data.subarray(row * matrix.columns, (row + 1) * matrix.columns), row * columns + 1);
  return { data: whole, rows, columns };
}

/** Throws InvalidDataError unless there are so many columns. */
export function requireColumns(columns: number, weights: number): void {
  if (columns !== weights)
    throw new InvalidDataError(`features have ${columns} columns, the weights are ${weights}`);
}
