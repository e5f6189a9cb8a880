import { LimitExceededError } from '../errors.ts';
import { InboxPool } from '../kernels/InboxPool.ts';
import type { CoordinatorLimits } from '../limits.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { StoreOperation } from '../storage/Store.ts';
import { KeptParameters } from './KeptParameters.ts';
import type { Ledger, ReadRecord } from './Ledger.ts';
import type { Member, Membership } from './Membership.ts';
import { decodeTensors, encodeTensors } from './persistence.ts';

/** The latest parameters of one child. */
export interface Kept {
  readonly member: Member;
  readonly parameters: KeptParameters;
}

/** What is kept in the store. */
type Records = Pick<Ledger, 'keys' | 'remove' | 'flush'>;

const prefix = 'latest/';

/** The latest parameters of each child, for a main that is the merge of all of them. */
export class LatestChildren {
  readonly #limits: CoordinatorLimits;
  readonly #kept = new Map<string, Kept>();
  #inbox: InboxPool | undefined;

  constructor(limits: CoordinatorLimits) {
    this.#limits = limits;
  }

  /** Throws LimitExceededError where there is no room for another child. */
  checkRoom(member: Member): void {
    if (this.#kept.has(member.id)) return;
    const { keptChildrenMax, keptAnonymousMax } = this.#limits;
    let anonymous = 0;
    for (const kept of this.#kept.values()) if (kept.member.isAnonymous) anonymous++;
    const [count, limit] = member.isAnonymous
      ? [anonymous, keptAnonymousMax]
      : [this.#kept.size - anonymous, keptChildrenMax];
    if (count < limit) return;
    throw new LimitExceededError(
      `the latest parameters of ${count} ${member.isAnonymous ? 'anonymous ' : ''}children are kept, at most ${limit} are allowed; give updates a childId, or set a mode or childUpdatesPerMerge, which keep none`,
    );
  }

  /** Throws where the parameters of a child that is kept do not fit. */
  checkLayout(layout: ParameterLayout): void {
    for (const { parameters } of this.#kept.values())
      parameters.layout.assertFits(layout, 'parameters', 'other children');
  }

  /** Throws where a new main does not fit the children that are kept. */
  checkMain(layout: ParameterLayout): void {
    for (const { parameters } of this.#kept.values())
      layout.assertFits(parameters.layout, 'parameters of children', 'the new main');
  }

  /** All children, by id, with this one's new parameters in place of its older ones. */
  with(kept: Kept): Kept[] {
    const children = [...new Map(this.#kept).set(kept.member.id, kept).values()];
    return children.sort((a, b) => (a.member.id < b.member.id ? -1 : 1));
  }

  replace(kept: Kept): void {
    const { id } = kept.member;
    this.#kept.get(id)?.parameters.release();
    kept.parameters.hold();
    this.#kept.set(id, kept);
  }

  /** A copy, in the pool where there is room. */
  keep(parameters: ModelParameters): KeptParameters {
    const { length } = parameters.layout;
    // A pool of another length, or of kernels that are not in use any more, goes when its last slot is free.
    if ((this.#inbox?.size ?? 0) === 0 && this.#inbox?.length !== length)
      this.#inbox = InboxPool.create(length);
    return new KeptParameters(parameters, this.#inbox?.isSelected ? this.#inbox : undefined);
  }

  /** True where something was kept of this child. */
  forget(member: Member, records: Records): boolean {
    const kept = this.#kept.get(member.id);
    if (kept === undefined) return false;
    this.#kept.delete(member.id);
    kept.parameters.release();
    if (member.isDurable) records.remove([keyOf(member)]);
    return true;
  }

  clear(records: Records): void {
    const durable = [...this.#kept.values()].filter(({ member }) => member.isDurable);
    records.remove(durable.map(({ member }) => keyOf(member)));
    for (const { parameters } of this.#kept.values()) parameters.release();
    this.#kept.clear();
  }

  /** What a commit keeps of these members. */
  stored(members: readonly Member[], version: number): StoreOperation[] {
    return members.flatMap((member) => {
      const kept = this.#kept.get(member.id);
      if (kept === undefined || !member.isDurable) return [];
      const { layout, values, dtype, sampleCount } = kept.parameters.parameters;
      const value = encodeTensors(layout, values, { version, outerDtype: dtype, sampleCount });
      return [{ key: keyOf(member), value }];
    });
  }

  /** Reads what `stored` wrote; the function returned puts it back. */
  async load(read: ReadRecord, records: Records, membership: Membership): Promise<() => void> {
    const loaded = new Map<string, ModelParameters>();
    for (const key of await records.keys(prefix)) {
      const stored = await read(key);
      if (stored === undefined) continue;
      loaded.set(decodeURIComponent(key.slice(prefix.length)), decodeTensors(stored).parameters);
    }
    return () => {
      for (const [id, parameters] of loaded) {
        const member = membership.find(id);
        if (member !== undefined) this.#kept.set(id, { member, parameters: this.keep(parameters) });
      }
    };
  }
}

function keyOf({ id }: Member): string {
  return prefix + encodeURIComponent(id);
}
