import { InvalidOptionError } from '../errors.ts';
import { tableLimits } from '../limits.ts';
import { show } from '../show.ts';

/** Different column numbers, from 0. Returns them ascending. Throws InvalidOptionError. */
export function checkColumns(columns: unknown, name: string): number[] {
  const isColumn = (column: unknown): boolean =>
    Number.isSafeInteger(column) && (column as number) >= 0 && (column as number) < tableLimits.columnsMax;
  if (!Array.isArray(columns) || !columns.every(isColumn) || new Set(columns).size < columns.length) {
    throw new InvalidOptionError(
      `${name} is ${show(columns)}, expected different column numbers from 0 to ${tableLimits.columnsMax - 1}`,
    );
  }
  return [...(columns as readonly number[])].sort((a, b) => a - b);
}
