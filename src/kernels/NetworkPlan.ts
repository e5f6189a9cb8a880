import type { Values } from '../parameters/values.ts';

/** An activation as the kernels see it: by its name where they have it, else by its functions. */
export interface PlannedActivation {
  readonly description: string | object;
  readonly needsInputs: boolean;
  forward(values: Values, rows: number, columns: number): void;
  backward(delta: Values, outputs: Values, inputs: Values, rows: number, columns: number): void;
}

/** One dense layer. Offsets count numbers of the flat array; −1 where there is no bias. */
export interface PlannedLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: PlannedActivation;
  readonly weights: number;
  readonly bias: number;
}

/** A chain of dense layers over one flat array, and what its outputs are judged by. */
export interface NetworkPlan {
  readonly layers: readonly PlannedLayer[];
  readonly loss: {
    readonly name: string;
    readonly description: string | { readonly delta: number };
    readonly fusesWith: string | undefined;
  };
}

/** Rows of numbers, or one class index a row. */
export type PlannedTargets =
  | { readonly kind: 'rows'; readonly values: Values; readonly columns: number }
  | { readonly kind: 'classes'; readonly indices: Int32Array };

/** The rows of a training or an evaluation. */
export interface PlannedData {
  readonly features: { readonly data: Values; readonly rows: number; readonly columns: number };
  readonly targets: PlannedTargets;
}
