import { tableLimits } from './limits.ts';

/** A category or class label. */
export type Category = number | string;

/** Numbers as numbers, strings by code unit. */
export function compareCategories(a: Category, b: Category): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** True for a finite number and for a text that is not too long. */
export function isCategory(value: unknown): value is Category {
  return typeof value === 'string' ? value.length <= tableLimits.textLengthMax : Number.isFinite(value);
}

/** True for different categories, all numbers or all strings. */
export function areCategories(values: readonly unknown[]): values is readonly Category[] {
  const kind = typeof values[0];
  return (
    values.every((value) => isCategory(value) && typeof value === kind) &&
    new Set(values).size === values.length
  );
}
