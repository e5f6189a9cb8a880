import type { DataType, Values } from '../parameters/values.ts';
import type { TableRows } from '../preprocessing/table.ts';
import { readTable } from '../preprocessing/table.ts';

/** rows × columns: nested arrays, a typed matrix, or a mathjs matrix. */
export type Features = TableRows;

/** A checked matrix: finite, rectangular, with at least one row and one column. */
export interface Matrix {
  readonly data: Values;
  readonly rows: number;
  readonly columns: number;
}

/** Checks and converts features. Throws InvalidDataError saying which row is wrong. `what` names them in messages. */
export function readMatrix(source: Features, dtype: DataType, what = 'features'): Matrix {
  const { numbers: data, rows, columns } = readTable(source, { dtype, what });
  return { data, rows, columns };
}

/** Rows of plain arrays from a row-major typed array. */
export function toRows(values: ArrayLike<number>, rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => values[row * columns + column] as number),
  );
}
