import type { Category } from '../categories.ts';
import { isCategory } from '../categories.ts';
import { InvalidDataError, LimitExceededError } from '../errors.ts';
import { tableLimits } from '../limits.ts';
import { findNonFinite } from '../parameters/values.ts';
import { show } from '../show.ts';

/**
 * Raw rows × columns: nested arrays of numbers and, in categorical columns, strings; a typed matrix, row-major; or
 * anything with a `toArray()` that gives rows, such as a mathjs matrix.
 */
export type TableRows =
  | readonly (readonly Category[] | Float32Array | Float64Array)[]
  | { readonly data: Float32Array | Float64Array; readonly rows: number; readonly columns: number }
  | { toArray(): unknown };

/** A checked table: rectangular, with at least one row and one column. */
export interface Table {
  readonly rows: number;
  readonly columns: number;
  /** Row-major and finite, in float64 so that timestamps keep their digits. Text counts 0 here. */
  readonly numbers: Float64Array;
  /** The cells of each categorical column, one a row. */
  readonly cells: ReadonlyMap<number, readonly Category[]>;
}

/** Where a table is read: which columns may hold text, how many there must be, and what messages call it. */
export interface TableExpectation {
  readonly categorical?: ReadonlySet<number>;
  readonly columns?: number | undefined;
  readonly what?: string;
}

/**
 * Checks and converts a table. Throws InvalidDataError naming row and column of what is wrong, LimitExceededError
 * for too many columns. Numbers of a float64 matrix are not copied.
 */
export function readTable(source: TableRows, expectation: TableExpectation = {}): Table {
  const { categorical = new Set<number>(), columns, what = 'features' } = expectation;
  const table = isTyped(source)
    ? fromTyped(source, categorical, what)
    : fromRows(rowsOf(source, what), categorical, what);
  if (columns !== undefined && table.columns !== columns) {
    throw new InvalidDataError(`${what} have ${table.columns} columns, expected ${columns}`);
  }
  return table;
}

function isTyped(source: TableRows): source is Extract<TableRows, { data: unknown }> {
  return typeof source === 'object' && source !== null && 'data' in source && 'rows' in source;
}

function rowsOf(source: TableRows, what: string): readonly unknown[] {
  if (Array.isArray(source)) return source;
  const convert = (source as { toArray?: unknown } | null)?.toArray;
  if (typeof convert === 'function') {
    const rows: unknown = (source as { toArray(): unknown }).toArray();
    if (Array.isArray(rows)) return rows;
  }
  throw new InvalidDataError(
    `${what} are ${source === null ? 'null' : typeof source}, expected rows × columns: nested arrays, { data, rows, columns } or a matrix with toArray()`,
  );
}

function fromTyped(
  { data, rows, columns }: Extract<TableRows, { data: unknown }>,
  categorical: ReadonlySet<number>,
  what: string,
): Table {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new InvalidDataError(`${what} have ${show(data)} as data, expected a Float32Array or Float64Array`);
  }
  const legal = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows > 0 && columns > 0;
  if (!legal || data.length !== rows * columns) {
    throw new InvalidDataError(
      `${what} are ${show(rows)} × ${show(columns)} with ${data.length} values, expected at least 1 × 1 and rows · columns values`,
    );
  }
  checkColumnCount(columns, what);
  const bad = findNonFinite(data);
  if (bad >= 0) throw wrongCell(data[bad], Math.floor(bad / columns), bad % columns, what, categorical);
  const numbers = data instanceof Float64Array ? data : Float64Array.from(data);
  const cells = new Map<number, Category[]>();
  for (const column of categorical) {
    if (column >= columns) continue;
    cells.set(
      column,
      Array.from({ length: rows }, (_, row) => data[row * columns + column] as number),
    );
  }
  return { rows, columns, numbers, cells };
}

function fromRows(source: readonly unknown[], categorical: ReadonlySet<number>, what: string): Table {
  const [first] = source;
  if (source.length === 0) throw new InvalidDataError(`${what} are empty, expected at least one row`);
  if (typeof first === 'number' || typeof first === 'string') {
    throw new InvalidDataError(`${what} are a flat list, expected rows × columns: [[${show(first)}], …]`);
  }
  const columns = rowAt(source, 0, what).length;
  if (columns === 0) throw new InvalidDataError(`${what} have rows without columns`);
  checkColumnCount(columns, what);
  const numbers = new Float64Array(source.length * columns);
  const cells = new Map<number, Category[]>();
  for (const column of categorical) if (column < columns) cells.set(column, []);
  for (let index = 0; index < source.length; index++) {
    const row = rowAt(source, index, what);
    if (row.length !== columns) {
      throw new InvalidDataError(
        `${what} are ragged: row ${index} has ${row.length} columns, row 0 has ${columns}`,
      );
    }
    for (let column = 0; column < columns; column++) {
      const value = row[column];
      const list = cells.get(column);
      if (list === undefined ? !Number.isFinite(value) : !isCategory(value))
        throw wrongCell(value, index, column, what, categorical);
      if (typeof value === 'number') numbers[index * columns + column] = value;
      list?.push(value as Category);
    }
  }
  return { rows: source.length, columns, numbers, cells };
}

function rowAt(source: readonly unknown[], index: number, what: string): ArrayLike<unknown> {
  const row = source[index];
  if (Array.isArray(row) || row instanceof Float32Array || row instanceof Float64Array) return row;
  throw new InvalidDataError(`${what} have ${show(row)} as row ${index}, expected a list of cells`);
}

function checkColumnCount(columns: number, what: string): void {
  if (columns > tableLimits.columnsMax) {
    throw new LimitExceededError(
      `${what} have ${columns} columns, expected at most ${tableLimits.columnsMax}`,
    );
  }
}

function wrongCell(
  value: unknown,
  row: number,
  column: number,
  what: string,
  categorical: ReadonlySet<number>,
): InvalidDataError {
  const expected = categorical.has(column)
    ? `a finite number or a text of at most ${tableLimits.textLengthMax} characters`
    : typeof value === 'string'
      ? 'a finite number: text may be in categorical columns only, which a OneHotEncoder takes'
      : 'a finite number';
  return new InvalidDataError(
    `${what} have ${show(value)} at row ${row}, column ${column}, expected ${expected}`,
  );
}
