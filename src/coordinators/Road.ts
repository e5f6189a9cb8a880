import type { MainstemError } from '../errors.ts';
import {
  DuplicateUpdateError,
  LimitExceededError,
  StaleSessionError,
  StaleUpdateError,
  toMainstemError,
  UpdateDiscardedError,
} from '../errors.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { SharedPart } from '../parameters/SharedPart.ts';
import type { UpdateKind, UpdateStatus } from '../protocol/messages.ts';
import { Settlement } from '../Settlement.ts';
import type { Steps } from '../steps.ts';
import { andThen, isSteps } from '../steps.ts';
import { BufferPool } from '../transport/BufferPool.ts';
import { checkClaims, checkEpoch, checkFinite, checkFresh } from './admission.ts';
import type { CoordinatorEvents } from './coordinatorEvents.ts';
import { copyInto } from './copies.ts';
import type { Ledger } from './Ledger.ts';
import type { MainState } from './MainState.ts';
import type { Member, Membership, UpdateIdentity } from './Membership.ts';
import type { ResolvedCoordinatorOptions } from './options.ts';
import type { Pending } from './pending.ts';
import type { Update } from './plugins/Plugin.ts';
import type { PluginList } from './plugins/PluginList.ts';
import { RoadReceipt } from './receipts.ts';
import { WorkQueue } from './WorkQueue.ts';

/** What the road leads through, and how it ends: `fold` is what coordinators differ in. */
export interface RoadParts<T extends Gradients | ModelParameters> {
  readonly options: ResolvedCoordinatorOptions;
  readonly main: MainState;
  readonly membership: Membership;
  readonly plugins: PluginList;
  readonly ledger: Ledger;
  readonly shared: SharedPart | undefined;
  readonly coordinator: RoadEnd<T>;
}

/** What became of an update that was folded in: it is in main, or waits for others. */
export type Folded = 'applied' | 'accepted';

/** What a coordinator does at the stations of the road. */
export interface RoadEnd<T extends Gradients | ModelParameters> {
  kind(): UpdateKind;
  /** Throws where an update of this member cannot be taken now; before anything of it is remembered. */
  admitMember(member: Member, content: T): void;
  /** Counts a member in, where it is not there yet. */
  join(member: Member): void;
  fold(pending: Pending<T>): Steps<Folded>;
  emit<Name extends keyof CoordinatorEvents>(name: Name, event: CoordinatorEvents[Name]): void;
}

/** Work of the coordinator's own that has its turn among the updates. It handles its errors. */
export type Work = () => Steps<void>;

/** Bytes of copies that are kept to be used again. */
const copiesBytesMax = 2 ** 26;

/** The way of an update from its admission to the fold. There is no other, whoever sends it. */
export class Road<T extends Gradients | ModelParameters> {
  readonly #parts: RoadParts<T>;
  readonly #queue = new WorkQueue<Pending<T> | Work>((job) =>
    typeof job === 'function' ? job() : this.#process(job),
  );
  /** Copies of what waits. A large one costs more to make than to fill: its pages are new each time. */
  readonly #copies = new BufferPool(copiesBytesMax);
  #refusal: string | undefined;

  constructor(parts: RoadParts<T>) {
    this.#parts = parts;
  }

  /** Updates that wait for their turn. */
  get length(): number {
    return this.#queue.length;
  }

  /** Something may refer to the content of an update after `submit`: the queue, a plugin, or the coordinator itself. */
  get keepsUpdates(): boolean {
    const { options, plugins, coordinator } = this.#parts;
    // What waits for its turn is a copy.
    if (options.drive !== 'immediate') return false;
    return this.#queue.length > 0 || !plugins.isEmpty || coordinator.kind() === 'parameters';
  }

  /** Works on what waits; true where all is done. */
  run(budgetMs: number): boolean {
    return this.#queue.run(this.#parts.options.clock, budgetMs);
  }

  /** From now on every update is refused for this reason; undefined: no more. What waits goes on. */
  refuse(reason: string | undefined): void {
    this.#refusal = reason;
  }

  /** Takes an update in. Never throws for a bad one: its receipt says what is wrong. */
  submit(content: T, identity: UpdateIdentity): RoadReceipt {
    const { main } = this.#parts;
    let pending: Pending<T> | undefined;
    try {
      if (this.#refusal !== undefined) throw new UpdateDiscardedError(this.#refusal);
      pending = this.#admit(content, identity);
    } catch (thrown) {
      return this.#refuseAtOnce(identity, thrown);
    }
    this.enqueue(pending);
    return new RoadReceipt(pending, main.version, pending.settlement);
  }

  /** Puts a job behind what waits; it is done at once where the coordinator drives itself. */
  enqueue(job: Pending<T> | Work): void {
    this.#queue.push(job);
    if (this.#parts.options.drive === 'immediate') this.run(Infinity);
  }

  /** Gives up an update that was taken in. */
  reject(pending: Pending<T>, reason: MainstemError): void {
    const { member, identity, settlement } = pending;
    pending.status = 'refused';
    pending.reason = reason;
    member.inFlight.delete(identity);
    settlement.reject(reason);
    this.#parts.coordinator.emit('updateRejected', {
      childId: member.id,
      sequence: identity.sequence,
      reason,
      wasReceived: pending.isReceived,
    });
  }

  #admit(given: T, identity: UpdateIdentity): Pending<T> {
    const { options, main, membership, shared, coordinator } = this.#parts;
    this.#checkRoom();
    checkClaims(given, identity, options.limits);
    const content = shared?.take(given) ?? given;
    main.layout?.assertFits(content.layout, coordinator.kind(), 'main');
    const member = membership.identify(identity, content.origin);
    checkFresh(member, identity);
    coordinator.admitMember(member, content);
    coordinator.join(member);
    member.inFlight.add(identity);
    // What waits must not change under its sender's hands.
    const own = options.drive === 'immediate' ? content : copyInto(content, this.#copies);
    return {
      member,
      identity,
      content: own,
      status: 'accepted',
      reason: undefined,
      isReceived: false,
      settlement: new Settlement(),
      copy: own === content ? undefined : own.values,
    };
  }

  #checkRoom(): void {
    const { options, ledger } = this.#parts;
    const { queuedUpdatesMax, uncommittedUpdatesMax } = options.limits;
    if (this.#queue.length >= queuedUpdatesMax) {
      throw new LimitExceededError(
        `${this.#queue.length} updates wait, at most ${queuedUpdatesMax} are allowed; call tick more often`,
      );
    }
    if (ledger.waitingUpdates >= uncommittedUpdatesMax) {
      throw new LimitExceededError(
        `${ledger.waitingUpdates} updates wait for the store, at most ${uncommittedUpdatesMax} are allowed`,
      );
    }
  }

  /** The rest of the road: at once for a small update, else in slices. */
  #process(pending: Pending<T>): Steps<void> {
    try {
      const status = this.#checkAndFold(pending);
      if (isSteps(status)) return this.#processInSlices(pending, status);
      pending.status = status;
    } catch (thrown) {
      this.reject(pending, toMainstemError(thrown));
    }
    this.#reuse(pending);
  }

  *#processInSlices(pending: Pending<T>, work: Generator<undefined, Folded>): Generator<undefined, void> {
    try {
      pending.status = yield* work;
    } catch (thrown) {
      this.reject(pending, toMainstemError(thrown));
    }
    this.#reuse(pending);
  }

  /** A fold keeps nothing of the values that it was given. */
  #reuse(pending: Pending<T>): void {
    if (pending.copy !== undefined) this.#copies.give(pending.copy);
    pending.copy = undefined;
  }

  #checkAndFold(pending: Pending<T>): Steps<Folded> {
    const { plugins, coordinator } = this.#parts;
    const kind = coordinator.kind();
    return andThen(checkFinite(pending.content, kind), () => {
      if (plugins.isEmpty) return this.#fold(pending, kind);
      // They may keep what they see.
      pending.copy = undefined;
      const update: Update = {
        childId: pending.member.id,
        sequence: pending.identity.sequence,
        content: pending.content,
      };
      const { content } = plugins.onUpdate(update);
      if (content === pending.content) return this.#fold(pending, kind);
      pending.content.layout.assertFits(content.layout, `${kind} of a plugin`, 'the update');
      return andThen(checkFinite(content, kind), () => {
        pending.content = content as T;
        return this.#fold(pending, kind);
      });
    });
  }

  #fold(pending: Pending<T>, kind: UpdateKind): Steps<Folded> {
    const { main, membership, coordinator } = this.#parts;
    const { member, identity, content } = pending;
    // Whatever waited before this update may have changed main's layout.
    main.layout?.assertFits(content.layout, kind, 'main');
    checkEpoch(member, identity);
    membership.startEpoch(member, identity.epoch ?? 0);
    pending.isReceived = true;
    coordinator.emit('updateReceived', { childId: member.id, sequence: identity.sequence });
    return coordinator.fold(pending);
  }

  #refuseAtOnce(identity: UpdateIdentity, thrown: unknown): RoadReceipt {
    const { main, coordinator } = this.#parts;
    const reason = toMainstemError(thrown);
    const settlement = new Settlement();
    const status = statusOf(reason);
    settlement.reject(reason);
    const { childId, sequence } = identity;
    coordinator.emit('updateRejected', { childId, sequence, reason, wasReceived: false });
    return new RoadReceipt({ status, reason }, main.version, settlement);
  }
}

function statusOf(reason: MainstemError): UpdateStatus {
  if (reason instanceof DuplicateUpdateError) return 'duplicate';
  return reason instanceof StaleSessionError || reason instanceof StaleUpdateError ? 'stale' : 'refused';
}
