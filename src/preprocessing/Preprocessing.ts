import {
  InvalidDataError,
  InvalidOptionError,
  LimitExceededError,
  MalformedDataError,
  NotTrainedError,
} from '../errors.ts';
import { tableLimits } from '../limits.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { checkDataType, createValues, findNonFinite } from '../parameters/values.ts';
import { requireObject, requireWhole } from '../strictJson.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import { FeatureStatistics } from './FeatureStatistics.ts';
import type { FittedColumn } from './Preprocessor.ts';
import { numberColumn } from './Preprocessor.ts';
import type { FittedStepDescription, PreprocessingStep, PreprocessingSteps } from './steps.ts';
import { categoricalColumns, checkSteps, compileSteps, fitSteps, readSteps } from './steps.ts';
import type { TableRows } from './table.ts';
import { readTable } from './table.ts';

/** A fitted preprocessing as plain JSON: part of a model's architecture. */
export type PreprocessingDescription = {
  /** Raw columns. */
  readonly columns: number;
  readonly steps: readonly FittedStepDescription[];
};

/** Options of `transform` and `inverseTransform`. */
export interface TransformOptions {
  /** Numbers of the result; `'float64'` unless given. All arithmetic is in float64 before. */
  dtype?: DataType;
}

/** Numbers, row-major, as `transform` makes them. */
export interface TransformedRows {
  readonly data: Values;
  readonly rows: number;
  readonly columns: number;
}

const brand = Symbol.for('mainstem.Preprocessing');

/** What is known after a fit. */
interface Fitted {
  readonly description: PreprocessingDescription;
  readonly columns: readonly FittedColumn[];
  readonly outputs: number;
}

const unchanged = numberColumn(
  (x) => x,
  (x) => x,
);

/**
 * What is done to raw rows before a model sees them. Each raw column is taken by one step at most; one that no step
 * takes stays as it is, and an encoded column is replaced, in its place, by its 0/1 columns.
 */
export class Preprocessing {
  /** The steps as they were given, as plain JSON with every default in place. */
  readonly steps: readonly PreprocessingStep[];
  #statistics: FeatureStatistics | undefined;
  #fitted: Fitted | undefined;

  /** Throws InvalidOptionError for an illegal step and for a column that two steps take. */
  constructor(steps: PreprocessingSteps) {
    this.steps = checkSteps(steps);
    Object.defineProperty(this, brand, { value: true });
  }

  /** True for a Preprocessing, also of another copy of the package. */
  static isPreprocessing(value: unknown): value is Preprocessing {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Whether `transform` can be called. */
  get isFitted(): boolean {
    return this.#fitted !== undefined;
  }

  /** Raw columns; undefined before a fit. */
  get columns(): number | undefined {
    return this.#fitted?.description.columns;
  }

  /** Columns that `transform` makes; undefined before a fit. */
  get outputs(): number | undefined {
    return this.#fitted?.outputs;
  }

  /** Empty statistics that know which columns are categorical: fill them anywhere, merge them, and give them to `fit`. */
  createStatistics(): FeatureStatistics {
    return new FeatureStatistics({ categorical: categoricalColumns(this.steps) });
  }

  /**
   * Learns from these rows, or statistics of rows, alone. Throws InvalidDataError, or LimitExceededError where
   * categories make too many columns, and then nothing has changed.
   */
  fit(data: TableRows | FeatureStatistics): this {
    return this.#learn(
      FeatureStatistics.isFeatureStatistics(data) ? data : this.createStatistics().add(data),
    );
  }

  /**
   * Learns from these rows, or statistics of rows, as well. Throws NotTrainedError where the preprocessing comes
   * from a description: it holds no statistics to add to.
   */
  partialFit(data: TableRows | FeatureStatistics): this {
    if (this.#statistics === undefined && this.isFitted) {
      throw new NotTrainedError(
        'this preprocessing was read from a description, which holds no statistics to add to; fit it anew',
      );
    }
    const known = this.#statistics ?? this.createStatistics();
    const added = FeatureStatistics.isFeatureStatistics(data) ? data : this.createStatistics().add(data);
    return this.#learn(known.merge(added));
  }

  /** Rows × outputs. Throws NotTrainedError before a fit, InvalidDataError naming row and column of what is wrong. */
  transform(rows: TableRows, options: TransformOptions = {}): TransformedRows {
    const { columns, outputs, description } = this.#requireFitted();
    const dtype = dtypeOf(options, 'transform');
    const categorical = new Set(categoricalColumns(description.steps));
    const table = readTable(rows, { categorical, columns: description.columns });
    const data = createValues(dtype, table.rows * outputs);
    let offset = 0;
    columns.forEach((column, index) => {
      column.write(table, index, data, offset, outputs);
      offset += column.width;
    });
    return checked({ data, rows: table.rows, columns: outputs }, dtype);
  }

  /** The raw rows that transformed ones came from. Throws InvalidOptionError where a column is encoded. */
  inverseTransform(rows: TableRows, options: TransformOptions = {}): TransformedRows {
    const { columns } = this.#requireFitted();
    const dtype = dtypeOf(options, 'inverseTransform');
    const inverses = columns.map(({ invert }, column) => {
      if (invert !== undefined) return invert;
      throw new InvalidOptionError(`column ${column} is encoded: inverseTransform expects scalers alone`);
    });
    const table = readTable(rows, { columns: columns.length, what: 'transformed rows' });
    const data = createValues(dtype, table.numbers.length);
    for (let i = 0; i < data.length; i++) {
      const invert = inverses[i % columns.length] as (value: number) => number;
      data[i] = invert(table.numbers[i] as number);
    }
    return checked({ data, rows: table.rows, columns: columns.length }, dtype);
  }

  /** All that `transform` needs, as plain JSON. Throws NotTrainedError before a fit. */
  describe(): PreprocessingDescription {
    return this.#requireFitted().description;
  }

  /** Reads a description from anybody; it transforms with the same bits. Throws MalformedDataError. */
  static fromDescription(json: unknown): Preprocessing {
    const form = requireObject(json, 'preprocessing');
    const columns = requireWhole(form.columns, 'columns', 1, tableLimits.columnsMax);
    const steps = readSteps(form.steps, columns);
    const read = new Preprocessing(steps.map(optionsOf));
    const fitted = compile({ columns, steps });
    if (fitted.outputs > tableLimits.outputsMax) throw new MalformedDataError(tooWide(fitted.outputs));
    read.#fitted = fitted;
    return read;
  }

  /** An independent copy. */
  clone(): Preprocessing {
    const copy = new Preprocessing(this.steps);
    copy.#statistics = this.#statistics;
    copy.#fitted = this.#fitted;
    return copy;
  }

  #learn(statistics: FeatureStatistics): this {
    const steps = fitSteps(this.steps, statistics);
    const fitted = compile({ columns: statistics.columns as number, steps });
    if (fitted.outputs > tableLimits.outputsMax) throw new LimitExceededError(tooWide(fitted.outputs));
    this.#fitted = fitted;
    // A copy: whoever goes on filling these must not change what was fitted.
    this.#statistics = this.createStatistics().merge(statistics);
    return this;
  }

  #requireFitted(): Fitted {
    if (this.#fitted !== undefined) return this.#fitted;
    throw new NotTrainedError('this preprocessing is not fitted yet; call fit with rows or statistics first');
  }
}

function compile(description: PreprocessingDescription): Fitted {
  const columns = compileSteps(description.steps, description.columns).map((column) => column ?? unchanged);
  const outputs = columns.reduce((sum, { width }) => sum + width, 0);
  return { description, columns, outputs };
}

function tooWide(outputs: number): string {
  return `preprocessing makes ${outputs} columns, expected at most ${tableLimits.outputsMax}`;
}

/** The options that a fitted step was made with. */
function optionsOf(step: FittedStepDescription): PreprocessingStep {
  switch (step.name) {
    case 'standardScaler':
      return { name: step.name, columns: step.columns };
    case 'minMaxScaler':
      return { name: step.name, columns: step.columns, range: step.range };
    case 'oneHotEncoder':
      return { name: step.name, columns: step.columns, unknown: step.unknown };
  }
}

function dtypeOf(options: TransformOptions, method: string): DataType {
  refuseUnknownOptions(options, ['dtype'], method);
  return checkDataType(options.dtype ?? 'float64');
}

function checked(result: TransformedRows, dtype: DataType): TransformedRows {
  const bad = findNonFinite(result.data);
  if (bad < 0) return result;
  throw new InvalidDataError(
    `row ${Math.floor(bad / result.columns)} becomes ${result.data[bad]} in column ${bad % result.columns}, which is beyond ${dtype}`,
  );
}
