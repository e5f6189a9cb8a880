import { LayoutMismatchError } from '../../errors.ts';

type Numbers = Float64Array<ArrayBuffer>;

/**
 * The lower triangle L of a symmetric matrix A = L Lᵀ, row-major, of which only the lower triangle is read; undefined where
 * A is not positive definite.
 */
export function cholesky(matrix: Float64Array, size: number): Numbers | undefined {
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column] as number;
      for (let k = 0; k < column; k++)
        sum -= (lower[row * size + k] as number) * (lower[column * size + k] as number);
      if (row > column) lower[row * size + column] = sum / (lower[column * size + column] as number);
      else if (sum > 0) lower[row * size + row] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return lower;
}

/** x of L x = b, in place. */
export function solveLower(lower: Float64Array, b: Float64Array): void {
  const size = b.length;
  for (let row = 0; row < size; row++) {
    let sum = b[row] as number;
    for (let k = 0; k < row; k++) sum -= (lower[row * size + k] as number) * (b[k] as number);
    b[row] = sum / (lower[row * size + row] as number);
  }
}

/** x of Lᵀ x = b, in place. */
export function solveUpper(lower: Float64Array, b: Float64Array): void {
  const size = b.length;
  for (let row = size - 1; row >= 0; row--) {
    let sum = b[row] as number;
    for (let k = row + 1; k < size; k++) sum -= (lower[k * size + row] as number) * (b[k] as number);
    b[row] = sum / (lower[row * size + row] as number);
  }
}

/** x of A x = b with A = L Lᵀ, in place. */
export function solveFrom(lower: Float64Array, b: Float64Array): void {
  solveLower(lower, b);
  solveUpper(lower, b);
}

/** hᵀ A⁻¹ h = ‖L⁻¹ h‖² of A = L Lᵀ. */
export function inverseSquare(lower: Float64Array, h: Numbers): number {
  const half = h.slice();
  solveLower(lower, half);
  return half.reduce((sum, value) => sum + value * value, 0);
}

/** A⁻¹ of A = L Lᵀ, row-major, whole and symmetric. */
export function invertFrom(lower: Float64Array, size: number): Numbers {
  const inverse = new Float64Array(size * size);
  const column = new Float64Array(size);
  for (let c = 0; c < size; c++) {
    column.fill(0);
    column[c] = 1;
    solveFrom(lower, column);
    for (let r = 0; r < size; r++) inverse[r * size + c] = column[r] as number;
  }
  for (let r = 0; r < size; r++)
    for (let c = 0; c < r; c++) {
      const mean = 0.5 * ((inverse[r * size + c] as number) + (inverse[c * size + r] as number));
      inverse[r * size + c] = mean;
      inverse[c * size + r] = mean;
    }
  return inverse;
}

/** ln |A| of A = L Lᵀ. */
export function logDeterminant(lower: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += Math.log(lower[i * size + i] as number);
  return 2 * sum;
}

/** Throws LayoutMismatchError unless there are as many numbers as in a matrix of this size. */
export function requireSquare(matrix: ArrayLike<number>, dimension: number): void {
  if (matrix.length === dimension * dimension) return;
  throw new LayoutMismatchError(
    `got ${matrix.length} numbers for a ${dimension} × ${dimension} matrix, expected ${dimension * dimension}`,
  );
}
