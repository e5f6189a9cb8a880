import { MalformedDataError } from '../errors.ts';
import { requireNumber, requireObject } from '../strictJson.ts';
import type { Moments } from './moments.ts';

/** Moments of one column as JSON; the number of rows is beside them. */
export interface ColumnMomentsJson {
  readonly mean: number;
  readonly meanResidual: number;
  readonly squares: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** One column of moments of at least one row. */
export function columnMomentsToJson(moments: Moments, column: number): ColumnMomentsJson {
  return {
    mean: moments.mean[column] as number,
    meanResidual: moments.meanResidual[column] as number,
    squares: moments.squares[column] as number,
    minimum: moments.minimum[column] as number,
    maximum: moments.maximum[column] as number,
  };
}

/** How far beyond the range rounding may take a mean, in shares of the range. */
const meanSlack = 1e-9;

/** Reads one column into `moments`. Throws MalformedDataError where the numbers cannot belong together. */
export function readColumnMoments(json: unknown, moments: Moments, column: number, what: string): void {
  const form = requireObject(json, what);
  const mean = requireNumber(form.mean, `${what}.mean`);
  const meanResidual = requireNumber(form.meanResidual, `${what}.meanResidual`);
  const squares = requireNumber(form.squares, `${what}.squares`, 0);
  const minimum = requireNumber(form.minimum, `${what}.minimum`);
  const maximum = requireNumber(form.maximum, `${what}.maximum`, minimum);
  const slack = meanSlack * (maximum - minimum);
  if (!Number.isFinite(slack)) {
    throw new MalformedDataError(`${what} reaches from ${minimum} to ${maximum}, expected a finite range`);
  }
  if (mean < minimum - slack || mean > maximum + slack) {
    throw new MalformedDataError(`${what} has mean ${mean}, expected one from ${minimum} to ${maximum}`);
  }
  if (mean + meanResidual !== mean) {
    throw new MalformedDataError(
      `${what} has meanResidual ${meanResidual}, expected less than the rounding of mean ${mean}`,
    );
  }
  if (squares > 0 && minimum === maximum) {
    throw new MalformedDataError(`${what} has squares ${squares} of equal numbers, expected 0`);
  }
  moments.mean[column] = mean;
  moments.meanResidual[column] = meanResidual;
  moments.squares[column] = squares;
  moments.minimum[column] = minimum;
  moments.maximum[column] = maximum;
}

/** Whether every number of the column is finite, so that nothing has overflowed. */
export function isFiniteColumn(moments: Moments, column: number): boolean {
  return (
    Number.isFinite(moments.squares[column]) &&
    Number.isFinite(moments.mean[column]) &&
    Number.isFinite(moments.meanResidual[column])
  );
}
