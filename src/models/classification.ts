import type { Architecture } from '../parameters/architecture.ts';
import type { Values } from '../parameters/values.ts';
import { toRows } from './features.ts';
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
  const indices = new Int32Array(rows);
  for (let row = 0; row < rows; row++) indices[row] = classOfRow(outputs, row * columns, columns, threshold);
  return indices;
}

/** The label of each row, as `classIndices` finds it. */
export function labelsOf(
  outputs: Values,
  rows: number,
  classes: readonly Label[],
  threshold: number = 0.5,
): Label[] {
  const columns = outputs.length / rows;
  const labels: Label[] = [];
  for (let row = 0; row < rows; row++) {
    labels.push(classes[classOfRow(outputs, row * columns, columns, threshold)] as Label);
  }
  return labels;
}

function classOfRow(outputs: Values, at: number, columns: number, threshold: number): number {
  if (columns === 1) return (outputs[at] as number) >= threshold ? 1 : 0;
  let best = 0;
  let largest = outputs[at] as number;
  for (let j = 1; j < columns; j++) {
    const output = outputs[at + j] as number;
    if (output > largest) {
      largest = output;
      best = j;
    }
  }
  return best;
}

/** Rows × classes of probabilities. One column p stands for 1 − p and p. Rows sum to 1, computed in float64. */
export function probabilityRows(outputs: Values, rows: number, classes: number): number[][] {
  if (outputs.length === rows) return Array.from(outputs, (p) => [1 - p, p]);
  const table = toRows(outputs, rows, classes);
  for (const probabilities of table) {
    let sum = 0;
    for (const p of probabilities) sum += p;
    for (let j = 0; j < classes; j++) probabilities[j] = (probabilities[j] as number) / sum;
  }
  return table;
}
