import { compareCategories } from '../categories.ts';
import { InvalidDataError, InvalidOptionError, UnknownLabelError } from '../errors.ts';
import type { DataType } from '../parameters/values.ts';
import type { ArrayConvertible, RowArrays, TypedMatrix } from '../preprocessing/table.ts';
import { show } from '../show.ts';
import type { Features, Matrix } from './features.ts';
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

/** Distinct labels, sorted: numbers as numbers, strings by code unit. Throws InvalidDataError for mixed or illegal ones. */
export function sortClasses(labels: Iterable<Label>): Label[] {
  const distinct = [...new Set(labels)];
  if (!areLegalClasses(distinct)) {
    throw new InvalidDataError(
      `labels must be all finite numbers or all strings, got ${show(distinct.slice(0, 8))}`,
    );
  }
  return distinct.sort(compareCategories);
}

function areLegalClasses(labels: readonly unknown[]): boolean {
  return (
    labels.every((label) => typeof label === 'string') || labels.every((label) => Number.isFinite(label))
  );
}

/** Checks a `classes` option: at least two, each once. Returns them sorted. */
export function checkClasses(classes: readonly Label[]): Label[] {
  if (
    !Array.isArray(classes) ||
    classes.length < 2 ||
    !areLegalClasses(classes) ||
    new Set(classes).size < classes.length
  ) {
    throw new InvalidOptionError(
      `classes are ${show(classes)}, expected at least two different labels, all finite numbers or all strings`,
    );
  }
  return [...(classes as readonly Label[])].sort(compareCategories);
}

/** The labels as a flat list of class labels, one a row. Throws InvalidDataError where there is not one for each row. */
export function readClassLabels(labels: Labels, rows: number): readonly Label[] {
  const flat = flatLabels(labels);
  if (flat === undefined) {
    throw new InvalidDataError(
      `labels of a classifier are one number or string for each row, got ${Array.isArray(labels) ? show(labels[0]) : show(labels)}`,
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
      const known = classes.map((known) => show(known)).join(', ');
      throw new UnknownLabelError(`label ${show(label)} of row ${row} is not among the classes ${known}`);
    }
    return place;
  });
}

/** Labels of a regression as rows × outputs; a flat list has one output. Throws InvalidDataError where rows differ. */
export function readTargets(labels: Labels, rows: number, dtype: DataType): Matrix {
  const targets = readMatrix(targetRows(labels), dtype, 'labels');
  if (targets.rows !== rows)
    throw new InvalidDataError(`there are ${targets.rows} labels for ${rows} rows of features`);
  return targets;
}

/** One number a row as a matrix of one column. */
function targetRows(labels: Labels): Features {
  if (labels instanceof Float32Array || labels instanceof Float64Array) {
    if (labels.length > 0) return { data: labels, rows: labels.length, columns: 1 };
  }
  const flat = flatLabels(labels);
  if (flat === undefined) return labels as Features;
  const isNumeric = flat.every((label) => typeof label === 'number');
  if (isNumeric && flat.length > 0) {
    return { data: Float64Array.from(flat as readonly number[]), rows: flat.length, columns: 1 };
  }
  return flat.map((label) => [label as number]);
}

/** A list of labels, or undefined where the labels are rows of numbers. Rows of one entry are rows. */
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

/** Whether the labels are strings, so that only a classifier can mean them. */
export function isStringLabels(labels: Labels): boolean {
  return typeof flatLabels(labels)?.[0] === 'string';
}
