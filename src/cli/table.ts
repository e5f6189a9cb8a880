import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import type { Random, TypedMatrix } from 'mainstem';
import { shuffle } from './shuffle.ts';

/** Rows of a table: columns of numbers, and a label for each row. */
export interface TableRows {
  readonly features: TypedMatrix;
  readonly labels: readonly (string | number)[];
}

/** A table with some of its rows held out. */
export interface Table {
  readonly training: TableRows;
  readonly heldOut: TableRows;
  /** What the label can be, in order; undefined where it is a quantity. */
  readonly classes: readonly (string | number)[] | undefined;
}

/** How a table is read. */
export interface TableOptions {
  /** Name of the column of labels. */
  readonly label: string;
  /** What a label can be, also where these rows have not all of it; from the rows unless given. */
  readonly classes: readonly string[] | undefined;
  readonly random: Random;
}

/** A column of numbers with more different values than this is a quantity. */
const classesMax = 20;
const heldOutShare = 0.2;

/** Reads a CSV file with a header. Rejects with an Error of one line that names the file and what is wrong. */
export async function loadTable(path: string, options: TableOptions): Promise<Table> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(`${path}: there is no such file, or it cannot be read`, { cause });
  }
  try {
    return readTable(text, options);
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Reads the text of such a file. Throws an Error that says what is wrong, and in which line. */
export function readTable(csv: string, { label, classes, random }: TableOptions): Table {
  const [header = [], ...lines] = parse(csv, { bom: true, skip_empty_lines: true, trim: true }) as string[][];
  const at = header.indexOf(label);
  if (at < 0)
    throw new Error(`there is no column ${JSON.stringify(label)}; columns are ${header.join(', ')}`);
  if (lines.length < 2) throw new Error(`${lines.length} rows below the header, expected 2 or more`);
  const texts = lines.map((cells) => cells[at] as string);
  const labels = readLabels(texts);
  const known = classes === undefined ? classesOf(labels) : readLabels(classes);
  const order = shuffle(
    lines.map((_, row) => row),
    random,
  );
  const heldOut = Math.max(1, Math.round(lines.length * heldOutShare));
  const pick = (rows: readonly number[]): TableRows => ({
    features: readFeatures(header, lines, at, rows),
    labels: rows.map((row) => labels[row] as string | number),
  });
  return { training: pick(order.slice(heldOut)), heldOut: pick(order.slice(0, heldOut)), classes: known };
}

/** Numbers where all are, else texts. */
function readLabels(texts: readonly string[]): (string | number)[] {
  const areNumbers = texts.every((text) => text !== '' && Number.isFinite(Number(text)));
  return areNumbers ? texts.map(Number) : [...texts];
}

function classesOf(labels: readonly (string | number)[]): (string | number)[] | undefined {
  const different = [...new Set(labels)];
  if (typeof different[0] === 'string') return different.sort();
  const numbers = different as number[];
  const isQuantity = numbers.length > classesMax || !numbers.every(Number.isInteger);
  return isQuantity ? undefined : numbers.sort((a, b) => a - b);
}

function readFeatures(
  header: readonly string[],
  lines: readonly (readonly string[])[],
  label: number,
  rows: readonly number[],
): TypedMatrix {
  const columns = header.length - 1;
  const data = new Float32Array(rows.length * columns);
  rows.forEach((row, place) => {
    const cells = (lines[row] as string[]).filter((_, column) => column !== label);
    cells.forEach((cell, column) => {
      const value = cell === '' ? Number.NaN : Number(cell);
      if (!Number.isFinite(value)) {
        const name = header.filter((_, index) => index !== label)[column];
        throw new Error(`line ${row + 2}: ${name} is ${JSON.stringify(cell)}, expected a number`);
      }
      data[place * columns + column] = value;
    });
  });
  return { data, rows: rows.length, columns };
}
