import type { MainstemError } from '../errors.ts';
import {
  ContractViolationError,
  InvalidDataError,
  InvalidOptionError,
  LimitExceededError,
  MalformedDataError,
  UpdateDiscardedError,
} from '../errors.ts';
import { InboxPool } from '../kernels/InboxPool.ts';
import type { MergeChild, Merger } from '../mergers/Merger.ts';
import { ModelParametersMerger } from '../mergers/ModelParametersMerger.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { requireModelParameters } from '../parameters/ModelParameters.ts';
import type { TensorsInfo } from '../parameters/NamedTensors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import type { UpdateKind } from '../protocol/messages.ts';
import { inSlices, inSteps } from '../steps.ts';
import type { StoreOperation } from '../storage/Store.ts';
import { Coordinator } from './Coordinator.ts';
import { KeptParameters } from './KeptParameters.ts';
import type { ReadRecord } from './Ledger.ts';
import type { Member, UpdateIdentity } from './Membership.ts';
import type { CoordinatorOptions } from './options.ts';
import { checkCount } from './options.ts';
import type { Pending } from './pending.ts';
import { decodeTensors, encodeTensors } from './persistence.ts';
import type { Receipt } from './receipts.ts';

/** Options of DistributedModelParametersCoordinator. */
export interface ModelParametersCoordinatorOptions extends CoordinatorOptions {
  /**
   * Unless given, main is after each update the merge of the latest parameters of every child so far, which keeps
   * one copy for each child. N: each N arrivals (of whichever children) are merged, streaming, and the next N start afresh.
   */
  childUpdatesPerMerge?: number;
  /** `new ModelParametersMerger()` unless given: the mean weighted by rows. */
  merger?: Merger;
}

/** Who sent parameters, and how many rows they were trained on. */
export interface ParametersIdentity extends UpdateIdentity {
  /** Rows that they were trained on; those that the parameters name unless given. */
  readonly sampleCount?: number | undefined;
}

const ownOptions = ['childUpdatesPerMerge', 'merger'];
const latestPrefix = 'latest/';

/** The latest parameters of one child. */
interface Kept {
  readonly member: Member;
  readonly parameters: KeptParameters;
}

/** A merge of `childUpdatesPerMerge` arrivals, under way. */
interface Group {
  readonly merger: Merger;
  readonly layout: ParameterLayout;
  readonly dtype: DataType;
  readonly state: unknown;
  readonly pending: Pending<ModelParameters>[];
}

/** Owns the main parameters: what its merger makes of the parameters that children have trained. */
export class DistributedModelParametersCoordinator extends Coordinator<ModelParameters> {
  protected readonly kind: UpdateKind = 'parameters';
  readonly #updatesPerMerge: number | undefined;
  readonly #latest = new Map<string, Kept>();
  #merger: Merger;
  #group: Group | undefined;
  #inbox: InboxPool | undefined;
  /** Updates that are kept, but wait until the merger has enough children. */
  #waiting: Pending<ModelParameters>[] = [];
  #resets = 0;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: ModelParametersCoordinatorOptions = {}) {
    super(options, ownOptions);
    const { childUpdatesPerMerge, merger = new ModelParametersMerger() } = options;
    this.#updatesPerMerge =
      childUpdatesPerMerge === undefined
        ? undefined
        : checkCount(childUpdatesPerMerge, 'childUpdatesPerMerge');
    this.#merger = this.#checkMerger(merger);
  }

  /** Merges by another rule from the next merge on. */
  setModelParametersMerger(merger: Merger): void {
    this.#merger = this.#checkMerger(merger);
  }

  /**
   * Takes a child's parameters in. The receipt says what became of them; main is changed when it returns (`drive:
   * 'immediate'`). Only children with a `childId` outlive the process: give one where there is a durable store.
   * Throws MalformedDataError only where the argument is no ModelParameters at all.
   */
  addModelParameters(parameters: ModelParameters, identity: ParametersIdentity = {}): Receipt {
    const { sampleCount, ...who } = identity;
    const given = requireModelParameters(parameters);
    if (sampleCount !== undefined && !(Number.isFinite(sampleCount) && sampleCount >= 0)) {
      throw new MalformedDataError(`sampleCount is ${sampleCount}, expected a number of rows, 0 or more`);
    }
    return this.submit(sampleCount === undefined ? given : given.clone({ sampleCount }), who);
  }

  /** A copy of main, with its version. Throws NoMainParametersError where there is none. */
  getMainModelParameters(): ModelParameters {
    return this.getModelParameters();
  }

  /** Sets main. What children have sent stays and is part of the next merge. */
  setMainModelParameters(parameters: ModelParameters): void {
    const main = this.asMain(parameters);
    for (const { parameters: kept } of this.#latest.values())
      main.layout.assertFits(kept.layout, 'parameters of children', 'the new main');
    if (this.#group !== undefined && !fits(this.#group.layout, main.layout)) {
      this.giveUpPartial(
        new UpdateDiscardedError('main was set to another layout before the merge was complete'),
      );
    }
    this.replaceMain(main);
  }

  /** Forgets what children have sent. Main stays. */
  reset(): void {
    const durable = [...this.#latest.values()].filter(({ member }) => member.isDurable);
    this.records.remove(durable.map(({ member }) => latestKey(member)));
    for (const { parameters } of this.#latest.values()) parameters.release();
    this.#latest.clear();
    this.#resets++;
    this.giveUpPartial(new UpdateDiscardedError('the coordinator was reset before the merge was complete'));
  }

  protected giveUpPartial(reason: MainstemError): void {
    const given = [...(this.#group?.pending ?? []), ...this.#waiting];
    this.#group = undefined;
    this.#waiting = [];
    for (const pending of given) this.discard(pending, reason);
  }

  protected override admitMember(member: Member): void {
    if (this.#updatesPerMerge !== undefined || this.#latest.has(member.id)) return;
    const { keptChildrenMax, keptAnonymousMax } = this.options.limits;
    let anonymous = 0;
    for (const kept of this.#latest.values()) if (kept.member.isAnonymous) anonymous++;
    const [count, limit] = member.isAnonymous
      ? [anonymous, keptAnonymousMax]
      : [this.#latest.size - anonymous, keptChildrenMax];
    if (count < limit) return;
    throw new LimitExceededError(
      `the latest parameters of ${count} ${member.isAnonymous ? 'anonymous ' : ''}children are kept, at most ${limit} are allowed; give updates a childId, or set childUpdatesPerMerge, which keeps none`,
    );
  }

  protected override forgetChild(member: Member): boolean {
    const waiting = this.#waiting.filter((pending) => pending.member === member);
    this.#waiting = this.#waiting.filter((pending) => pending.member !== member);
    const reason = new UpdateDiscardedError(`${member.id} left before the merge was complete`);
    for (const pending of waiting) this.discard(pending, reason);
    const kept = this.#latest.get(member.id);
    if (kept === undefined) return false;
    this.#latest.delete(member.id);
    kept.parameters.release();
    if (member.isDurable) this.records.remove([latestKey(member)]);
    return true;
  }

  protected *fold(pending: Pending<ModelParameters>): Generator<undefined, 'applied' | 'accepted'> {
    if (this.#merger.needs.sampleCounts && pending.content.sampleCount === undefined) {
      throw new InvalidDataError(`the merger needs sample counts and ${pending.member.id} names none`);
    }
    if (this.#updatesPerMerge === undefined) return yield* this.#mergeLatest(pending);
    return yield* this.#addToGroup(pending, this.#updatesPerMerge);
  }

  protected override storedState(members: readonly Member[]): StoreOperation[] {
    return members.flatMap((member) => {
      const kept = this.#latest.get(member.id);
      if (kept === undefined || !member.isDurable) return [];
      const { layout, values, dtype, sampleCount } = kept.parameters.parameters;
      const value = encodeTensors(layout, values, {
        version: this.main.version,
        outerDtype: dtype,
        sampleCount,
      });
      return [{ key: latestKey(member), value }];
    });
  }

  protected override async loadState(read: ReadRecord): Promise<() => void> {
    const loaded = new Map<string, ModelParameters>();
    const keys = this.#updatesPerMerge === undefined ? await this.records.keys(latestPrefix) : [];
    for (const key of keys) {
      const stored = await read(key);
      if (stored === undefined) continue;
      loaded.set(decodeURIComponent(key.slice(latestPrefix.length)), decodeTensors(stored).parameters);
    }
    return () => {
      for (const [id, parameters] of loaded) {
        const member = this.membership.find(id);
        if (member !== undefined) this.#latest.set(id, { member, parameters: this.#keep(parameters) });
      }
    };
  }

  /** Merges the latest parameters of all children, by id; the new ones are kept only where that succeeds. */
  *#mergeLatest(pending: Pending<ModelParameters>): Generator<undefined, 'applied' | 'accepted'> {
    const { member, content } = pending;
    if (this.#waiting.length === 0) this.beginRound();
    for (const { parameters } of this.#latest.values())
      parameters.layout.assertFits(content.layout, 'parameters', 'other children');
    const kept = { member, parameters: this.#keep(content) };
    const children = [...new Map(this.#latest).set(member.id, kept).values()];
    children.sort((a, b) => (a.member.id < b.member.id ? -1 : 1));
    for (const { parameters } of children) parameters.hold();
    try {
      return yield* this.#mergeKept(pending, kept, children);
    } finally {
      for (const { parameters } of children) parameters.release();
      kept.parameters.release();
    }
  }

  *#mergeKept(
    pending: Pending<ModelParameters>,
    kept: Kept,
    children: readonly Kept[],
  ): Generator<undefined, 'applied' | 'accepted'> {
    const { member, content } = pending;
    const resets = this.#resets;
    const adopt = (): void => {
      // A reset, or the child's leaving, in between two slices: the merge stands, but nothing is kept for the next.
      if (member.isPresent && this.#resets === resets) this.#replaceLatest(kept);
      this.#waiting = [];
    };
    const merger = this.#merger;
    if (children.length < merger.needs.minimumChildren) {
      // What is stored of this child with a main must be what that main was made of.
      this.records.flush();
      const waiting = [...this.#waiting, pending];
      adopt();
      this.#waiting = waiting;
      return 'accepted';
    }
    const { version: base } = this.main;
    const layout = this.#layoutWith(content.layout);
    const dtype = this.main.layout === undefined ? content.dtype : this.main.dtype;
    this.plugins.beforeMerge({ version: base + 1, children: children.length });
    const all = children.map(({ member: from, parameters }) =>
      parameters.asChild(describe(from, parameters, base)),
    );
    yield* this.#mergeInto(this.main.spare(layout.length), merger, all, layout);
    const included = [...this.#waiting, pending];
    yield* inSteps(this.main.checkSpare(layout, dtype));
    this.publishMain({ layout, dtype, base, included, adopt });
    return 'applied';
  }

  #replaceLatest(kept: Kept): void {
    const { id } = kept.member;
    this.#latest.get(id)?.parameters.release();
    kept.parameters.hold();
    this.#latest.set(id, kept);
  }

  /** A copy, in the pool where there is room. */
  #keep(parameters: ModelParameters): KeptParameters {
    const { length } = parameters.layout;
    // A pool of another length, or of kernels that are not in use any more, goes when its last slot is free.
    if ((this.#inbox?.size ?? 0) === 0 && this.#inbox?.length !== length)
      this.#inbox = InboxPool.create(length);
    return new KeptParameters(parameters, this.#inbox?.isSelected ? this.#inbox : undefined);
  }

  /** Merges children that are all there. */
  *#mergeInto(
    spare: Float64Array<ArrayBuffer>,
    merger: Merger,
    children: readonly MergeChild[],
    layout: ParameterLayout,
  ): Generator<undefined, void> {
    const context = { layout, main: this.main.version === 0 ? undefined : this.main.snapshot() };
    if (merger.mergeAll !== undefined) {
      yield* inSteps(merger.mergeAll(children, context, spare));
      return;
    }
    const state = merger.begin(context);
    for (const child of children) yield* inSteps(merger.add(state, child));
    yield* this.#finishInto(spare, merger, state);
  }

  *#addToGroup(
    pending: Pending<ModelParameters>,
    size: number,
  ): Generator<undefined, 'applied' | 'accepted'> {
    const { member, content } = pending;
    const open = this.#group;
    if (open === undefined) this.beginRound();
    const group = open ?? this.#beginGroup(content);
    group.layout.assertFits(content.layout, 'parameters', 'other children of this merge');
    const place = member.isAnonymous ? group.pending.length : member.index;
    const child = { ...describe(member, content, this.main.version), index: place, parameters: content };
    yield* inSteps(group.merger.add(group.state, child));
    if (this.#group !== open)
      throw new UpdateDiscardedError('the coordinator was reset before the merge was complete');
    this.#group = group;
    group.pending.push(pending);
    if (group.pending.length < size) return 'accepted';
    this.#group = undefined;
    try {
      this.plugins.beforeMerge({ version: this.main.version + 1, children: size });
      const { layout, dtype, pending: included } = group;
      const base = this.main.version;
      yield* this.#finishInto(this.main.spare(layout.length), group.merger, group.state);
      yield* inSteps(this.main.checkSpare(layout, dtype));
      this.publishMain({ layout, dtype, base, included, adopt() {} });
    } catch (thrown) {
      // A streamed merge cannot be taken apart again: all of its updates are given up.
      const reason = new UpdateDiscardedError(
        `its merge failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
      for (const other of group.pending) if (other !== pending) this.discard(other, reason);
      throw thrown;
    }
    return 'applied';
  }

  #beginGroup(content: ModelParameters): Group {
    const layout = this.#layoutWith(content.layout);
    const main = this.main.version === 0 ? undefined : this.main.snapshot();
    const dtype = main?.dtype ?? content.dtype;
    return { merger: this.#merger, layout, dtype, state: this.#merger.begin({ layout, main }), pending: [] };
  }

  *#finishInto(spare: Float64Array, merger: Merger, state: unknown): Generator<undefined, void> {
    const merged = yield* inSteps(merger.finish(state));
    if (merged.length !== spare.length) {
      throw new ContractViolationError(
        `the merger returned ${merged.length} values, the layout has ${spare.length}`,
      );
    }
    yield* inSlices(spare.length, (start, end) => spare.set(merged.subarray(start, end), start));
  }

  /** Main's layout, or the child's where main has none or names no architecture. */
  #layoutWith(layout: ParameterLayout): ParameterLayout {
    const main = this.main.layout;
    return main === undefined || main.architecture === undefined ? layout : main;
  }

  #checkMerger(merger: Merger): Merger {
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
    if (this.#updatesPerMerge !== undefined && minimumChildren > this.#updatesPerMerge) {
      throw new InvalidOptionError(
        `the merger needs ${minimumChildren} children, childUpdatesPerMerge is ${this.#updatesPerMerge}`,
      );
    }
    return merger;
  }
}

function fits(a: ParameterLayout, b: ParameterLayout): boolean {
  try {
    a.assertFits(b);
    return true;
  } catch {
    return false;
  }
}

function latestKey({ id }: Member): string {
  return latestPrefix + encodeURIComponent(id);
}

/** A child's part of a merge into the main that follows `version`, but for its parameters. */
function describe(
  { id, index }: Member,
  { sampleCount, baseVersion }: TensorsInfo,
  version: number,
): Omit<MergeChild, 'parameters'> {
  // A child cannot have started from a main that is still to come: such a claim is worth no more than the present.
  const staleness = baseVersion === undefined ? undefined : Math.max(0, version - baseVersion);
  return { id, index, sampleCount, staleness };
}
