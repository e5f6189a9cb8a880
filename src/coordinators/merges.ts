import { ContractViolationError, InvalidOptionError } from '../errors.ts';
import type { MergeChild, MergeContext, Merger } from '../mergers/Merger.ts';
import { inSlices, inSteps } from '../steps.ts';
import type { Mode } from './rounds/Mode.ts';

type Spare = Float64Array<ArrayBuffer>;

/** Merges children that are all there. */
export function* mergeInto(
  spare: Spare,
  merger: Merger,
  children: readonly MergeChild[],
  context: MergeContext,
): Generator<undefined, void> {
  if (merger.mergeAll !== undefined) {
    yield* inSteps(merger.mergeAll(children, context, spare));
    return;
  }
  const state = merger.begin(context);
  for (const child of children) yield* inSteps(merger.add(state, child));
  yield* finishInto(spare, merger, state);
}

/** Ends a merge that children were added to. */
export function* finishInto(spare: Spare, merger: Merger, state: unknown): Generator<undefined, void> {
  const merged = yield* inSteps(merger.finish(state));
  if (merged.length !== spare.length) {
    throw new ContractViolationError(
      `the merger returned ${merged.length} values, the layout has ${spare.length}`,
    );
  }
  yield* inSlices(spare.length, (start, end) => spare.set(merged.subarray(start, end), start));
}

/** Throws InvalidOptionError for what is no merger, and for one that needs more children than a round may have. */
export function checkMerger(merger: Merger, { name, quorum }: Mode): Merger {
  const isMerger =
    typeof merger?.begin === 'function' &&
    typeof merger.add === 'function' &&
    typeof merger.finish === 'function';
  if (!isMerger || !(merger.needs?.minimumChildren >= 1)) {
    throw new InvalidOptionError(
      'a merger needs needs, begin, add and finish; ModelParametersMerger has them',
    );
  }
  const { minimumChildren } = merger.needs;
  if (name !== 'immediate' && minimumChildren > quorum) {
    throw new InvalidOptionError(
      `the merger needs ${minimumChildren} children, a round of this mode may have ${quorum}`,
    );
  }
  return merger;
}
