import type { Category } from '../categories.ts';
import { InvalidDataError, InvalidOptionError, MalformedDataError } from '../errors.ts';
import { show } from '../show.ts';
import { requireList } from '../strictJson.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import { readCategories } from './CategoryCounts.ts';
import { categoryColumnsOf } from './FeatureStatistics.ts';
import { checkColumns } from './options.ts';
import type { FittedColumn, Preprocessor } from './Preprocessor.ts';

/** What becomes of a category that no row had: an InvalidDataError, or zeros in all its columns. */
export type UnknownCategory = 'error' | 'ignore';

/** A OneHotEncoder as plain options. */
export interface OneHotEncoderStep {
  readonly name: 'oneHotEncoder';
  readonly columns: readonly number[];
  readonly unknown?: UnknownCategory | undefined;
}

/** A fitted OneHotEncoder: the sorted categories of each column. */
export interface OneHotEncoderDescription {
  readonly name: 'oneHotEncoder';
  readonly columns: readonly number[];
  readonly categories: readonly (readonly Category[])[];
  readonly unknown: UnknownCategory;
}

/** One column of 0 and 1 for each category, in the order of the categories. */
export const oneHotEncoding: Preprocessor<OneHotEncoderStep, OneHotEncoderDescription> = {
  name: 'oneHotEncoder',
  isCategorical: true,

  check(options) {
    refuseUnknownOptions(options, ['name', 'columns', 'unknown'], 'oneHotEncoder');
    const { columns, unknown = 'error' } = options;
    if (unknown !== 'error' && unknown !== 'ignore') {
      throw new InvalidOptionError(`unknown is ${show(unknown)}, expected 'error' or 'ignore'`);
    }
    return { name: 'oneHotEncoder', columns: checkColumns(columns, 'columns'), unknown };
  },

  fit({ unknown = 'error' }, columns, statistics) {
    const known = categoryColumnsOf(statistics, columns, 'oneHotEncoder');
    return { name: 'oneHotEncoder', columns, categories: known.map(({ categories }) => categories), unknown };
  },

  read(json, columns) {
    const { unknown } = json;
    if (unknown !== 'error' && unknown !== 'ignore') {
      throw new MalformedDataError(`unknown is ${show(unknown)}, expected 'error' or 'ignore'`);
    }
    const categories = requireList(json.categories, 'categories', { length: columns.length }).map(
      (list, index) => readCategories(list, `categories[${index}]`),
    );
    return { name: 'oneHotEncoder', columns, categories, unknown };
  },

  compile({ columns, categories, unknown }) {
    return columns.map((_, index) => encodedColumn(categories[index] ?? [], unknown));
  },
};

function encodedColumn(categories: readonly Category[], unknown: UnknownCategory): FittedColumn {
  const places = new Map(categories.map((category, place) => [category, place]));
  return {
    width: categories.length,
    write(table, column, target, offset, stride) {
      table.cells.get(column)?.forEach((cell, row) => {
        const place = places.get(cell);
        if (place !== undefined) target[row * stride + offset + place] = 1;
        else if (unknown === 'error') throw unknownCategory(cell, row, column, categories);
      });
    },
  };
}

function unknownCategory(
  cell: Category,
  row: number,
  column: number,
  categories: readonly Category[],
): InvalidDataError {
  return new InvalidDataError(
    `features have the unknown category ${show(cell)} at row ${row}, column ${column}, expected one of ${show(categories)}; unknown: 'ignore' makes zeros of it`,
  );
}
