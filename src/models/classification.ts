import type { Architecture } from '../parameters/architecture.ts';
import type { Values } from '../parameters/values.ts';
import type { Label } from './labels.ts';
import type { LossName } from './losses.ts';

/** The classes that an architecture names. */
export function architectureClasses(architecture: Architecture | undefined): readonly Label[] | undefined {
  const classes = architecture?.classes;
  return Array.isArray(classes) ? (classes as readonly Label[]) : undefined;
}

/** Whether a loss may have classes: crossEntropy always has some. */
export function isClassifierLoss(loss: LossName): boolean {
  return loss === 'crossEntropy' || loss === 'hinge';
}

/** The class of each row: the likeliest; for one column, the second from `threshold`, 0.5, upwards. */
export function classIndices(outputs: Values, rows: number, threshold: number = 0.5): Int32Array {
  const columns = outputs.length / rows;
  return Int32Array.from({ length: rows }, (_, row) => {
    if (columns === 1) return (outputs[row] as number) >= threshold ? 1 : 0;
    let best = 0;
    for (let j = 1; j < columns; j++) {
      if ((outputs[row * columns + j] as number) > (outputs[row * columns + best] as number)) best = j;
    }
    return best;
  });
}

/** The label of each row, as `classIndices` finds it. */
export function labelsOf(
  outputs: Values,
  rows: number,
  classes: readonly Label[],
  threshold?: number,
): Label[] {
  return Array.from(classIndices(outputs, rows, threshold), (index) => classes[index] as Label);
}

/** Rows × classes of probabilities. One column p stands for 1 − p and p. Rows sum to 1, computed in float64. */
export function probabilityRows(outputs: Values, rows: number, classes: number): number[][] {
  const columns = outputs.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    if (columns === 1) return [1 - (outputs[row] as number), outputs[row] as number];
    const probabilities = Array.from(outputs.subarray(row * classes, (row + 1) * classes));
    const sum = probabilities.reduce((total, p) => total + p, 0);
    return probabilities.map((p) => p / sum);
  });
}
