import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { FeatureStatistics } from './FeatureStatistics.ts';
import type { MinMaxScalerStep, ScaledRange } from './minMaxScaling.ts';
import { minMaxScaling } from './minMaxScaling.ts';
import { Preprocessing } from './Preprocessing.ts';
import type { TableRows } from './table.ts';

/** Options of MinMaxScaler. */
export interface MinMaxScalerOptions {
  /** Raw columns; all that no other step takes unless given. */
  columns?: readonly number[];
  /** Where the minimum and the maximum go; [0, 1] unless given. */
  range?: ScaledRange;
}

/**
 * Stretches columns to a range; a column of equal numbers becomes its low end, and numbers beyond those fitted go
 * beyond the range. A rule without memory: `fit` returns what was learnt.
 */
export class MinMaxScaler implements MinMaxScalerStep {
  readonly name = 'minMaxScaler';
  readonly columns: readonly number[] | undefined;
  readonly range: ScaledRange | undefined;

  constructor(options: MinMaxScalerOptions = {}) {
    refuseUnknownOptions(options, ['columns', 'range'], 'MinMaxScaler');
    const { columns, range } = minMaxScaling.check({ ...options, name: 'minMaxScaler' });
    this.columns = columns;
    this.range = range;
  }

  /** Learns from rows, or statistics of rows: `new MinMaxScaler().fit(rows).transform(rows)`. */
  fit(data: TableRows | FeatureStatistics): Preprocessing {
    return new Preprocessing(this).fit(data);
  }
}
