import { ContractViolationError } from '../errors.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { Values } from '../parameters/values.ts';
import type { MergeChild, MergeContext, Merger, MergerNeeds } from './Merger.ts';

/** A merge as one function: all children, sorted by id, to one set of parameters or values. */
export type MergeFunction = (
  children: readonly MergeChild[],
  context: MergeContext,
) => ModelParameters | ArrayLike<number>;

/** All children of a merge. */
export interface CustomMergeState {
  readonly context: MergeContext;
  readonly children: MergeChild[];
}

/** Runs a user's function over copies of all children at once. */
export class CustomMerge implements Merger<CustomMergeState> {
  readonly needs: MergerNeeds = { minimumChildren: 1, sampleCounts: false };
  readonly #merge: MergeFunction;

  constructor(merge: MergeFunction) {
    this.#merge = merge;
  }

  begin(context: MergeContext): CustomMergeState {
    return { context, children: [] };
  }

  add(state: CustomMergeState, child: MergeChild): void {
    state.children.push({ ...child, parameters: child.parameters.clone() });
  }

  finish({ context, children }: CustomMergeState): Values {
    // Sorted by id, so that the order of arrival does not matter.
    const sorted = [...children].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.index - b.index));
    const merged = this.#merge(sorted, context);
    if (ModelParameters.isModelParameters(merged)) {
      context.layout.assertFits(merged.layout, 'the merged parameters', 'the children');
      return merged.values.slice();
    }
    if (merged === null || typeof merged !== 'object' || merged.length !== context.layout.length) {
      throw new ContractViolationError(
        `a custom merge must return ModelParameters or ${context.layout.length} numbers`,
      );
    }
    return Float64Array.from(merged);
  }
}
