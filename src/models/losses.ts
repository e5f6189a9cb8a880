import { InvalidDataError } from '../errors.ts';
import type { Values } from '../parameters/values.ts';
import type { ActivationName } from './activations.ts';

/** The built-in losses. */
export type LossName = 'crossEntropy' | 'meanSquaredError' | 'binaryCrossEntropy' | 'huber' | 'hinge';

/** Whatever a `loss` option takes: a name; or huber with the error `delta`, 1, from which on it grows linearly. */
export type LossOption = LossName | { readonly name: 'huber'; readonly delta?: number };

/** What a loss compares outputs with: numbers, rows × outputs, or one class index a row. */
export type Targets =
  | { readonly kind: 'rows'; readonly values: Values; readonly columns: number }
  | { readonly kind: 'classes'; readonly indices: Int32Array };

/** A loss over whole arrays. */
export interface Loss {
  readonly name: LossName;
  /** What stands in the architecture: the name where all settings are the defaults. */
  readonly description: LossName | { readonly name: LossName; readonly delta: number };
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

/** Throws InvalidDataError where rows of labels hold numbers that the loss has no meaning for. */
export function checkTargetValues(loss: LossName, values: Values): void {
  if (loss === 'binaryCrossEntropy' && values.some((value) => value < 0 || value > 1)) {
    throw new InvalidDataError('labels of binaryCrossEntropy must lie between 0 and 1');
  }
  if (loss !== 'hinge') return;
  const wrong = values.find((value) => value !== 1 && value !== -1);
  if (wrong === undefined) return;
  throw new InvalidDataError(
    `labels of hinge are −1 or 1, got ${wrong}; for other labels give the network the option classes`,
  );
}
