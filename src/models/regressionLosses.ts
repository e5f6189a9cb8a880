import { InvalidOptionError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import type { Loss, Targets } from './losses.ts';

function rowTargets(targets: Targets): Values {
  if (targets.kind === 'rows') return targets.values;
  throw new InvalidOptionError('this loss needs rows of numbers, got class labels');
}

/** Mean over outputs of squared differences, without ½. */
export const meanSquaredError: Loss = {
  name: 'meanSquaredError',
  description: 'meanSquaredError',
  fusesWith: undefined,
  evaluate({ outputs, delta, targets, rows, columns, order, first }) {
    const wanted = rowTargets(targets);
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      const at = i * columns;
      const target = (order === undefined ? first + i : (order[first + i] as number)) * columns;
      for (let j = 0; j < columns; j++) {
        const difference = (outputs[at + j] as number) - (wanted[target + j] as number);
        sum += difference * difference;
        delta[at + j] = (2 * difference) / columns;
      }
    }
    return sum / columns;
  },
};

/**
 * Mean over outputs of e²/2 for errors |e| up to δ, and of δ (|e| − δ/2) beyond (Huber 1964, equation 2.3): an
 * outlier pulls no harder than δ.
 */
export function huber(delta: number): Loss {
  return {
    name: 'huber',
    description: delta === 1 ? 'huber' : { name: 'huber', delta },
    fusesWith: undefined,
    evaluate({ outputs, delta: slopes, targets, rows, columns, order, first }) {
      const wanted = rowTargets(targets);
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        const at = i * columns;
        const target = (order === undefined ? first + i : (order[first + i] as number)) * columns;
        for (let j = 0; j < columns; j++) {
          const error = (outputs[at + j] as number) - (wanted[target + j] as number);
          const clipped = Math.max(-delta, Math.min(delta, error));
          // With c = ±δ beyond δ, c (e − c/2) is both branches.
          sum += clipped * (error - clipped / 2);
          slopes[at + j] = clipped / columns;
        }
      }
      return sum / columns;
    },
  };
}
