import type { Values } from '../parameters/values.ts';
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
