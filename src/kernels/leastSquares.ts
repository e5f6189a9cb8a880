import { SingularMatrixError } from '../errors.ts';

/**
 * The X that minimises ‖A X − B‖², by Householder reflections (Golub and Van Loan, algorithm 5.2.1), which keep
 * the condition number of A where the normal equations would square it.
 *
 * `a` is rows × columns and `b` rows × outputs, row-major; both are overwritten. Returns columns × outputs.
 * Throws SingularMatrixError where the columns of A are linearly dependent (what is left of
 * a column after the ones before it is below 1e-12 of the column).
 */
export function solveLeastSquares(
  a: Float64Array,
  b: Float64Array,
  rows: number,
  columns: number,
  outputs: number,
): Float64Array<ArrayBuffer> {
  if (rows < columns) {
    throw new SingularMatrixError(
      `${rows} rows cannot determine ${columns} coefficients; add rows or a penalty`,
    );
  }
  const norms = columnNorms(a, rows, columns);
  const diagonal = new Float64Array(columns);
  for (let k = 0; k < columns; k++) diagonal[k] = reflectColumn(a, b, k, rows, columns, outputs);
  const weak = diagonal.findIndex((value, k) => !(Math.abs(value) > 1e-12 * (norms[k] as number)));
  if (weak >= 0) {
    throw new SingularMatrixError(
      `column ${weak} depends on the columns before it, so there is no unique solution; drop it or add a penalty`,
    );
  }
  return backSubstitute(a, b, diagonal, columns, outputs);
}

function columnNorms(a: Float64Array, rows: number, columns: number): Float64Array {
  const norms = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) norms[j] = Math.hypot(norms[j] as number, a[i * columns + j] as number);
  }
  return norms;
}

/** Zeroes column k below the diagonal, applies the reflection to all that is right of it, returns the pivot. */
function reflectColumn(
  a: Float64Array,
  b: Float64Array,
  k: number,
  rows: number,
  columns: number,
  outputs: number,
): number {
  let square = 0;
  for (let i = k; i < rows; i++) square += (a[i * columns + k] as number) ** 2;
  const head = a[k * columns + k] as number;
  const pivot = head > 0 ? -Math.sqrt(square) : Math.sqrt(square);
  if (pivot === 0) return 0;
  // v = x − pivot·e₁ is kept in column k; ‖v‖² = 2 (square − head·pivot).
  a[k * columns + k] = head - pivot;
  const scale = 1 / (square - head * pivot);
  for (let j = k + 1; j < columns; j++) reflect(a, columns, j, a, columns, k, rows, scale);
  for (let j = 0; j < outputs; j++) reflect(b, outputs, j, a, columns, k, rows, scale);
  return pivot;
}

/** target column j ← (I − scale·v vᵀ) target column j, with v in column k of a. */
function reflect(
  target: Float64Array,
  width: number,
  j: number,
  a: Float64Array,
  columns: number,
  k: number,
  rows: number,
  scale: number,
): void {
  let dot = 0;
  for (let i = k; i < rows; i++) dot += (a[i * columns + k] as number) * (target[i * width + j] as number);
  dot *= scale;
  for (let i = k; i < rows; i++) {
    target[i * width + j] = (target[i * width + j] as number) - dot * (a[i * columns + k] as number);
  }
}

function backSubstitute(
  a: Float64Array,
  b: Float64Array,
  diagonal: Float64Array,
  columns: number,
  outputs: number,
): Float64Array<ArrayBuffer> {
  const solution = new Float64Array(columns * outputs);
  for (let j = 0; j < outputs; j++) {
    for (let i = columns - 1; i >= 0; i--) {
      let sum = b[i * outputs + j] as number;
      for (let p = i + 1; p < columns; p++)
        sum -= (a[i * columns + p] as number) * (solution[p * outputs + j] as number);
      solution[i * outputs + j] = sum / (diagonal[i] as number);
    }
  }
  return solution;
}
