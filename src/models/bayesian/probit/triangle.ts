// Symmetric matrices by their lower triangle, row by row: half of the memory, and half of the way through it.

type Numbers = Float64Array<ArrayBuffer>;

/** Numbers in the triangle of a size × size matrix. */
export function triangleLength(size: number): number {
  return (size * (size + 1)) / 2;
}

/** The triangle of a whole matrix, row-major. */
export function triangleOf(matrix: Float64Array, size: number): Numbers {
  const triangle = new Float64Array(triangleLength(size));
  for (let r = 0, at = 0; r < size; r++)
    for (let c = 0; c <= r; c++, at++) triangle[at] = matrix[r * size + c] as number;
  return triangle;
}

/** The whole matrix, row-major. */
export function wholeOf(triangle: Float64Array, size: number): Numbers {
  const matrix = new Float64Array(size * size);
  for (let r = 0, at = 0; r < size; r++)
    for (let c = 0; c <= r; c++, at++) {
      matrix[r * size + c] = triangle[at] as number;
      matrix[c * size + r] = triangle[at] as number;
    }
  return matrix;
}

/** target = A x; returns xᵀ A x. */
export function multiplyTriangle(triangle: Float64Array, x: Float64Array, target: Float64Array): number {
  const size = x.length;
  for (let r = 0, at = 0; r < size; r++) {
    const scale = x[r] as number;
    // Two sums: one alone waits for itself.
    let [even, odd] = [0, 0];
    let c = 0;
    for (; c + 1 < r; c += 2, at += 2) {
      const first = triangle[at] as number;
      const second = triangle[at + 1] as number;
      even += first * (x[c] as number);
      odd += second * (x[c + 1] as number);
      target[c] = (target[c] as number) + first * scale;
      target[c + 1] = (target[c + 1] as number) + second * scale;
    }
    for (; c < r; c++, at++) {
      const value = triangle[at] as number;
      even += value * (x[c] as number);
      target[c] = (target[c] as number) + value * scale;
    }
    target[r] = even + odd + (triangle[at++] as number) * scale;
  }
  let square = 0;
  for (let r = 0; r < size; r++) square += (target[r] as number) * (x[r] as number);
  return square;
}

/** A ← A + factor · x xᵀ. */
export function addSquare(triangle: Float64Array, x: Float64Array, factor: number): void {
  const size = x.length;
  for (let r = 0, at = 0; r < size; r++) {
    const scale = factor * (x[r] as number);
    for (let c = 0; c <= r; c++, at++) triangle[at] = (triangle[at] as number) + scale * (x[c] as number);
  }
}
