import { InvalidOptionError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import { show } from '../show.ts';
import type { ActivationName } from './activations.ts';

/** The built-in losses. */
export type LossName = 'crossEntropy' | 'meanSquaredError' | 'binaryCrossEntropy';

/** What a loss compares outputs with: numbers, rows × outputs, or one class index a row. */
export type Targets =
  | { readonly kind: 'rows'; readonly values: Values; readonly columns: number }
  | { readonly kind: 'classes'; readonly indices: Int32Array };

/** A loss over whole arrays. */
export interface Loss {
  readonly name: LossName;
  /**
   * Sums the cost over `rows` rows and writes ∂(sum)/∂outputs into `delta`. Outputs are rows × columns: the last
   * layer's activations, or its logits where the loss and the last activation are one function (`fusesWith`),
   * which is what keeps it stable for any logits. Targets are read from row `first` of `order`, or of the data.
   */
  evaluate(batch: LossBatch): number;
  /** The last activation that is folded into the loss. */
  readonly fusesWith: ActivationName | undefined;
}

/** One call of a loss. */
export interface LossBatch {
  readonly outputs: Values;
  readonly delta: Values;
  readonly targets: Targets;
  readonly rows: number;
  readonly columns: number;
  /** Row of the data that stands at row i of the batch: order[first + i], or first + i. */
  readonly order: Int32Array | undefined;
  readonly first: number;
}

function rowTargets(targets: Targets): Values {
  if (targets.kind === 'rows') return targets.values;
  throw new InvalidOptionError('this loss needs rows of numbers, got class labels');
}

/** Mean over outputs of squared differences, without ½. */
const meanSquaredError: Loss = {
  name: 'meanSquaredError',
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

/** Mean over outputs of −y log p − (1 − y) log(1 − p) with p = sigmoid(z): max(z, 0) − z y + log(1 + e^−|z|). */
const binaryCrossEntropy: Loss = {
  name: 'binaryCrossEntropy',
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
const crossEntropy: Loss = {
  name: 'crossEntropy',
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

const losses: Readonly<Record<LossName, Loss>> = { crossEntropy, meanSquaredError, binaryCrossEntropy };

/** The loss of a name. Throws InvalidOptionError for an unknown one. */
export function lossNamed(name: LossName): Loss {
  if (Object.hasOwn(losses, name)) return losses[name];
  throw new InvalidOptionError(`loss is ${show(name)}, expected one of ${Object.keys(losses).join(', ')}`);
}

/** Throws InvalidOptionError where a loss cannot follow the last activation. */
export function checkLossPair(loss: LossName, activation: ActivationName): void {
  const { fusesWith } = lossNamed(loss);
  if (fusesWith !== undefined && activation !== fusesWith) {
    throw new InvalidOptionError(`loss ${loss} needs ${fusesWith} as the last activation, got ${activation}`);
  }
}
