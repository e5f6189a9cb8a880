import { InvalidDataError, InvalidOptionError, UnknownLabelError } from '../errors.ts';
import type { DataType } from '../parameters/values.ts';
import type { ArrayConvertible, Features, Matrix, RowArrays, TypedMatrix } from './features.ts';
import { readMatrix } from './features.ts';

/** A class label. */
export type Label = number | string;

/** One label a row (numbers or strings), or rows × outputs of numbers. */
export type Labels =
  | readonly Label[]
  | Float32Array
  | Float64Array
  | RowArrays
  | TypedMatrix
  | ArrayConvertible;

/** Checks that classes are distinct labels of one kind; returns them sorted: numbers as numbers, strings by code unit. */
export function sortClasses(classes: Iterable<Label>, what = 'classes'): Label[] {
  const distinct = [...new Set(classes)];
  const kinds = new Set(distinct.map((label) => typeof label));
  const legal = [...kinds].every((kind) => kind === 'string' || kind === 'number');
  if (
    kinds.size > 1 ||
    !legal ||
    distinct.some((label) => typeof label === 'number' && !Number.isFinite(label))
  ) {
    throw new InvalidDataError(
      `${what} must be all finite numbers or all strings, got ${JSON.stringify(distinct.slice(0, 8))}`,
    );
  }
  return distinct.sort(compareLabels);
}

function compareLabels(a: Label, b: Label): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Checks a `classes` option: at least two, each once. Returns them sorted. */
export function checkClasses(classes: readonly Label[]): Label[] {
  const sorted = Array.isArray(classes) ? sortClasses(classes) : [];
  if (sorted.length < 2 || sorted.length !== classes.length) {
    throw new InvalidOptionError(
      `classes are ${JSON.stringify(classes)}, expected at least two different labels`,
    );
  }
  return sorted;
}

/** The labels as a flat list of class labels, one a row. Throws InvalidDataError where there is not one for each row. */
export function readClassLabels(labels: Labels, rows: number): readonly Label[] {
  const flat = flatLabels(labels);
  if (flat === undefined) {
    throw new InvalidDataError(
      'labels of a classifier are one number or string for each row, got rows of numbers',
    );
  }
  if (flat.length !== rows)
    throw new InvalidDataError(`there are ${flat.length} labels for ${rows} rows of features`);
  return flat;
}

/** The index of each label among the classes. Throws UnknownLabelError naming the row. */
export function encodeLabels(labels: readonly Label[], classes: readonly Label[]): Int32Array {
  const places = new Map(classes.map((label, index) => [label, index]));
  return Int32Array.from(labels, (label, row) => {
    const place = places.get(label);
    if (place === undefined) {
      const known = classes.map((known) => JSON.stringify(known)).join(', ');
      throw new UnknownLabelError(
        `label ${JSON.stringify(label)} of row ${row} is not among the classes ${known}`,
      );
    }
    return place;
  });
}

/** Labels of a regression as rows × outputs; a flat list has one output. Throws InvalidDataError where rows differ. */
export function readTargets(labels: Labels, rows: number, dtype: DataType): Matrix {
  const flat = flatLabels(labels);
  const targets = readMatrix(
    flat === undefined ? (labels as Features) : flat.map((label) => [label as number]),
    dtype,
    'labels',
  );
  if (targets.rows !== rows)
    throw new InvalidDataError(`there are ${targets.rows} labels for ${rows} rows of features`);
  return targets;
}

/** A list of labels, or undefined where the labels are rows of numbers. Rows of one entry count as a list. */
export function flatLabels(labels: Labels): readonly Label[] | undefined {
  if (labels instanceof Float32Array || labels instanceof Float64Array) return Array.from(labels);
  if (Array.isArray(labels)) {
    const first: unknown = labels[0];
    if (first === undefined)
      throw new InvalidDataError('labels are empty, expected one for each row of features');
    return typeof first === 'number' || typeof first === 'string' ? (labels as readonly Label[]) : undefined;
  }
  const convert = (labels as Partial<ArrayConvertible> | null)?.toArray;
  return typeof convert === 'function'
    ? flatLabels((labels as ArrayConvertible).toArray() as Labels)
    : undefined;
}

/** The columns that labels of a regression have, without converting them. */
export function isStringLabels(labels: Labels): boolean {
  return Array.isArray(labels) && typeof labels[0] === 'string';
}
