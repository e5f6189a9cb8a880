import { MalformedDataError } from '../errors.ts';
import type { Random } from '../random.ts';
import { standardNormal } from '../random.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { readBfloat16, writeBfloat16 } from './dense.ts';

/** A matrix of some columns, row-major. */
interface Factor {
  readonly values: Float32Array;
  readonly rows: number;
}

/**
 * A matrix as the product of two thin ones, P Qᵀ: one step of the power iteration from the Q of the last update, with
 * P orthonormal (PowerSGD, Vogels and others 2019, algorithm 1). `q` (columns × rank) is changed to the new one; columns
 * of zeros, as it begins with, are drawn anew.
 */
export function writeLowRank(
  matrix: Float32Array,
  { rows, rank, q }: { rows: number; rank: number; q: Float32Array },
  writer: ByteWriter,
  random: Random,
): void {
  const columns = matrix.length / rows;
  drawEmptyColumns({ values: q, rows: columns }, rank, random);
  const p: Factor = { values: new Float32Array(rows * rank), rows };
  multiply(matrix, rows, columns, q, p.values, rank);
  orthonormalise(p, rank);
  multiplyTransposed(matrix, rows, columns, p.values, q, rank);
  writer.varint(rows);
  writer.varint(rank);
  writeBfloat16(p.values, writer);
  writeBfloat16(q, writer);
}

export function readLowRank(reader: ByteReader, values: Float32Array): void {
  const rows = reader.varint();
  const rank = reader.varint();
  const columns = values.length / rows;
  if (rows === 0 || !Number.isInteger(columns) || rank === 0 || rank > Math.min(rows, columns)) {
    throw new MalformedDataError(
      `a packed payload has ${values.length} values as ${rows} rows of rank ${rank}, which is no matrix`,
    );
  }
  if (2 * rank * (rows + columns) > reader.rest)
    throw new MalformedDataError(`a packed payload ends within a matrix of rank ${rank}`);
  const p = new Float32Array(rows * rank);
  const q = new Float32Array(columns * rank);
  readBfloat16(reader, p);
  readBfloat16(reader, q);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += (p[row * rank + k] as number) * (q[column * rank + k] as number);
      values[row * columns + column] = sum;
    }
  }
}

/** target = matrix · q. */
function multiply(
  matrix: Float32Array,
  rows: number,
  columns: number,
  q: Float32Array,
  target: Float32Array,
  rank: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < rank; k++) {
      let sum = 0;
      for (let column = 0; column < columns; column++)
        sum += (matrix[row * columns + column] as number) * (q[column * rank + k] as number);
      target[row * rank + k] = sum;
    }
  }
}

/** target = matrixᵀ · p. */
function multiplyTransposed(
  matrix: Float32Array,
  rows: number,
  columns: number,
  p: Float32Array,
  target: Float32Array,
  rank: number,
): void {
  const sums = new Float64Array(columns * rank);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = matrix[row * columns + column] as number;
      for (let k = 0; k < rank; k++)
        sums[column * rank + k] = (sums[column * rank + k] as number) + value * (p[row * rank + k] as number);
    }
  }
  target.set(sums);
}

/** From zeros no iteration leads away. */
function drawEmptyColumns({ values, rows }: Factor, rank: number, random: Random): void {
  for (let column = 0; column < rank; column++) {
    if (columnNorm(values, rows, rank, column) > 0) continue;
    for (let row = 0; row < rows; row++) values[row * rank + column] = standardNormal(random);
  }
}

/** Gram and Schmidt, column by column; a column that nothing is left of becomes 0. */
function orthonormalise({ values, rows }: Factor, rank: number): void {
  const at = (row: number, column: number): number => values[row * rank + column] as number;
  for (let column = 0; column < rank; column++) {
    const before = columnNorm(values, rows, rank, column);
    for (let other = 0; other < column; other++) {
      let dot = 0;
      for (let row = 0; row < rows; row++) dot += at(row, column) * at(row, other);
      for (let row = 0; row < rows; row++)
        values[row * rank + column] = at(row, column) - dot * at(row, other);
    }
    const norm = columnNorm(values, rows, rank, column);
    // Rounding alone is left of a column that depends on the others: it must not be blown up to length 1.
    const factor = norm > 1e-6 * before ? 1 / norm : 0;
    for (let row = 0; row < rows; row++) values[row * rank + column] = factor * at(row, column);
  }
}

function columnNorm(values: Float32Array, rows: number, rank: number, column: number): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += (values[row * rank + column] as number) ** 2;
  return Math.sqrt(sum);
}
