import type { Category } from '../categories.ts';
import { isCategory } from '../categories.ts';
import { InvalidDataError, LimitExceededError } from '../errors.ts';
import { tableLimits } from '../limits.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues, findNonFinite } from '../parameters/values.ts';
import { show } from '../show.ts';

/** Rows of numbers; text only in columns that a OneHotEncoder takes. */
export type RowArrays = readonly (readonly Category[] | Float32Array | Float64Array)[];

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

/** Raw rows × columns: nested arrays, a typed matrix, or a mathjs matrix. */
export type TableRows = RowArrays | TypedMatrix | ArrayConvertible;

/** A checked table: rectangular, with at least one row and one column. */
export interface Table {
  readonly rows: number;
  readonly columns: number;
  /** Row-major and finite. Text counts 0 here. */
  readonly numbers: Values;
  /** The cells of each categorical column, one a row. */
  readonly cells: ReadonlyMap<number, readonly Category[]>;
}

/** Where a table is read: what is expected of it, and what messages call it. */
export interface TableExpectation {
  /** Columns that may hold text; none unless given. */
  readonly categorical?: ReadonlySet<number>;
  /** How many columns there must be. */
  readonly columns?: number | undefined;
  /** How many there may be. */
  readonly columnsMax?: number;
  /** `'float64'` unless given, in which timestamps keep their digits. */
  readonly dtype?: DataType;
  readonly what?: string;
  /** Whether numbers that are not finite are refused; true unless given. Where it is false the caller has to look. */
  readonly areNumbersChecked?: boolean;
}

/** An expectation with its defaults. */
type Expected = Required<Pick<TableExpectation, 'categorical' | 'dtype' | 'what' | 'areNumbersChecked'>>;

// Shared by all tables without text: predictions of one row make no others.
const noColumns: ReadonlySet<number> = new Set();
const noCells: ReadonlyMap<number, Category[]> = new Map();

/**
 * Checks and converts a table. Throws InvalidDataError naming row and column of what is wrong, LimitExceededError
 * for too many columns. Numbers of a typed matrix of the wanted dtype are not copied.
 */
export function readTable(source: TableRows, expectation: TableExpectation = {}): Table {
  const { categorical = noColumns, dtype = 'float64', what = 'features' } = expectation;
  const { areNumbersChecked = true, columns, columnsMax = Number.POSITIVE_INFINITY } = expectation;
  const expected: Expected = { categorical, dtype, what, areNumbersChecked };
  const table = isTyped(source)
    ? fromTyped(source, expected)
    : fromRows(rowsOf(source, what), expected, columnsMax);
  if (table.columns > columnsMax) throw tooManyColumns(table.columns, columnsMax, what);
  // Finite before, and beyond the dtype now.
  const isChecked = !areNumbersChecked || (isTyped(source) && table.numbers === source.data);
  const bad = isChecked ? -1 : findNonFinite(table.numbers);
  if (bad >= 0) {
    const [row, column] = [Math.floor(bad / table.columns), bad % table.columns];
    throw new InvalidDataError(
      `${what} have ${table.numbers[bad]} at row ${row}, column ${column}, expected finite numbers (in ${dtype}: magnitudes below 3.4e38)`,
    );
  }
  if (columns !== undefined && table.columns !== columns) {
    throw new InvalidDataError(`${what} have ${table.columns} columns, expected ${columns}`);
  }
  return table;
}

/** Whether a matrix comes as one typed array. */
export function isTyped(source: TableRows): source is TypedMatrix {
  return typeof source === 'object' && source !== null && 'data' in source && 'rows' in source;
}

/** Whether numbers are of a type already. */
export function hasType(data: TypedMatrix['data'], dtype: DataType): data is Values {
  return dtype === 'float32' ? data instanceof Float32Array : data instanceof Float64Array;
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

/** A typed matrix of legal shape, in an object of our own; its numbers are not looked at. Throws InvalidDataError. */
export function checkTypedMatrix({ data, rows, columns }: TypedMatrix, what: string): TypedMatrix {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new InvalidDataError(`${what} have ${show(data)} as data, expected a Float32Array or Float64Array`);
  }
  const legal = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows > 0 && columns > 0;
  if (!legal || data.length !== rows * columns) {
    throw new InvalidDataError(
      `${what} are ${show(rows)} × ${show(columns)} with ${data.length} values, expected at least 1 × 1 and rows · columns values`,
    );
  }
  return { data, rows, columns };
}

function fromTyped(source: TypedMatrix, expected: Expected): Table {
  const { categorical, dtype, what, areNumbersChecked } = expected;
  const { data, rows, columns } = checkTypedMatrix(source, what);
  const bad = areNumbersChecked ? findNonFinite(data) : -1;
  if (bad >= 0) throw wrongCell(data[bad], Math.floor(bad / columns), bad % columns, what, categorical);
  const fits = hasType(data, dtype);
  const numbers = fits ? data : createValues(dtype, data.length);
  if (!fits) numbers.set(data);
  if (categorical.size === 0) return { rows, columns, numbers, cells: noCells };
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

function fromRows(
  source: readonly unknown[],
  { categorical, dtype, what }: Expected,
  columnsMax: number,
): Table {
  const [first] = source;
  if (source.length === 0) throw new InvalidDataError(`${what} are empty, expected at least one row`);
  if (typeof first === 'number' || typeof first === 'string') {
    throw new InvalidDataError(
      `${what} are a flat list, with ${show(first)} as row 0, expected rows × columns: [[${show(first)}], …]`,
    );
  }
  const columns = rowAt(source, 0, what).length;
  if (columns === 0) throw new InvalidDataError(`${what} have rows without columns`);
  // Before anything is allocated for them.
  if (columns > columnsMax) throw tooManyColumns(columns, columnsMax, what);
  const numbers = createValues(dtype, source.length * columns);
  const cells = categorical.size === 0 ? noCells : new Map<number, Category[]>();
  for (const column of categorical) if (column < columns) (cells as Map<number, Category[]>).set(column, []);
  for (let index = 0; index < source.length; index++) {
    const row = rowAt(source, index, what);
    if (row.length !== columns) {
      throw new InvalidDataError(
        `${what} are ragged: row ${index} has ${row.length} columns, row 0 has ${columns}`,
      );
    }
    const wrong =
      cells === noCells
        ? copyNumbers(row, numbers, index * columns)
        : copyCells(row, numbers, index * columns, cells);
    if (wrong >= 0) throw wrongCell(row[wrong], index, wrong, what, categorical);
  }
  return { rows: source.length, columns, numbers, cells };
}

/** Copies a row of numbers; returns the column of one that is no finite number, else −1. */
function copyNumbers(row: ArrayLike<unknown>, numbers: Values, at: number): number {
  for (let column = 0; column < row.length; column++) {
    const value = row[column];
    // x − x is 0 for every finite x and NaN for the others.
    if (typeof value !== 'number' || value - value !== 0) return column;
    numbers[at + column] = value;
  }
  return -1;
}

/** The same for a row with text among its cells, which are kept as they are. */
function copyCells(
  row: ArrayLike<unknown>,
  numbers: Values,
  at: number,
  cells: ReadonlyMap<number, Category[]>,
): number {
  for (let column = 0; column < row.length; column++) {
    const value = row[column];
    const list = cells.get(column);
    if (list === undefined ? !Number.isFinite(value) : !isCategory(value)) return column;
    if (typeof value === 'number') numbers[at + column] = value;
    list?.push(value as Category);
  }
  return -1;
}

function rowAt(source: readonly unknown[], index: number, what: string): ArrayLike<unknown> {
  const row = source[index];
  if (Array.isArray(row) || row instanceof Float32Array || row instanceof Float64Array) return row;
  throw new InvalidDataError(`${what} have ${show(row)} as row ${index}, expected a list of cells`);
}

function tooManyColumns(columns: number, columnsMax: number, what: string): LimitExceededError {
  return new LimitExceededError(`${what} have ${columns} columns, expected at most ${columnsMax}`);
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
      ? what === 'labels'
        ? 'a finite number: for classes use LogisticRegression, or a network that ends in softmax'
        : 'a finite number: text may be in categorical columns only, which a OneHotEncoder takes'
      : 'a finite number';
  return new InvalidDataError(
    `${what} have ${show(value)} at row ${row}, column ${column}, expected ${expected}`,
  );
}
