import type { Features } from '../models/features.ts';
import { readMatrix, toRows } from '../models/features.ts';
import { NamedTensors } from '../parameters/NamedTensors.ts';
import type { MathjsMatrix } from './mathjs.ts';
import { denseMatrixOf } from './mathjs.ts';

/**
 * A mathjs DenseMatrix, a copy, that any copy of mathjs takes: of features (rows × columns), of a flat list (a
 * vector), or of each tensor of ModelParameters or Gradients, by name. mathjs has no types here, as it need not be
 * installed; where it is, name its type: `toMathjs<math.Matrix>(rows)`. The other way needs no function: mathjs
 * matrices are features. Throws InvalidDataError for anything else.
 */
export function toMathjs<Matrix = MathjsMatrix>(tensors: NamedTensors): { [name: string]: Matrix };
export function toMathjs<Matrix = MathjsMatrix>(
  source: Features | readonly number[] | Float32Array | Float64Array,
): Matrix;
export function toMathjs(
  source: NamedTensors | Features | readonly number[] | Float32Array | Float64Array,
): MathjsMatrix | { [name: string]: MathjsMatrix } {
  if (source instanceof NamedTensors) {
    const tensors = Object.entries(source.toArrays());
    // A tensor without axes is a number in nested arrays; mathjs knows no matrix without axes.
    return Object.fromEntries(
      tensors.map(([name, values]) => [name, denseMatrixOf(Array.isArray(values) ? values : [values])]),
    );
  }
  const isFlat =
    source instanceof Float32Array ||
    source instanceof Float64Array ||
    (Array.isArray(source) && typeof source[0] === 'number');
  if (isFlat) {
    const row = readMatrix([source as readonly number[] | Float64Array], 'float64', 'values');
    return denseMatrixOf(Array.from(row.data));
  }
  const { data, rows, columns } = readMatrix(source as Features, 'float64', 'values');
  return denseMatrixOf(toRows(data, rows, columns));
}
