import type { InboxPool, InboxSlot } from '../kernels/InboxPool.ts';
import type { MergeChild } from '../mergers/Merger.ts';
import { PooledChild } from '../mergers/PooledChild.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';

/**
 * A coordinator's copy of what a child sent last: in a slot of its pool, or in an ordinary array. Whoever uses it
 * holds it: a merge in slices goes on with what it began with, though the child has left meanwhile.
 */
export class KeptParameters {
  readonly layout: ParameterLayout;
  readonly dtype: DataType;
  readonly sampleCount: number | undefined;
  readonly baseVersion: number | undefined;
  readonly #pool: InboxPool | undefined;
  readonly #slot: InboxSlot | undefined;
  readonly #parameters: ModelParameters | undefined;
  #holders = 1;

  /** Copies; held once. */
  constructor(parameters: ModelParameters, pool: InboxPool | undefined) {
    const { layout, dtype, sampleCount, baseVersion } = parameters;
    this.layout = layout;
    this.dtype = dtype;
    this.sampleCount = sampleCount;
    this.baseVersion = baseVersion;
    this.#pool = pool;
    this.#slot = pool?.put(parameters.values);
    this.#parameters = this.#slot === undefined ? parameters.clone() : undefined;
  }

  /** The parameters; those of a slot are copied. Not to be written to. */
  get parameters(): ModelParameters {
    if (this.#parameters !== undefined) return this.#parameters;
    const { layout, dtype, sampleCount, baseVersion } = this;
    const values = createValues(dtype, layout.length);
    this.#slot?.copyTo(values, 0, values.length);
    return new ModelParameters(layout, values, { sampleCount, baseVersion });
  }

  /** The child as a merger gets it. */
  asChild({ id, index, sampleCount, staleness }: Omit<MergeChild, 'parameters'>): MergeChild {
    if (this.#parameters !== undefined) {
      return { id, index, parameters: this.#parameters, sampleCount, staleness };
    }
    const [pool, slot] = [this.#pool as InboxPool, this.#slot as InboxSlot];
    return new PooledChild({ id, index, sampleCount, staleness }, pool, slot, () => this.parameters);
  }

  hold(): void {
    this.#holders++;
  }

  /** Lets go; the last one gives the slot back. */
  release(): void {
    if (--this.#holders === 0) this.#slot?.release();
  }
}
