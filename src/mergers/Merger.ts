import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import type { Steps } from '../steps.ts';

/** One child's part of a merge. Its parameters fit the layout and are finite. */
export interface MergeChild {
  /** The child's id; anonymous ones have an invented one. */
  readonly id: string;
  /** Its place among the children: 0, 1, 2 … in the order in which they first came. */
  readonly index: number;
  readonly parameters: ModelParameters;
  /** Rows that it was trained on, where it says so. */
  readonly sampleCount: number | undefined;
  /** Versions of main that have passed since its training started; undefined where it does not say. */
  readonly staleness?: number | undefined;
}

/** What a merge starts with. */
export interface MergeContext {
  readonly layout: ParameterLayout;
  /** Main as it is, or undefined before the first merge. */
  readonly main: ModelParameters | undefined;
}

/** What a merger asks for. A coordinator checks it before it begins. */
export interface MergerNeeds {
  /** Fewest children of a merge that makes sense, 1 or more. */
  readonly minimumChildren: number;
  /** Whether every child must name its sample count. */
  readonly sampleCounts: boolean;
}

/**
 * Makes one set of parameters of many. All that a merge remembers is in its state, so that one merger may serve
 * several merges at once, and a merger that needs no more than sums keeps O(parameters) whatever the number of
 * children. `add` and `finish` may work in slices (see Steps). `mergerContract` of mainstem/testing says whether a
 * class of your own keeps this contract.
 */
export interface Merger<State = unknown> {
  readonly needs: MergerNeeds;
  /** Starts a merge. */
  begin(context: MergeContext): State;
  /** Takes a child in, or throws before anything has changed. Keeps no reference to the child's parameters. */
  add(state: State, child: MergeChild): Steps<void>;
  /** The merged values, in the order of the layout. Throws a MainstemError where there is no sensible result. */
  finish(state: State): Steps<Values>;
  /**
   * The same as `begin`, `add` for each of one or more children and `finish`, for a merger that is faster when it has
   * them all: writes the merged values into `target`, which may be read only after it. Throws what the others throw.
   */
  mergeAll?(children: readonly MergeChild[], context: MergeContext, target: Values): Steps<void>;
}
