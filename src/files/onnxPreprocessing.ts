import { MalformedDataError, UnsupportedModelError } from '../errors.ts';
import type { JsonValue } from '../parameters/architecture.ts';
import { show } from '../show.ts';
import type { OnnxGraph } from './OnnxGraph.ts';

/** One step of `preprocessing` in an architecture, none of whose parts is checked yet. */
type Step = { readonly [key: string]: JsonValue };

/** What becomes of a raw column: (x − center) · factor + low, or one column of 0 and 1 for each category. */
type Column =
  | { readonly center: number; readonly factor: number; readonly low: number }
  | { readonly categories: readonly number[] };

const unchanged: Column = { center: 0, factor: 1, low: 0 };

/** Columns of the input, and of what the first layer gets. */
export interface Preprocessed {
  readonly value: string;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Adds the nodes in front of the first layer: all scaled columns at once, then the encoded ones. `inputs` are the
 * columns of the layer, where the architecture names no preprocessing. ONNX cannot refuse a row: an unknown category
 * gives zeros, also where the model would throw. Throws UnsupportedModelError for categories that are text, or that
 * float32 cannot tell apart, for columns too far from 0 for it, and for unknown steps; MalformedDataError for damaged ones.
 */
export function emitPreprocessing(
  graph: OnnxGraph,
  preprocessing: JsonValue | undefined,
  input: string,
  inputs: number,
): Preprocessed {
  if (preprocessing === undefined || preprocessing === null) return { value: input, inputs, outputs: inputs };
  const columns = readColumns(preprocessing);
  columns.forEach(refuseRounding);
  const outputs = columns.reduce((sum, column) => sum + widthOf(column), 0);
  return {
    value: emitEncoding(graph, columns, emitScaling(graph, columns, input)),
    inputs: columns.length,
    outputs,
  };
}

/** How much of a scaled unit the rounding of an input to float32 may cost. */
const inputRoundingMax = 0.01;

/** Timestamps and the like: their differences are lost before the graph can subtract anything. */
function refuseRounding(column: Column, index: number): void {
  if ('categories' in column) return;
  const rounding = Math.abs(column.center * column.factor) * 2 ** -24;
  if (rounding <= inputRoundingMax) return;
  throw new UnsupportedModelError(
    `column ${index} lies around ${column.center}, where float32, in which ONNX models get their inputs, rounds by ${rounding.toPrecision(2)} scaled units, expected at most ${inputRoundingMax}; subtract an offset from it before training`,
  );
}

function widthOf(column: Column): number {
  return 'categories' in column ? column.categories.length : 1;
}

/** (x − center) · factor + low. Subtracting first keeps what would cancel away from the rounding to float32. */
function emitScaling(graph: OnnxGraph, columns: readonly Column[], x: string): string {
  const scaled = columns.map((column) => ('categories' in column ? unchanged : column)) as {
    center: number;
    factor: number;
    low: number;
  }[];
  const row = (name: 'center' | 'factor' | 'low'): string =>
    graph.floats(
      `preprocessing.${name}`,
      [columns.length],
      scaled.map((column) => column[name]),
    );
  let value = x;
  if (scaled.some(({ center }) => center !== 0)) value = graph.node('Sub', [value, row('center')]);
  if (scaled.some(({ factor }) => factor !== 1)) value = graph.node('Mul', [value, row('factor')]);
  if (scaled.some(({ low }) => low !== 0)) value = graph.node('Add', [value, row('low')]);
  return value;
}

/** Runs of plain columns pass; an encoded one becomes its columns of 0 and 1, in its place. */
function emitEncoding(graph: OnnxGraph, columns: readonly Column[], x: string): string {
  if (!columns.some((column) => 'categories' in column)) return x;
  const parts: string[] = [];
  let plain: number[] = [];
  const endRun = (): void => {
    if (plain.length > 0) parts.push(gather(graph, x, plain));
    plain = [];
  };
  columns.forEach((column, index) => {
    if (!('categories' in column)) {
      plain.push(index);
      return;
    }
    endRun();
    const { categories } = column;
    if (categories.length === 0) return;
    const known = graph.floats(`preprocessing.${index}.categories`, [1, categories.length], categories);
    const isEqual = graph.node('Equal', [gather(graph, x, [index]), known]);
    parts.push(graph.node('Cast', [isEqual], { to: { int: 1 } }));
  });
  endRun();
  return graph.node('Concat', parts, { axis: { int: 1 } });
}

function gather(graph: OnnxGraph, x: string, columns: readonly number[]): string {
  const indices = graph.integers(`preprocessing.${columns[0]}.columns`, columns);
  return graph.node('Gather', [x, indices], { axis: { int: 1 } });
}

function readColumns(preprocessing: JsonValue): readonly Column[] {
  const { columns: count, steps } = (isObject(preprocessing) ? preprocessing : {}) as Step;
  if (!Number.isSafeInteger(count) || (count as number) < 1 || !Array.isArray(steps)) {
    throw new MalformedDataError(`preprocessing is ${show(preprocessing)}, expected { columns, steps }`);
  }
  const columns: (Column | undefined)[] = new Array<undefined>(count as number).fill(undefined);
  for (const step of steps as readonly JsonValue[]) {
    if (!isObject(step))
      throw new MalformedDataError(`a step of preprocessing is ${show(step)}, expected an object`);
    const indices = listOf(step, 'columns');
    const made = columnsOf(step, indices.length);
    indices.forEach((index, place) => {
      if (!Number.isSafeInteger(index) || !(index >= 0 && index < columns.length)) {
        throw new MalformedDataError(`${nameOf(step)} has column ${index}, there are ${columns.length}`);
      }
      if (columns[index] !== undefined) {
        throw new UnsupportedModelError(
          `column ${index} is changed by two steps of preprocessing, expected one`,
        );
      }
      columns[index] = made[place] as Column;
    });
  }
  return columns.map((column) => column ?? unchanged);
}

/** What one step makes of each of its columns. */
function columnsOf(step: Step, count: number): readonly Column[] {
  switch (step.name) {
    case 'standardScaler': {
      const deviation = listOf(step, 'deviation', count);
      // A column that never changes has deviation 0, which counts as 1.
      return listOf(step, 'mean', count).map((mean, place) => ({
        center: mean,
        factor: 1 / (deviation[place] || 1),
        low: 0,
      }));
    }
    case 'minMaxScaler': {
      const maximum = listOf(step, 'maximum', count);
      const [low, high] = listOf(step, 'range', 2) as [number, number];
      // The same for one whose maximum is its minimum: it becomes `low`.
      return listOf(step, 'minimum', count).map((minimum, place) => {
        const span = (maximum[place] as number) - minimum;
        return { center: minimum, factor: span === 0 ? 0 : (high - low) / span, low };
      });
    }
    case 'oneHotEncoder': {
      const { categories } = step;
      if (!Array.isArray(categories) || categories.length !== count) {
        throw new MalformedDataError(
          `${nameOf(step)} has no list of categories for each of its ${count} columns`,
        );
      }
      return (categories as readonly JsonValue[]).map((known) => ({ categories: readCategories(known) }));
    }
    default:
      throw new UnsupportedModelError(
        `the step ${nameOf(step)} cannot be written as ONNX; those that can are standardScaler, minMaxScaler, oneHotEncoder`,
      );
  }
}

function readCategories(categories: JsonValue): readonly number[] {
  if (!Array.isArray(categories)) {
    throw new MalformedDataError(`categories are ${show(categories)}, expected a list`);
  }
  const known = categories as readonly JsonValue[];
  const other = known.find((category) => typeof category !== 'number');
  if (other !== undefined) {
    throw new UnsupportedModelError(
      `the category ${show(other)} is no number: the input of the model is float32, encode it before`,
    );
  }
  if (new Set(known.map((category) => Math.fround(category as number))).size < known.length) {
    throw new UnsupportedModelError(`categories ${show(known)} are not all different as float32`);
  }
  return known as readonly number[];
}

function listOf(step: Step, key: string, length?: number): readonly number[] {
  const list = step[key];
  const isNumbers = Array.isArray(list) && list.every((value) => Number.isFinite(value));
  if (!isNumbers || (length !== undefined && list.length !== length)) {
    throw new MalformedDataError(
      `${key} of ${nameOf(step)} is ${show(list)}, expected ${length ?? 'a list of'} numbers`,
    );
  }
  return list as readonly number[];
}

function nameOf(step: Step): string {
  return show(step.name);
}

function isObject(value: JsonValue): value is Step {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
