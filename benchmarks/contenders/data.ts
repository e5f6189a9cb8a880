// Rows to train on and to predict, the same for all contenders.
import assert from 'node:assert/strict';
import { seededRandom } from 'mainstem';

/** Rows × columns with one label a row. */
export interface Rows<Data extends Float32Array | Float64Array> {
  readonly features: { readonly data: Data; readonly rows: number; readonly columns: number };
  readonly labels: Float64Array;
}

/** Numbers in [−1, 1); labels are their sums with weights from −1 to 1, and a little noise. */
export function regressionRows(rows: number, columns: number): Rows<Float64Array<ArrayBuffer>> {
  const random = seededRandom(rows);
  const data = Float64Array.from({ length: rows * columns }, () => 2 * random.next() - 1);
  const labels = Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0.1 * random.next();
    for (let j = 0; j < columns; j++) sum += (1 - (2 * j) / columns) * data[row * columns + j]!;
    return sum;
  });
  return { features: { data, rows, columns }, labels };
}

/** Numbers in [−1, 1); the label of four rows of five says where the largest of the first `classes` is. */
export function classRows(rows: number, columns: number, classes: number): Rows<Float32Array<ArrayBuffer>> {
  const random = seededRandom(rows + columns);
  const data = Float32Array.from({ length: rows * columns }, () => 2 * random.next() - 1);
  const labels = Float64Array.from({ length: rows }, (_, row) => {
    // A network that knows every label leaves gradients so small that they slow down every contender.
    if (random.next() < 0.2) return Math.floor(random.next() * classes);
    const candidates = [...data.subarray(row * columns, row * columns + classes)];
    return candidates.indexOf(Math.max(...candidates));
  });
  return { features: { data, rows, columns }, labels };
}

/** Throws where two lists differ anywhere by more than `tolerance`, absolute. */
export function assertClose(
  name: string,
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(got.length, expected.length, `${name}: ${got.length} numbers, expected ${expected.length}`);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(got[i]! - expected[i]!);
    assert.ok(difference <= tolerance, `${name}: value ${i} is ${got[i]}, expected ${expected[i]}`);
  }
}
