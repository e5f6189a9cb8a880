import type { Values } from '../parameters/values.ts';
import type { FeatureStatistics } from './FeatureStatistics.ts';
import type { Table } from './table.ts';

/** A step as users write it: its name, the raw columns that it takes, and settings of its own. */
export interface StepOptions {
  readonly name: string;
  readonly columns?: readonly number[] | undefined;
}

/** A fitted step as plain JSON: all that a transformation needs. Columns ascend. */
export interface StepDescription {
  readonly name: string;
  readonly columns: readonly number[];
}

/** What becomes of one raw column. */
export interface FittedColumn {
  /** Columns that it makes. */
  readonly width: number;
  /** Writes them for every row into `target`, from `offset` and in each row `stride` values further. */
  write(table: Table, column: number, target: Values, offset: number, stride: number): void;
  /** The raw number that a made one came from; absent where there is no way back. */
  readonly invert?: (value: number) => number;
}

/**
 * A kind of step. It has no memory: options and statistics give a description, and the description alone gives the
 * transformation, so that a description read elsewhere transforms with the same bits.
 */
export interface Preprocessor<Options extends StepOptions, Description extends StepDescription> {
  readonly name: Options['name'];
  /** Whether its columns are categorical and may hold text. */
  readonly isCategorical: boolean;
  /** Checks options and fills the defaults in. Throws InvalidOptionError. */
  check(options: Options): Options;
  /** What these statistics say of its columns. */
  fit(options: Options, columns: readonly number[], statistics: FeatureStatistics): Description;
  /** Reads a stranger's description, whose columns are checked already. Throws MalformedDataError. */
  read(json: { readonly [key: string]: unknown }, columns: readonly number[]): Description;
  /** One entry for each of its columns, in order. */
  compile(description: Description): FittedColumn[];
}

/** A column that becomes one column, number by number. */
export function numberColumn(
  forward: (value: number) => number,
  invert: (value: number) => number,
): FittedColumn {
  return {
    width: 1,
    invert,
    write({ numbers, rows, columns }, column, target, offset, stride) {
      for (let i = 0; i < rows; i++)
        target[i * stride + offset] = forward(numbers[i * columns + column] as number);
    },
  };
}
