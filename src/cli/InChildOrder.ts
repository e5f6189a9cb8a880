import type { MergeChild, MergeContext, Merger, MergerNeeds } from 'mainstem';
import { ModelParametersMerger } from 'mainstem';

/** A merge that waits for all its children. */
interface Gathering {
  readonly context: MergeContext;
  readonly children: MergeChild[];
}

/**
 * The mean, weighted by rows, added up in the order of the children's names and not of their arrival, so that a seed
 * gives the same bits wherever the children are: training without a scaler makes much of a last bit. In exchange it
 * keeps a copy of each child's parameters until the merge.
 */
export class InChildOrder implements Merger<Gathering> {
  readonly #mean = new ModelParametersMerger();

  get needs(): MergerNeeds {
    return this.#mean.needs;
  }

  begin(context: MergeContext): Gathering {
    return { context, children: [] };
  }

  add({ children }: Gathering, child: MergeChild): void {
    children.push({ ...child, parameters: child.parameters.clone() });
  }

  *finish({ context, children }: Gathering): ReturnType<ModelParametersMerger['finish']> {
    const state = this.#mean.begin(context);
    const sorted = [...children].sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const [index, child] of sorted.entries()) {
      const slices = this.#mean.add(state, { ...child, index });
      if (slices !== undefined) yield* slices;
    }
    return yield* this.#mean.finish(state);
  }
}
