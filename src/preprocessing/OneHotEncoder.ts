import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { FeatureStatistics } from './FeatureStatistics.ts';
import type { OneHotEncoderStep, UnknownCategory } from './oneHotEncoding.ts';
import { oneHotEncoding } from './oneHotEncoding.ts';
import { Preprocessing } from './Preprocessing.ts';
import type { TableRows } from './table.ts';

/** Options of OneHotEncoder. */
export interface OneHotEncoderOptions {
  /** Raw columns, which may hold text. */
  columns: readonly number[];
  /** What becomes of a category that no fitted row had: `'error'` unless given, or `'ignore'`, which makes zeros. */
  unknown?: UnknownCategory;
}

/**
 * Replaces a column by one 0/1 column for each of its categories: numbers sorted as numbers, strings by code unit.
 * A rule without memory: `fit` returns what was learnt.
 */
export class OneHotEncoder implements OneHotEncoderStep {
  readonly name = 'oneHotEncoder';
  readonly columns: readonly number[];
  readonly unknown: UnknownCategory | undefined;

  constructor(options: OneHotEncoderOptions) {
    refuseUnknownOptions(options, ['columns', 'unknown'], 'OneHotEncoder');
    const { columns, unknown } = oneHotEncoding.check({ ...options, name: 'oneHotEncoder' });
    this.columns = columns;
    this.unknown = unknown;
  }

  /** Learns from rows, or statistics of rows: `new OneHotEncoder({ columns: [0] }).fit(rows).transform(rows)`. */
  fit(data: TableRows | FeatureStatistics): Preprocessing {
    return new Preprocessing(this).fit(data);
  }
}
