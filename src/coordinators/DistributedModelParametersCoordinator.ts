import type { MainstemError } from '../errors.ts';
import {
  InvalidDataError,
  InvalidOptionError,
  MalformedDataError,
  StaleUpdateError,
  UpdateDiscardedError,
} from '../errors.ts';
import type { MergeChild, Merger } from '../mergers/Merger.ts';
import { ModelParametersMerger } from '../mergers/ModelParametersMerger.ts';
import { ModelParameters, requireModelParameters } from '../parameters/ModelParameters.ts';
import type { TensorsInfo } from '../parameters/NamedTensors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import type { UpdateKind } from '../protocol/messages.ts';
import type { Steps } from '../steps.ts';
import { inSlices, inSteps, runSteps } from '../steps.ts';
import type { StoreOperation } from '../storage/Store.ts';
import type { Kept } from './LatestChildren.ts';
import { LatestChildren } from './LatestChildren.ts';
import type { ReadRecord } from './Ledger.ts';
import { MainHistory } from './MainHistory.ts';
import type { Member, UpdateIdentity } from './Membership.ts';
import { checkMerger, finishInto, mergeInto } from './merges.ts';
import { checkCount } from './options.ts';
import type { Pending } from './pending.ts';
import type { Folded } from './Road.ts';
import type { RoundsCoordinatorOptions } from './RoundsCoordinator.ts';
import { RoundsCoordinator } from './RoundsCoordinator.ts';
import type { Receipt } from './receipts.ts';
import type { Mode } from './rounds/Mode.ts';
import { createMode, everyUpdates } from './rounds/Mode.ts';
import type { ServerOptimizerOptions } from './ServerOptimizer.ts';
import { ServerOptimizer, serverOptimizerOptions } from './ServerOptimizer.ts';

/** Options of DistributedModelParametersCoordinator. */
export interface ModelParametersCoordinatorOptions extends RoundsCoordinatorOptions, ServerOptimizerOptions {
  /**
   * Unless this or a `mode` is given, main is after each update the merge of the latest parameters of every child so far,
   * which keeps one copy for each child. N: each N arrivals (of whichever children) are merged as they are, streaming, and
   * the next N start afresh. Not together with a `mode`.
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

const ownOptions = ['childUpdatesPerMerge', 'merger', ...serverOptimizerOptions];
/** Share of an update that main takes over at once, where the mode names none (Xie et al. 2019, section 6). */
const mixingDefault = 0.6;

/** The merge of a round, under way. */
interface Group {
  readonly merger: Merger;
  readonly layout: ParameterLayout;
  readonly dtype: DataType;
  readonly state: unknown;
  readonly pending: Pending<ModelParameters>[];
}

/** Owns the main parameters: what its merger makes of the parameters that children have trained. */
export class DistributedModelParametersCoordinator extends RoundsCoordinator<ModelParameters> {
  protected readonly kind: UpdateKind = 'parameters';
  readonly #latest: LatestChildren;
  readonly #optimizer: ServerOptimizer;
  #merger: Merger;
  #group: Group | undefined;
  #history = new MainHistory(0);
  /** An update as if it had started from main; the next one uses it again. */
  #moved = new Float64Array(0);
  /** Updates that are kept, but wait until the merger has enough children. */
  #waiting: Pending<ModelParameters>[] = [];
  #resets = 0;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: ModelParametersCoordinatorOptions = {}) {
    super(options, ownOptions, modeOf(options));
    const { merger = new ModelParametersMerger() } = options;
    this.#optimizer = new ServerOptimizer(options, this.main);
    this.#latest = new LatestChildren(this.options.limits);
    this.#merger = checkMerger(merger, this.rounds.mode);
    this.#requireRounds(this.rounds.mode);
    this.#beginHistory();
  }

  /** Merges by another rule from the next merge on. */
  setModelParametersMerger(merger: Merger): void {
    this.#merger = checkMerger(merger, this.rounds.mode);
  }

  /** What `'immediate'` has kept of each child is forgotten with it; main stays. */
  protected override changeMode(mode: Mode): void {
    checkMerger(this.#merger, mode);
    this.#requireRounds(mode);
    const isImmediate = mode.name === 'immediate';
    if (isImmediate !== (this.rounds.mode.name === 'immediate')) this.reset();
    const { takesDifferences } = this.rounds.mode;
    super.changeMode(mode);
    // Updates that are on their way started from mains that are known already.
    if (takesDifferences && mode.takesDifferences) this.#history.resize(mode.stalenessMax + 1);
    else this.#beginHistory();
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
    this.#latest.checkMain(main.layout);
    if (this.#group !== undefined && !fits(this.#group.layout, main.layout)) {
      this.giveUpPartial(
        new UpdateDiscardedError('main was set to another layout before the merge was complete'),
      );
    }
    this.#optimizer.reset(main.layout.length);
    this.replaceMain(main);
    this.#beginHistory();
  }

  /** Forgets what children have sent. Main stays. */
  reset(): void {
    this.#latest.clear(this.records);
    this.#resets++;
    this.giveUpPartial(new UpdateDiscardedError('the coordinator was reset before the merge was complete'));
    this.rounds.begin();
  }

  protected giveUpPartial(reason: MainstemError): void {
    const given = [...(this.#group?.pending ?? []), ...this.#waiting];
    this.#group = undefined;
    this.#waiting = [];
    for (const pending of given) this.road.reject(pending, reason);
    this.rounds.close();
  }

  protected override admitMember(member: Member, parameters: ModelParameters): void {
    if (this.rounds.mode.name === 'immediate') this.#latest.checkRoom(member);
    super.admitMember(member, parameters);
  }

  protected override forgetChild(member: Member): boolean {
    const waiting = this.#waiting.filter((pending) => pending.member === member);
    this.#waiting = this.#waiting.filter((pending) => pending.member !== member);
    const reason = new UpdateDiscardedError(`${member.id} left before the merge was complete`);
    for (const pending of waiting) this.road.reject(pending, reason);
    return this.#latest.forget(member, this.records);
  }

  protected *fold(pending: Pending<ModelParameters>): Generator<undefined, 'applied' | 'accepted'> {
    if (this.#merger.needs.sampleCounts && pending.content.sampleCount === undefined) {
      throw new InvalidDataError(`the merger needs sample counts and ${pending.member.id} names none`);
    }
    if (this.rounds.mode.name === 'immediate') return yield* this.#mergeLatest(pending);
    // Main may have moved while it waited.
    this.rounds.check(pending.member, pending.content.baseVersion);
    return yield* this.#addToGroup(pending);
  }

  protected override storedState(members: readonly Member[]): StoreOperation[] {
    return [...this.#latest.stored(members, this.main.version), ...this.#optimizer.stored()];
  }

  protected override async loadState(read: ReadRecord, length: number): Promise<() => void> {
    const isImmediate = this.rounds.mode.name === 'immediate';
    const applyOptimizer = await this.#optimizer.load(read, length);
    const applyLatest = isImmediate
      ? await this.#latest.load(read, this.records, this.membership)
      : undefined;
    return () => {
      applyOptimizer();
      applyLatest?.();
      this.#beginHistory();
    };
  }

  /** Merges the latest parameters of all children, by id; the new ones are kept only where that succeeds. */
  *#mergeLatest(pending: Pending<ModelParameters>): Generator<undefined, 'applied' | 'accepted'> {
    const { member, content } = pending;
    if (this.#waiting.length === 0) this.plugins.beforeRound({ version: this.main.version });
    this.#latest.checkLayout(content.layout);
    const kept = { member, parameters: this.#latest.keep(content) };
    const children = this.#latest.with(kept);
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
      if (member.isPresent && this.#resets === resets) this.#latest.replace(kept);
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
    const context = { layout, main: base === 0 ? undefined : this.main.snapshot() };
    yield* mergeInto(this.main.spare(layout.length), merger, all, context);
    const included = [...this.#waiting, pending];
    yield* inSteps(this.main.checkSpare(layout, dtype));
    this.publishMain({ layout, dtype, base, included, adopt });
    return 'applied';
  }

  *#addToGroup(pending: Pending<ModelParameters>): Generator<undefined, Folded> {
    const { member, content } = pending;
    const open = this.#group;
    if (open === undefined) this.plugins.beforeRound({ version: this.main.version });
    const group = open ?? this.#beginGroup(content);
    group.layout.assertFits(content.layout, 'parameters', 'other children of this merge');
    const place = member.isAnonymous ? group.pending.length : member.index;
    const parameters = yield* this.#fromMain(content, member);
    const child = { ...describe(member, content, this.main.version), index: place, parameters };
    yield* inSteps(group.merger.add(group.state, child));
    if (this.#group !== open)
      throw new UpdateDiscardedError('the coordinator was reset before the merge was complete');
    this.#group = group;
    group.pending.push(pending);
    if (!this.rounds.took(member, content.sampleCount)) return 'accepted';
    return yield* this.#finishGroup(group, pending);
  }

  /** Parameters that started from an older main, as if they had come as far from this one: weighted by their staleness. */
  *#fromMain(content: ModelParameters, member: Member): Generator<undefined, ModelParameters> {
    const { mode } = this.rounds;
    const { values: main, version } = this.main;
    if (!mode.takesDifferences || version === 0) return content;
    const { values, layout, sampleCount, baseVersion } = content;
    const staleness = this.rounds.staleness(baseVersion);
    const share = mode.needed === 1 ? (mode.mixing ?? mixingDefault) : 1;
    const weight = share * mode.weigh(staleness);
    if (staleness === 0 && weight === 1) return content;
    const base = staleness === 0 ? main : this.#history.find(version - staleness);
    if (base === undefined)
      throw new StaleUpdateError(
        `the update of ${member.id} started from version ${baseVersion}, which is not kept any more`,
      );
    if (this.#moved.length !== values.length) this.#moved = new Float64Array(values.length);
    const moved = this.#moved;
    yield* inSlices(values.length, (start, end) => {
      for (let i = start; i < end; i++)
        moved[i] = (main[i] as number) + weight * ((values[i] as number) - (base[i] as number));
    });
    return new ModelParameters(layout, moved, { sampleCount, baseVersion });
  }

  protected finishOpenRound(): Steps<unknown> {
    return this.#group && this.#finishGroup(this.#group, undefined);
  }

  /** A streamed merge cannot be taken apart again: where it fails, all of its updates are given up. */
  *#finishGroup(
    { merger, state, layout, dtype, pending: included }: Group,
    last: Pending<ModelParameters> | undefined,
  ): Generator<undefined, Folded> {
    this.#group = undefined;
    try {
      const base = this.main.version;
      this.plugins.beforeMerge({ version: base + 1, children: included.length });
      const spare = this.main.spare(layout.length);
      yield* finishInto(spare, merger, state);
      yield* this.#optimizer.step(spare);
      yield* inSteps(this.main.checkSpare(layout, dtype));
      const adopt = (): void => {
        this.#optimizer.adopt();
        this.rounds.close();
      };
      this.publishMain({ layout, dtype, base, included, adopt });
      yield* this.#remember();
      return 'applied';
    } catch (thrown) {
      const reason = new UpdateDiscardedError(
        `its merge failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
      for (const other of included) if (other !== last) this.road.reject(other, reason);
      throw thrown;
    } finally {
      this.rounds.begin();
    }
  }

  /** Keeps main for the updates that start from it. */
  *#remember(): Generator<undefined, void> {
    const { version, values, dtype } = this.main;
    if (this.rounds.mode.takesDifferences && version > 0)
      yield* this.#history.remember(version, values, dtype);
  }

  #beginHistory(): void {
    const { takesDifferences, stalenessMax } = this.rounds.mode;
    this.#history = new MainHistory(takesDifferences ? stalenessMax + 1 : 0);
    runSteps(this.#remember());
  }

  /** An optimizer moves main by a round. */
  #requireRounds({ name }: Mode): void {
    if (!this.#optimizer.isSet || name !== 'immediate') return;
    throw new InvalidOptionError(
      'serverOptimizer needs rounds: give a mode, or childUpdatesPerMerge, of which main moves once',
    );
  }

  #beginGroup(content: ModelParameters): Group {
    const layout = this.#layoutWith(content.layout);
    const main = this.main.version === 0 ? undefined : this.main.snapshot();
    const dtype = main?.dtype ?? content.dtype;
    return { merger: this.#merger, layout, dtype, state: this.#merger.begin({ layout, main }), pending: [] };
  }

  /** Main's layout, or the child's where main has none or names no architecture. */
  #layoutWith(layout: ParameterLayout): ParameterLayout {
    const main = this.main.layout;
    return main === undefined || main.architecture === undefined ? layout : main;
  }
}

/** Throws InvalidOptionError where `mode` and what is short for one are both given. */
function modeOf({ mode, childUpdatesPerMerge }: ModelParametersCoordinatorOptions): Mode {
  if (childUpdatesPerMerge === undefined) return createMode(mode ?? 'immediate');
  if (mode !== undefined)
    throw new InvalidOptionError('childUpdatesPerMerge is in short for a mode; expected only one of the two');
  return everyUpdates(checkCount(childUpdatesPerMerge, 'childUpdatesPerMerge'), false);
}

function fits(a: ParameterLayout, b: ParameterLayout): boolean {
  try {
    a.assertFits(b);
    return true;
  } catch {
    return false;
  }
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
