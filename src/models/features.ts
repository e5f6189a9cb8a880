import type { DataType, Values } from '../parameters/values.ts';
import type { TableRows } from '../preprocessing/table.ts';
import { checkTypedMatrix, hasType, isTyped, readTable } from '../preprocessing/table.ts';

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

/** The same without a look at whether numbers are finite in this dtype: the caller sees to that. */
export function readUncheckedMatrix(source: Features, dtype: DataType): Matrix {
  if (isTyped(source) && hasType(source.data, dtype)) {
    // The way of predictions of one row, where a table would cost as much as a layer.
    return checkTypedMatrix(source, 'features') as Matrix;
  }
  const { numbers: data, rows, columns } = readTable(source, { dtype, areNumbersChecked: false });
  return { data, rows, columns };
}

/** Rows of plain arrays from a row-major typed array. */
export function toRows(values: ArrayLike<number>, rows: number, columns: number): number[][] {
  const table: number[][] = [];
  let at = 0;
  for (let i = 0; i < rows; i++) {
    const row: number[] = [];
    for (let j = 0; j < columns; j++) row.push(values[at++] as number);
    table.push(row);
  }
  return table;
}
