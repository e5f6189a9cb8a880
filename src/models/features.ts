import { InvalidDataError } from '../errors.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues, findNonFinite } from '../parameters/values.ts';
import { show } from '../show.ts';

/** Rows of numbers; text only in columns that a OneHotEncoder takes. */
export type RowArrays = readonly (readonly (number | string)[] | Float32Array | Float64Array)[];

/** A row-major matrix over a typed array, taken as it is: nothing is copied where the dtype fits. */
export interface TypedMatrix {
  readonly data: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Anything with a `toArray()` that gives rows of numbers, such as a mathjs matrix. */
export interface ArrayConvertible {
  toArray(): unknown;
}

/** rows × columns: nested arrays, a typed matrix, or a mathjs matrix. */
export type Features = RowArrays | TypedMatrix | ArrayConvertible;

/** A checked matrix: finite, rectangular, with at least one row and one column. */
export interface Matrix {
  readonly data: Values;
  readonly rows: number;
  readonly columns: number;
}

/** Checks and converts features. Throws InvalidDataError saying which row is wrong. `what` names them in messages. */
export function readMatrix(source: Features, dtype: DataType, what = 'features'): Matrix {
  const matrix = isTypedMatrix(source)
    ? fromTyped(source, dtype, what)
    : fromRows(rowsOf(source, what), dtype, what);
  const bad = findNonFinite(matrix.data);
  if (bad >= 0) {
    const row = Math.floor(bad / matrix.columns);
    throw new InvalidDataError(
      `${what} have ${matrix.data[bad]} at row ${row}, column ${bad % matrix.columns}, expected finite numbers` +
        (dtype === 'float32' ? ' (in float32: magnitudes below 3.4e38)' : ''),
    );
  }
  return matrix;
}

function isTypedMatrix(source: Features): source is TypedMatrix {
  return typeof source === 'object' && source !== null && 'data' in source && 'rows' in source;
}

function rowsOf(source: Features, what: string): RowArrays {
  if (Array.isArray(source)) return source;
  const convert = (source as Partial<ArrayConvertible> | null)?.toArray;
  if (typeof convert === 'function') {
    const rows = (source as ArrayConvertible).toArray();
    if (Array.isArray(rows)) return rows;
  }
  throw new InvalidDataError(
    `${what} are ${source === null ? 'null' : typeof source}, expected rows × columns: nested arrays, { data, rows, columns } or a matrix with toArray()`,
  );
}

function fromTyped({ data, rows, columns }: TypedMatrix, dtype: DataType, what: string): Matrix {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new InvalidDataError(`${what} have ${show(data)} as data, expected a Float32Array or Float64Array`);
  }
  const legal = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows > 0 && columns > 0;
  if (!legal || data.length !== rows * columns) {
    throw new InvalidDataError(
      `${what} are ${rows} × ${columns} with ${data.length} values, expected at least 1 × 1 and rows · columns values`,
    );
  }
  const fits = dtype === 'float32' ? data instanceof Float32Array : data instanceof Float64Array;
  if (fits) return { data: data as Values, rows, columns };
  const converted = createValues(dtype, data.length);
  converted.set(data);
  return { data: converted, rows, columns };
}

function fromRows(source: RowArrays, dtype: DataType, what: string): Matrix {
  const first: unknown = source[0];
  if (source.length === 0) throw new InvalidDataError(`${what} are empty, expected at least one row`);
  if (typeof first === 'number') {
    throw new InvalidDataError(`${what} are a flat list, expected rows × columns: [[${first}], …]`);
  }
  if (!isRow(first))
    throw new InvalidDataError(`${what} have ${show(first)} as row 0, expected a list of numbers`);
  const columns = first.length;
  if (columns === 0) throw new InvalidDataError(`${what} have rows without columns`);
  const data = createValues(dtype, source.length * columns);
  source.forEach((row, index) => {
    if (!isRow(row))
      throw new InvalidDataError(`${what} have ${show(row)} as row ${index}, expected a list of numbers`);
    if (row.length !== columns) {
      throw new InvalidDataError(
        `${what} are ragged: row ${index} has ${row.length} columns, row 0 has ${columns}`,
      );
    }
    for (let column = 0; column < columns; column++) {
      const value = row[column] as unknown;
      if (typeof value !== 'number') {
        throw new InvalidDataError(
          `${what} have ${show(value)} at row ${index}, column ${column}, expected a number`,
        );
      }
      data[index * columns + column] = value;
    }
  });
  return { data, rows: source.length, columns };
}

function isRow(row: unknown): row is ArrayLike<unknown> {
  return Array.isArray(row) || row instanceof Float32Array || row instanceof Float64Array;
}

/** Rows of plain arrays from a row-major typed array. */
export function toRows(values: ArrayLike<number>, rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => values[row * columns + column] as number),
  );
}
