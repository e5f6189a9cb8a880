import { InvalidOptionError } from '../errors.ts';
import type { Loss, Targets } from './losses.ts';

/** Mean over outputs of −y log p − (1 − y) log(1 − p) with p = sigmoid(z): max(z, 0) − z y + log(1 + e^−|z|). */
export const binaryCrossEntropy: Loss = {
  name: 'binaryCrossEntropy',
  description: 'binaryCrossEntropy',
  fusesWith: 'sigmoid',
  evaluate({ outputs, delta, targets, rows, columns, order, first }) {
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      const at = i * columns;
      const row = order === undefined ? first + i : (order[first + i] as number);
      for (let j = 0; j < columns; j++) {
        const z = outputs[at + j] as number;
        // A class index of a two-class model is its target: 0 or 1.
        const y =
          targets.kind === 'rows'
            ? (targets.values[row * columns + j] as number)
            : (targets.indices[row] as number);
        const e = Math.exp(-Math.abs(z));
        sum += Math.max(z, 0) - z * y + Math.log1p(e);
        const p = z >= 0 ? 1 / (1 + e) : e / (1 + e);
        delta[at + j] = (p - y) / columns;
      }
    }
    return sum / columns;
  },
};

/** −log softmax(z) of the wanted class: log Σ e^z − z, with the largest subtracted first. */
export const crossEntropy: Loss = {
  name: 'crossEntropy',
  description: 'crossEntropy',
  fusesWith: 'softmax',
  evaluate({ outputs, delta, targets, rows, columns, order, first }) {
    if (targets.kind !== 'classes')
      throw new InvalidOptionError('crossEntropy needs class labels, got rows of numbers');
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      const at = i * columns;
      const wanted = targets.indices[
        order === undefined ? first + i : (order[first + i] as number)
      ] as number;
      let largest = -Infinity;
      for (let j = 0; j < columns; j++) largest = Math.max(largest, outputs[at + j] as number);
      let total = 0;
      for (let j = 0; j < columns; j++) {
        const e = Math.exp((outputs[at + j] as number) - largest);
        delta[at + j] = e;
        total += e;
      }
      sum += Math.log(total) + largest - (outputs[at + wanted] as number);
      for (let j = 0; j < columns; j++) delta[at + j] = (delta[at + j] as number) / total;
      delta[at + wanted] = (delta[at + wanted] as number) - 1;
    }
    return sum;
  },
};

/**
 * Mean over outputs of max(0, 1 − y a) with y −1 or 1 (Cortes and Vapnik 1995); slope 0 at the corner. Of two
 * classes the second is 1; of more, each output tells its class, 1, from the rest, −1.
 */
export const hinge: Loss = {
  name: 'hinge',
  description: 'hinge',
  fusesWith: 'identity',
  evaluate({ outputs, delta, targets, rows, columns, order, first }) {
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      const at = i * columns;
      const row = order === undefined ? first + i : (order[first + i] as number);
      for (let j = 0; j < columns; j++) {
        const y = signOf(targets, row, j, columns);
        const loss = 1 - y * (outputs[at + j] as number);
        sum += Math.max(0, loss);
        delta[at + j] = loss > 0 ? -y / columns : 0;
      }
    }
    return sum / columns;
  },
};

function signOf(targets: Targets, row: number, column: number, columns: number): number {
  if (targets.kind === 'rows') return targets.values[row * columns + column] as number;
  return (targets.indices[row] as number) === (columns === 1 ? 1 : column) ? 1 : -1;
}
