import { InvalidDataError, InvalidOptionError, LimitExceededError } from '../errors.ts';
import type { Moments } from '../kernels/moments.ts';
import { addRows, combineMoments, copyMoments, createMoments } from '../kernels/moments.ts';
import type { ColumnMomentsJson } from '../kernels/momentsJson.ts';
import { columnMomentsToJson, isFiniteColumn, readColumnMoments } from '../kernels/momentsJson.ts';
import { tableLimits } from '../limits.ts';
import { show } from '../show.ts';
import { requireAscending, requireFormat, requireList, requireWhole } from '../strictJson.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { CategoryCountsJson } from './CategoryCounts.ts';
import { CategoryCounts } from './CategoryCounts.ts';
import { checkColumns } from './options.ts';
import type { TableRows } from './table.ts';
import { readTable } from './table.ts';

const brand = Symbol.for('mainstem.FeatureStatistics');
const format = 'mainstem/feature-statistics@1';

/** Options of FeatureStatistics. */
export interface FeatureStatisticsOptions {
  /** Columns whose categories are counted, in any order; none unless given. Only these may hold text. */
  categorical?: readonly number[];
}

/** What is known of one column of numbers. `deviation` is that of the population: the mean square, not n − 1. */
export interface NumberColumn {
  readonly mean: number;
  readonly deviation: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** What is known of one categorical column: its categories, sorted, and the rows of each. */
export type CategoryColumn = CategoryCountsJson;

/** The JSON form of FeatureStatistics. */
export interface FeatureStatisticsJson {
  readonly format: string;
  readonly categorical: readonly number[];
  readonly rows: number;
  /** One entry a column; empty without rows. */
  readonly columns: readonly (ColumnMomentsJson | CategoryCountsJson)[];
}

/**
 * Statistics of the raw columns of a table, kept in sums that combine exactly: those of the children, merged in any
 * order, equal those of all their rows. One exchange of them fits every scaler and encoder.
 */
export class FeatureStatistics {
  readonly #categorical: ReadonlySet<number>;
  #moments: Moments | undefined;
  #categories: ReadonlyMap<number, CategoryCounts> = new Map();

  constructor(options: FeatureStatisticsOptions = {}) {
    Object.defineProperty(this, brand, { value: true });
    refuseUnknownOptions(options, ['categorical'], 'feature statistics');
    this.#categorical = new Set(checkColumns(options.categorical ?? [], 'categorical'));
  }

  /** True for FeatureStatistics, also of another copy of the package. */
  static isFeatureStatistics(value: unknown): value is FeatureStatistics {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Rows that were added. */
  get rows(): number {
    return this.#moments?.rows ?? 0;
  }

  /** Columns of the rows; undefined before there were any. */
  get columns(): number | undefined {
    return this.#moments?.mean.length;
  }

  /** The categorical columns, ascending. */
  get categorical(): number[] {
    return [...this.#categorical];
  }

  /**
   * Adds rows; call it as often as there are batches. An empty list adds nothing. Throws InvalidDataError or
   * LimitExceededError, and then nothing has changed.
   */
  add(rows: TableRows): this {
    if (Array.isArray(rows) && rows.length === 0) return this;
    const { columnsMax } = tableLimits;
    const table = readTable(rows, { categorical: this.#categorical, columns: this.columns, columnsMax });
    for (const column of this.#categorical)
      if (column >= table.columns) throw noSuchColumn(column, table.columns);
    const moments = this.#moments === undefined ? createMoments(table.columns) : copyMoments(this.#moments);
    addRows(moments, table.numbers, table.rows);
    const categories = this.#copyCategories();
    for (const [column, cells] of table.cells) {
      const counts = categories.get(column);
      for (const cell of cells) counts?.add(cell);
    }
    this.#replace(moments, categories);
    return this;
  }

  /**
   * New statistics of the rows of both; neither changes. Throws InvalidDataError where columns are not as many or
   * not of the same kinds.
   */
  merge(given: FeatureStatistics): FeatureStatistics {
    if (!FeatureStatistics.isFeatureStatistics(given)) {
      throw new InvalidDataError(
        `got ${show(given)} to merge, expected FeatureStatistics; FeatureStatistics.fromJSON reads their JSON`,
      );
    }
    // Private sums do not cross the border to another copy of the package; JSON does.
    const other =
      #moments in given ? given : FeatureStatistics.fromJSON((given as FeatureStatistics).toJSON());
    if (other.categorical.join() !== this.categorical.join()) {
      throw new InvalidDataError(
        `categorical columns are ${show(other.categorical)} in one and ${show(this.categorical)} in the other statistics, expected the same`,
      );
    }
    const merged = new FeatureStatistics({ categorical: this.categorical });
    const [first, second] = [this.#moments, other.#moments];
    if (first !== undefined && second !== undefined && first.mean.length !== second.mean.length) {
      throw new InvalidDataError(
        `statistics are of ${second.mean.length} and of ${first.mean.length} columns, expected as many`,
      );
    }
    const some = first ?? second;
    if (some === undefined) return merged;
    const moments = createMoments(some.mean.length);
    const categories = this.#copyCategories();
    if (first !== undefined) combineMoments(moments, first);
    if (second !== undefined) combineMoments(moments, second);
    for (const [column, counts] of other.#categories) categories.get(column)?.addAll(counts);
    merged.#replace(moments, categories);
    return merged;
  }

  /** One column: numbers, or categories where it is categorical. Throws InvalidOptionError for an unknown one. */
  column(index: number): NumberColumn | CategoryColumn {
    const moments = this.#moments;
    if (moments === undefined || !Number.isSafeInteger(index) || index < 0 || index >= moments.mean.length) {
      throw new InvalidOptionError(
        `there is no column ${show(index)} in statistics of ${this.columns ?? 0} columns`,
      );
    }
    const counts = this.#categories.get(index);
    if (counts !== undefined) return counts.toJSON();
    return {
      mean: moments.mean[index] as number,
      deviation: Math.sqrt((moments.squares[index] as number) / moments.rows),
      minimum: moments.minimum[index] as number,
      maximum: moments.maximum[index] as number,
    };
  }

  /** Plain JSON, the same for the same statistics. */
  toJSON(): FeatureStatisticsJson {
    const moments = this.#moments;
    const columns = Array.from(
      { length: this.columns ?? 0 },
      (_, column) =>
        this.#categories.get(column)?.toJSON() ?? columnMomentsToJson(moments as Moments, column),
    );
    return { format, categorical: this.categorical, rows: this.rows, columns };
  }

  /** Reads what `toJSON` wrote, parsed, from anybody. Throws MalformedDataError. */
  static fromJSON(json: unknown): FeatureStatistics {
    const form = requireFormat(json, format);
    const categorical = requireAscending(form.categorical, 'categorical', 0, tableLimits.columnsMax - 1);
    const read = new FeatureStatistics({ categorical });
    const rows = requireWhole(form.rows, 'rows', 0, tableLimits.rowsMax);
    const list = requireList(form.columns, 'columns', { lengthMax: rows === 0 ? 0 : tableLimits.columnsMax });
    if (rows === 0) return read;
    requireWhole(
      list.length,
      'number of columns',
      Math.max(1, (categorical.at(-1) ?? 0) + 1),
      tableLimits.columnsMax,
    );
    const moments = createMoments(list.length);
    moments.rows = rows;
    const categories = new Map<number, CategoryCounts>();
    list.forEach((entry, column) => {
      if (read.#categorical.has(column)) categories.set(column, CategoryCounts.fromJSON(entry, column, rows));
      else readColumnMoments(entry, moments, column, `columns[${column}]`);
    });
    read.#moments = moments;
    read.#categories = categories;
    return read;
  }

  #copyCategories(): Map<number, CategoryCounts> {
    const copies = new Map<number, CategoryCounts>();
    for (const column of this.#categorical) {
      const copy = new CategoryCounts(column);
      const counts = this.#categories.get(column);
      if (counts !== undefined) copy.addAll(counts);
      copies.set(column, copy);
    }
    return copies;
  }

  #replace(moments: Moments, categories: ReadonlyMap<number, CategoryCounts>): void {
    if (moments.rows > tableLimits.rowsMax) {
      throw new LimitExceededError(
        `statistics of ${moments.rows} rows, expected at most ${tableLimits.rowsMax}`,
      );
    }
    for (let column = 0; column < moments.mean.length; column++) {
      if (categories.has(column) || isFiniteColumn(moments, column)) continue;
      throw new InvalidDataError(
        `column ${column} reaches from ${moments.minimum[column]} to ${moments.maximum[column]}: its squares are too large for a number`,
      );
    }
    this.#moments = moments;
    this.#categories = categories;
  }
}

function noSuchColumn(column: number, columns: number): InvalidDataError {
  return new InvalidDataError(
    `features have ${columns} columns, but column ${column} is named as categorical`,
  );
}

/** What is known of columns of numbers. Throws InvalidDataError where one is categorical in the statistics. */
export function numberColumnsOf(
  statistics: FeatureStatistics,
  columns: readonly number[],
  step: string,
): NumberColumn[] {
  return columns.map((index) => {
    const column = statistics.column(index);
    if (!('categories' in column)) return column;
    throw new InvalidDataError(`column ${index} is categorical in the statistics, ${step} expects numbers`);
  });
}

/** What is known of categorical columns. Throws InvalidDataError where one is not categorical in the statistics. */
export function categoryColumnsOf(
  statistics: FeatureStatistics,
  columns: readonly number[],
  step: string,
): CategoryColumn[] {
  return columns.map((index) => {
    const column = statistics.column(index);
    if ('categories' in column) return column;
    throw new InvalidDataError(
      `column ${index} is not categorical in the statistics, ${step} needs its categories`,
    );
  });
}
