import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { FeatureStatistics } from './FeatureStatistics.ts';
import { Preprocessing } from './Preprocessing.ts';
import type { StandardScalerStep } from './standardScaling.ts';
import { standardScaling } from './standardScaling.ts';
import type { TableRows } from './table.ts';

/** Options of StandardScaler. */
export interface StandardScalerOptions {
  /** Raw columns; all that no other step takes unless given. */
  columns?: readonly number[];
}

/**
 * Gives columns mean 0 and (population) deviation 1; a column of equal numbers becomes 0. A scaler is a rule
 * without memory: `fit` returns what was learnt, and a model or Preprocessing keeps its own.
 */
export class StandardScaler implements StandardScalerStep {
  readonly name = 'standardScaler';
  readonly columns: readonly number[] | undefined;

  constructor(options: StandardScalerOptions = {}) {
    refuseUnknownOptions(options, ['columns'], 'StandardScaler');
    this.columns = standardScaling.check({ ...options, name: 'standardScaler' }).columns;
  }

  /** Learns from rows, or statistics of rows: `new StandardScaler().fit(rows).transform(rows)`. */
  fit(data: TableRows | FeatureStatistics): Preprocessing {
    return new Preprocessing(this).fit(data);
  }
}
