import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { Random, TypedMatrix } from 'mainstem';
import { shuffle } from './shuffle.ts';

/** Rows of features, and one label for each. */
export interface LabelledRows {
  readonly features: TypedMatrix;
  readonly labels: readonly number[];
}

/** Where the data set lies, seen from src/cli and from dist/cli alike. */
export const digitsFile: URL = new URL('../../data/digits.csv', import.meta.url);

/** The digits, sorted: the classes of the network. */
export const digitClasses: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

const pixels = 64;
const brightest = 16;

/** Reads handwritten digits: 64 pixels a row, scaled from 0–16 to 0–1, and the digit that they show. */
export function loadDigits(file: URL = digitsFile): LabelledRows {
  return readDigits(readFileSync(file, 'utf8'));
}

/** Reads the text of such a file. Throws an Error that names the line where something is wrong. */
export function readDigits(csv: string): LabelledRows {
  const [header, ...lines] = parse(csv, { relax_column_count: true }) as string[][];
  if (header?.length !== pixels + 1 || header[pixels] !== 'label') {
    throw new Error(`digits: the first line must name ${pixels} pixels and label`);
  }
  if (lines.length === 0) throw new Error('digits: there are no rows below the header');
  const data = new Float32Array(lines.length * pixels);
  const labels = lines.map((cells, row) => {
    if (cells.length !== pixels + 1) {
      throw new Error(`digits: line ${row + 2} has ${cells.length} columns, expected ${pixels + 1}`);
    }
    const values = cells.map((cell, column) => readCell(cell, column === pixels ? 9 : brightest, row + 2));
    for (let column = 0; column < pixels; column++) {
      data[row * pixels + column] = (values[column] as number) / brightest;
    }
    return values[pixels] as number;
  });
  return { features: { data, rows: labels.length, columns: pixels }, labels };
}

/** Training rows and held-out rows: of each class this share is held out, chosen at random. */
export function holdOut(
  rows: LabelledRows,
  share: number,
  random: Random,
): { training: LabelledRows; heldOut: LabelledRows } {
  const training: number[] = [];
  const heldOut: number[] = [];
  for (const members of rowsByClass(rows.labels).values()) {
    const count = Math.round(members.length * share);
    shuffle(members, random).forEach((row, place) => {
      (place < count ? heldOut : training).push(row);
    });
  }
  return { training: pickRows(rows, training), heldOut: pickRows(rows, heldOut) };
}

/** The rows with these indices, in this order. */
export function pickRows({ features, labels }: LabelledRows, indices: readonly number[]): LabelledRows {
  const { columns } = features;
  const data = new Float32Array(indices.length * columns);
  indices.forEach((row, place) => {
    data.set(features.data.subarray(row * columns, (row + 1) * columns), place * columns);
  });
  return {
    features: { data, rows: indices.length, columns },
    labels: indices.map((row) => labels[row] as number),
  };
}

/** The same rows with pixels from 0 to 16, as they are in the file. */
export function inRawPixels({ features, labels }: LabelledRows): LabelledRows {
  return { features: { ...features, data: features.data.map((pixel) => pixel * brightest) }, labels };
}

/** Class → the indices of its rows; classes ascend. */
export function rowsByClass(labels: readonly number[]): Map<number, number[]> {
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const rows = new Map<number, number[]>(classes.map((label) => [label, []]));
  labels.forEach((label, row) => {
    rows.get(label)?.push(row);
  });
  return rows;
}

function readCell(cell: string, max: number, line: number): number {
  const value = cell.trim() === '' ? Number.NaN : Number(cell);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new Error(`digits: line ${line} has ${JSON.stringify(cell)}, expected a whole number, 0 to ${max}`);
}
