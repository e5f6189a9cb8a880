import { InvalidDataError } from '../../errors.ts';
import { show } from '../../show.ts';
import type { Features, Matrix } from '../features.ts';
import { readMatrix } from '../features.ts';
import { expecting } from '../options.ts';

/** Options of a Bayes point machine. */
export interface BayesPointMachineOptions {
  /** Variance of the noise of a score, above 0. 1. */
  readonly noiseVariance?: number;
  /** Variance of each weight in the prior, above 0. 1. */
  readonly priorVariance?: number;
  /** Whether a column of ones is put before the features. False: there is no hidden intercept. */
  readonly fitIntercept?: boolean;
  /** Sweeps over the rows for each message. 1: what a sweep leaves undone, the next round does. */
  readonly sweeps?: number;
}

const isAbove = (value: unknown): boolean => Number.isFinite(value) && Number(value) > 0;

export const machineChecks: Readonly<Record<keyof BayesPointMachineOptions, ReturnType<typeof expecting>>> = {
  noiseVariance: expecting('a number above 0', isAbove),
  priorVariance: expecting('a number above 0', isAbove),
  fitIntercept: expecting('true or false', (value) => typeof value === 'boolean'),
  sweeps: expecting(
    'a whole number, 1 or more',
    (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  ),
};

/** Features in float64, behind a column of ones where there is an intercept. Throws InvalidDataError. */
export function readRows(features: Features, hasIntercept: boolean): Matrix {
  const matrix = readMatrix(features, 'float64');
  if (!hasIntercept) return matrix;
  const columns = matrix.columns + 1;
  const data = new Float64Array(matrix.rows * columns);
  for (let row = 0; row < matrix.rows; row++) {
    data[row * columns] = 1;
    data.set(matrix.data.subarray(row * matrix.columns, (row + 1) * matrix.columns), row * columns + 1);
  }
  return { data, rows: matrix.rows, columns };
}

/** 1 for true, −1 for false. Throws InvalidDataError unless there is one for each row. */
export function readSigns(labels: readonly boolean[], rows: number): Int8Array {
  if (labels.length !== rows)
    throw new InvalidDataError(`there are ${rows} rows and ${labels.length} labels, expected as many`);
  return Int8Array.from(labels, (label, row) => {
    if (typeof label === 'boolean') return label ? 1 : -1;
    throw new InvalidDataError(`label ${row} is ${show(label)}, expected true or false`);
  });
}

/** Throws InvalidDataError unless there are so many columns. */
export function requireColumns(columns: number, weights: number): void {
  if (columns !== weights)
    throw new InvalidDataError(`features have ${columns} columns, the weights are ${weights}`);
}
