import { InvalidOptionError, MalformedDataError } from '../errors.ts';
import { show } from '../show.ts';
import { requireNumbers } from '../strictJson.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import { numberColumnsOf } from './FeatureStatistics.ts';
import { checkColumns } from './options.ts';
import type { FittedColumn, Preprocessor } from './Preprocessor.ts';
import { numberColumn } from './Preprocessor.ts';

/** The lowest and the highest number that a scaled column reaches on the rows that it was fitted to. */
export type ScaledRange = readonly [low: number, high: number];

/** A MinMaxScaler as plain options. */
export interface MinMaxScalerStep {
  readonly name: 'minMaxScaler';
  readonly columns?: readonly number[] | undefined;
  readonly range?: ScaledRange | undefined;
}

/** A fitted MinMaxScaler: one minimum and one maximum for each column. */
export interface MinMaxScalerDescription {
  readonly name: 'minMaxScaler';
  readonly columns: readonly number[];
  readonly minimum: readonly number[];
  readonly maximum: readonly number[];
  readonly range: ScaledRange;
}

/** Minimum to low, maximum to high, and a straight line between them. A column of equal numbers becomes low. */
export const minMaxScaling: Preprocessor<MinMaxScalerStep, MinMaxScalerDescription> = {
  name: 'minMaxScaler',
  isCategorical: false,

  check(options) {
    refuseUnknownOptions(options, ['name', 'columns', 'range'], 'minMaxScaler');
    const { columns, range = [0, 1] } = options;
    if (!isRange(range)) {
      throw new InvalidOptionError(
        `range is ${show(range)}, expected [low, high], finite, with low below high`,
      );
    }
    return {
      name: 'minMaxScaler',
      ...(columns && { columns: checkColumns(columns, 'columns') }),
      range: plainRange(range),
    };
  },

  fit({ range = [0, 1] }, columns, statistics) {
    const known = numberColumnsOf(statistics, columns, 'minMaxScaler');
    return {
      name: 'minMaxScaler',
      columns,
      // Adding 0 makes 0 of −0, which JSON does not know.
      minimum: known.map(({ minimum }) => minimum + 0),
      maximum: known.map(({ maximum }) => maximum + 0),
      range,
    };
  },

  read(json, columns) {
    const minimum = requireNumbers(json.minimum, 'minimum', columns.length);
    const maximum = requireNumbers(json.maximum, 'maximum', columns.length);
    minimum.forEach((least, index) => {
      const span = (maximum[index] as number) - least;
      if (span >= 0 && Number.isFinite(span)) return;
      throw new MalformedDataError(
        `minimum ${least} and maximum ${maximum[index]} are no finite range of column ${columns[index]}`,
      );
    });
    if (!isRange(json.range)) {
      throw new MalformedDataError(`range is ${show(json.range)}, expected [low, high] with low below high`);
    }
    return { name: 'minMaxScaler', columns, minimum, maximum, range: plainRange(json.range) };
  },

  compile({ columns, minimum, maximum, range }) {
    return columns.map((_, index) => rangeColumn(minimum[index] as number, maximum[index] as number, range));
  },
};

function isRange(range: unknown): range is ScaledRange {
  if (!Array.isArray(range) || range.length !== 2) return false;
  const [low, high] = range as [unknown, unknown];
  return (
    Number.isFinite(low) &&
    Number.isFinite(high) &&
    (low as number) < (high as number) &&
    Number.isFinite((high as number) - (low as number))
  );
}

function plainRange([low, high]: ScaledRange): ScaledRange {
  return [low + 0, high + 0];
}

function rangeColumn(minimum: number, maximum: number, [low, high]: ScaledRange): FittedColumn {
  const span = maximum - minimum;
  if (span === 0) {
    return numberColumn(
      () => low,
      () => minimum,
    );
  }
  return numberColumn(
    (x) => {
      const share = (x - minimum) / span;
      // Written so that minimum and maximum become low and high exactly.
      return low * (1 - share) + high * share;
    },
    (y) => minimum + ((y - low) / (high - low)) * span,
  );
}
