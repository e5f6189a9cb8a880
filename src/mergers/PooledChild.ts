import type { InboxPool, InboxSlot } from '../kernels/InboxPool.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { MergeChild } from './Merger.ts';

/** A child whose parameters are in a pool. A merger that knows it merges them there; for others they are copied out. */
export class PooledChild implements MergeChild {
  readonly id: string;
  readonly index: number;
  readonly sampleCount: number | undefined;
  readonly staleness: number | undefined;
  readonly #pool: InboxPool;
  readonly #slot: InboxSlot;
  readonly #copy: () => ModelParameters;

  constructor(
    { id, index, sampleCount, staleness }: Omit<MergeChild, 'parameters'>,
    pool: InboxPool,
    slot: InboxSlot,
    copy: () => ModelParameters,
  ) {
    this.id = id;
    this.index = index;
    this.sampleCount = sampleCount;
    this.staleness = staleness;
    this.#pool = pool;
    this.#slot = slot;
    this.#copy = copy;
  }

  /** A copy, new each time. */
  get parameters(): ModelParameters {
    return this.#copy();
  }

  /** Whether the parameters of a child are in a pool. */
  static isPooled(child: MergeChild): boolean {
    return child instanceof PooledChild;
  }

  /** The pool and the slots of children that are all in one, and can be merged there; undefined otherwise. */
  static poolOf(children: readonly MergeChild[]): { pool: InboxPool; slots: InboxSlot[] } | undefined {
    const slots: InboxSlot[] = [];
    let pool: InboxPool | undefined;
    for (const child of children) {
      if (!(child instanceof PooledChild) || (pool ?? child.#pool) !== child.#pool) return undefined;
      pool = child.#pool;
      slots.push(child.#slot);
    }
    return pool?.isSelected === true ? { pool, slots } : undefined;
  }
}
