import { MalformedDataError } from '../errors.ts';
import { requireNumbers } from '../strictJson.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import { numberColumnsOf } from './FeatureStatistics.ts';
import { checkColumns } from './options.ts';
import type { FittedColumn, Preprocessor } from './Preprocessor.ts';
import { numberColumn } from './Preprocessor.ts';

/** A StandardScaler as plain options. */
export interface StandardScalerStep {
  readonly name: 'standardScaler';
  readonly columns?: readonly number[] | undefined;
}

/** A fitted StandardScaler: one mean and one deviation for each column. */
export interface StandardScalerDescription {
  readonly name: 'standardScaler';
  readonly columns: readonly number[];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** (x − mean) / deviation. A column of equal numbers has deviation 0, which counts as 1. */
export const standardScaling: Preprocessor<StandardScalerStep, StandardScalerDescription> = {
  name: 'standardScaler',
  isCategorical: false,

  check(options) {
    refuseUnknownOptions(options, ['name', 'columns'], 'standardScaler');
    const { columns } = options;
    return { name: 'standardScaler', ...(columns && { columns: checkColumns(columns, 'columns') }) };
  },

  fit(_options, columns, statistics) {
    const known = numberColumnsOf(statistics, columns, 'standardScaler');
    return {
      name: 'standardScaler',
      columns,
      mean: known.map(({ mean }) => mean),
      deviation: known.map(({ deviation }) => (deviation === 0 ? 1 : deviation)),
    };
  },

  read(json, columns) {
    const mean = requireNumbers(json.mean, 'mean', columns.length);
    const deviation = requireNumbers(json.deviation, 'deviation', columns.length);
    const bad = deviation.find((value) => value <= 0);
    if (bad !== undefined) throw new MalformedDataError(`deviation holds ${bad}, expected more than 0`);
    return { name: 'standardScaler', columns, mean, deviation };
  },

  compile({ columns, mean, deviation }) {
    return columns.map((_, index) => standardColumn(mean[index] as number, deviation[index] as number));
  },
};

function standardColumn(mean: number, deviation: number): FittedColumn {
  return numberColumn(
    (x) => (x - mean) / deviation,
    (y) => y * deviation + mean,
  );
}
