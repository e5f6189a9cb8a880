import type { MainstemError } from '../../errors.ts';
import {
  ConnectionClosedError,
  InvalidDataError,
  InvalidOptionError,
  LimitExceededError,
  UpdateDiscardedError,
} from '../../errors.ts';
import type { Beliefs } from '../../models/bayesian/beliefs.ts';
import { changeOfBeliefs, moveOfNaturals, requireSameVariables } from '../../models/bayesian/beliefs.ts';
import type { RoundReport } from '../../models/bayesian/Convergence.ts';
import { Convergence } from '../../models/bayesian/Convergence.ts';
import type { Proposals } from '../../models/bayesian/SharedVariables.ts';
import { SharedVariables } from '../../models/bayesian/SharedVariables.ts';
import {
  layoutOfBeliefs,
  parametersOfBeliefs,
  readBeliefs,
  writeBeliefs,
} from '../../models/bayesian/tensors.ts';
import { aboveZero } from '../../models/options.ts';
import type { ModelParameters } from '../../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../../parameters/ParameterLayout.ts';
import type { UpdateKind } from '../../protocol/messages.ts';
import { inSteps } from '../../steps.ts';
import type { StoreOperation } from '../../storage/Store.ts';
import type { ReadRecord } from '../Ledger.ts';
import type { Member, UpdateIdentity } from '../Membership.ts';
import type { CloseOptions, CoordinatorOptions } from '../options.ts';
import type { Pending } from '../pending.ts';
import type { RoundsCoordinatorOptions } from '../RoundsCoordinator.ts';
import { RoundsCoordinator } from '../RoundsCoordinator.ts';
import type { Receipt } from '../receipts.ts';
import type { DeadlineOption } from '../rounds/Deadline.ts';
import type { RoundWait } from '../rounds/RoundWait.ts';
import { describeWait, namedMax } from '../rounds/RoundWait.ts';
import { MessageOrder } from './MessageOrder.ts';
import { PersonalMains } from './PersonalMains.ts';
import type { Schedule } from './schedules.ts';
import { quiet, scheduleMode } from './schedules.ts';
import { messageKey, readMessages, storedMessage } from './storedMessages.ts';

/** Options of DistributedPosteriorsCoordinator. */
export interface PosteriorsCoordinatorOptions<B extends Beliefs>
  extends Omit<CoordinatorOptions, 'sharedTensors' | 'compression'>,
    Pick<RoundsCoordinatorOptions, 'roundClock'> {
  /** What is believed of the shared variables before anybody has said anything; the same at all children. */
  readonly prior: B;
  /** `'asynchronous'` unless given. */
  readonly schedule?: Schedule;
  /** Largest change of a mean, in standard deviations, and of the logarithm of a variance, of a round that is the last. 1e-6. */
  readonly tolerance?: number;
  /**
   * When a round stops waiting for those it has asked, as of mode `synchronous`; `{ factor: 3, floor: 1_000, ceiling: 60_000 }` unless
   * given. `'asynchronous'` waits for nobody.
   */
  readonly deadline?: DeadlineOption;
}

const ownOptions = ['prior', 'schedule', 'tolerance', 'deadline'];
/** Of the tolerance: natural parameters that move by less, of the largest of them, are no news. */
const negligible = 1e-3;
const refused = ['mode', 'sharedTensors', 'compression'];

/** A message of the round that is open. */
interface Said<B> {
  readonly pending: Pending<ModelParameters>;
  readonly message: B;
}

/** What has happened since the last report. */
interface OpenRound<B> {
  readonly before: B;
  /** Of main, at its beginning: what was made from an older one says nothing of how far there is to go. */
  readonly version: number;
  /** Time of the clock. */
  readonly since: number;
  readonly heard: Set<string>;
  clipped: number;
  skipped: number;
  messages: number;
}

/**
 * Owns what all children together believe: main is prior · their messages, by natural parameters. Each message replaces the one before
 * of its child, so that duplicates change nothing and a child can be unlearned. A child that leaves or dies stays counted until
 * `unlearnChild`. Children are asked again until a round changes nothing, and then no more until something changes: a child comes, is
 * unlearned, or says something new of itself.
 */
export class DistributedPosteriorsCoordinator<B extends Beliefs> extends RoundsCoordinator<ModelParameters> {
  protected readonly kind: UpdateKind = 'messages';
  readonly prior: B;
  readonly schedule: Schedule;
  readonly #layout: ParameterLayout;
  readonly #variables: SharedVariables<B>;
  readonly #deadline: DeadlineOption | undefined;
  readonly #tolerance: number;
  readonly #convergence: Convergence;
  readonly #mains: PersonalMains<B>;
  /** Messages of the round that is open, by child. */
  #waiting = new Map<string, Said<B>>();
  /** Those that a later one of the same child has replaced within the round. */
  #replaced: Pending<ModelParameters>[] = [];
  readonly #order = new MessageOrder();
  #open: OpenRound<B>;
  /** The last message has changed main by more than nothing. */
  #hasMoved = false;
  #report: RoundReport | undefined;
  /** Whoever waits for the end of the exchange. */
  readonly #awaiting: { resolve(): void; reject(error: MainstemError): void }[] = [];

  /** Throws InvalidOptionError for an illegal option, and for a prior that is not proper. */
  constructor(options: PosteriorsCoordinatorOptions<B>) {
    const { prior, schedule = 'asynchronous', tolerance = 1e-6, deadline } = options;
    for (const name of refused)
      if (Object.hasOwn(options, name))
        throw new InvalidOptionError(`${name} is not for messages: they have a schedule, and travel whole`);
    super(options, ownOptions, scheduleMode(schedule, deadline));
    aboveZero(tolerance, 'tolerance');
    this.#variables = new SharedVariables<B>(prior);
    this.#mains = new PersonalMains(this.#variables);
    this.prior = prior;
    this.schedule = schedule;
    this.#layout = layoutOfBeliefs(prior);
    this.#deadline = deadline;
    this.#tolerance = tolerance;
    this.#convergence = new Convergence(tolerance);
    this.#open = this.#beginReport();
    this.server.personaliseMain((childId, main) => this.#mains.of(childId, main));
    this.on('updateRejected', ({ childId = '' }) => {
      const member = this.membership.find(childId);
      // No deadline ends its turn here: it is asked again with the next news.
      if (schedule === 'asynchronous' && member !== undefined) this.rounds.unask(member);
    });
    this.on('mainPublished', ({ version }) => this.#mains.published(version));
  }

  /** Prior · all messages: what all data together say, once the exchange has converged. */
  get posterior(): B {
    return this.#variables.posterior;
  }

  /** What the last round was: of a message of every child. Undefined before there was one. */
  get lastRound(): RoundReport | undefined {
    return this.#report;
  }

  /** Nothing has changed in the last round, and nobody is asked. */
  get isConverged(): boolean {
    return this.rounds.mode === quiet;
  }

  /** Resolves when the exchange has converged: at once where it has. Rejects where the coordinator is closed before. */
  converged(): Promise<void> {
    if (this.isConverged) return Promise.resolve();
    return new Promise((resolve, reject) => void this.#awaiting.push({ resolve, reject }));
  }

  /** Children that have said something, also those that are not there any more; sorted. */
  get speakers(): string[] {
    return this.#variables.machines;
  }

  /** What a child has said; uniform where it has said nothing. */
  messageOf(childId: string): B {
    return this.#variables.messageOf(childId);
  }

  /** What all others have said: what this child is to take into account besides the prior and its own data. */
  inboxOf(childId: string): B {
    return this.#variables.inboxOf(childId);
  }

  /**
   * Takes what a child in this process says, in place of what it said before. The receipt says what became of it. Throws
   * LayoutMismatchError only where it is no message about these variables at all.
   */
  addMessage(message: B, identity: UpdateIdentity & { readonly childId: string }): Receipt {
    requireSameVariables(message, this.prior);
    return this.submit(parametersOfBeliefs(message, this.#layout), identity);
  }

  /**
   * Counts a child out and takes back what it has said: as if it had never been there, once the others have been asked again. False
   * where nothing was known of it. Throws InvalidDataError where what the others say is improper without it, and then it stays.
   */
  unlearnChild(childId: string): boolean {
    // What it has said before this call is not to come after it.
    this.road.run(Infinity);
    const hasSpoken = this.#variables.forget(childId);
    const wasKnown = this.removeChild(childId);
    const waiting = this.#waiting.get(childId);
    this.#waiting.delete(childId);
    const reason = new UpdateDiscardedError(`${childId} was unlearned`);
    if (waiting !== undefined) this.road.reject(waiting.pending, reason);
    this.#order.forget(childId);
    if (!hasSpoken) return wasKnown;
    this.records.remove([messageKey(childId)]);
    this.#mains.keep(this.main.version + 1);
    this.replaceMain(parametersOfBeliefs(this.posterior, this.#layout));
    this.#open = this.#beginReport();
    this.#convergence.restart();
    this.#wake();
    return true;
  }

  /** In `'asynchronous'`: who has not spoken yet, which is what the exchange needs to be over. */
  override waitingFor(): RoundWait | undefined {
    if (this.schedule !== 'asynchronous' || this.isConverged) return super.waitingFor();
    const { heard, since } = this.#open;
    const { ids } = this.membership;
    const missing = ids.filter((id) => !heard.has(id));
    if (missing.length === 0) return undefined;
    const facts = {
      ...{ version: this.version, updates: heard.size, needed: ids.length, quorum: ids.length },
      ...{ missing: missing.slice(0, namedMax), missingCount: missing.length },
      ...{ elapsed: this.options.clock.now() - since, remaining: undefined },
    };
    return { ...facts, reason: describeWait(facts) };
  }

  /** A schedule is for messages what a mode is for other updates; it is given once. Throws InvalidOptionError. */
  override setMode(): void {
    throw new InvalidOptionError('a posteriors coordinator has a schedule, which is given when it is made');
  }

  protected giveUpPartial(reason: MainstemError): void {
    const given = [...[...this.#waiting.values()].map(({ pending }) => pending), ...this.#replaced];
    this.#waiting.clear();
    this.#replaced = [];
    for (const pending of given) this.road.reject(pending, reason);
    this.rounds.close();
  }

  /** Whoever is there may speak at any time: rounds only say who is asked. */
  protected override admitMember(member: Member, { layout }: ModelParameters): void {
    this.#layout.assertFits(layout, 'the message', 'the prior');
    if (!member.isDurable)
      throw new InvalidDataError('the message names no child; give a childId, so that it can be replaced');
    if (this.#variables.hasHeard(member.id) || this.#waiting.has(member.id)) return;
    const { keptChildrenMax } = this.options.limits;
    const kept = new Set([...this.#variables.machines, ...this.#waiting.keys()]);
    if (kept.size < keptChildrenMax) return;
    throw new LimitExceededError(
      `messages of ${kept.size} children are kept, at most ${keptChildrenMax} are allowed`,
    );
  }

  protected override memberJoined(member: Member): void {
    // That main moves on now is no sign of too large steps.
    if (!this.isConverged) this.#convergence.restart();
    this.#wake();
    super.memberJoined(member);
  }

  /** The others may have waited for nobody else. */
  protected override memberLeft(member: Member): void {
    super.memberLeft(member);
    this.#open.heard.delete(member.id);
    if (this.isConverged || this.#open.heard.size === 0) return;
    this.#reportIfComplete();
    if (this.schedule === 'asynchronous' && !this.isConverged) this.#askNext();
  }

  /** One that does not answer keeps nobody waiting: the next one is asked. */
  protected override roundWaits(): void {
    if (this.schedule === 'serial' && this.rounds.updates === 0) this.rounds.begin();
  }

  protected *fold(pending: Pending<ModelParameters>): Generator<undefined, 'applied' | 'accepted'> {
    const { member } = pending;
    this.#order.advance(member.id, pending.identity);
    const earlier = this.#waiting.get(member.id);
    if (earlier !== undefined) this.#replaced.push(earlier.pending);
    this.#waiting.set(member.id, { pending, message: readBeliefs(pending.content, this.prior) });
    if (!this.rounds.took(member, undefined)) return 'accepted';
    return yield* this.#finishRound(pending);
  }

  protected finishOpenRound(): Generator<undefined, 'applied'> {
    return this.#finishRound(undefined);
  }

  protected override storedState(members: readonly Member[]): StoreOperation[] {
    return members
      .filter(({ id }) => this.#variables.hasHeard(id))
      .map(({ id }) => storedMessage(id, this.messageOf(id), this.#layout, this.main.version));
  }

  protected override async loadState(read: ReadRecord): Promise<() => void> {
    const messages = await readMessages(read, this.records, this.prior, this.#layout);
    return () => this.#variables.adopt(this.#variables.propose(messages));
  }

  override async close(options: CloseOptions = {}): Promise<void> {
    await super.close(options);
    const reason = new ConnectionClosedError('the coordinator was closed before the exchange converged');
    for (const { reject } of this.#awaiting.splice(0)) reject(reason);
  }

  override async restore(): Promise<boolean> {
    const isRestored = await super.restore();
    this.#open = this.#beginReport();
    this.#mains.keep(this.main.version);
    return isRestored;
  }

  *#finishRound(last: Pending<ModelParameters> | undefined): Generator<undefined, 'applied'> {
    const said = this.#waiting;
    const included = [...this.#replaced, ...[...said.values()].map(({ pending }) => pending)];
    this.#waiting = new Map();
    this.#replaced = [];
    const wasConverged = this.isConverged;
    try {
      const base = this.main.version;
      this.plugins.beforeRound({ version: base });
      const messages = new Map([...said].map(([id, { message }]) => [id, message]));
      const proposals = this.#variables.propose(messages, this.#convergence.damping);
      yield;
      this.plugins.beforeMerge({ version: base + 1, children: said.size });
      const layout = this.#layout;
      writeBeliefs(proposals.posterior, layout, this.main.spare(layout.length));
      yield* inSteps(this.main.checkSpare(layout, 'float64'));
      const before = this.posterior;
      this.#hasMoved = moveOfNaturals(before, proposals.posterior) > this.#tolerance * negligible;
      const adopt = (): void => {
        this.#variables.adopt(proposals);
        this.#mains.keep(base + 1);
      };
      this.publishMain({ layout, dtype: 'float64', base, included, adopt });
      this.#account(before, proposals, [...said.values()]);
      return 'applied';
    } catch (thrown) {
      const reason = new UpdateDiscardedError(
        `its round failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
      for (const other of included) if (other !== last) this.road.reject(other, reason);
      throw thrown;
    } finally {
      // Who has been woken up has been asked already.
      if (!wasConverged || this.isConverged) this.#askNext();
    }
  }

  /** Who has an answer to give gives it; the others are asked where there is something new, or nobody could end the round. */
  #askNext(): void {
    if (this.schedule !== 'asynchronous' || this.isConverged) {
      this.rounds.begin();
      return;
    }
    const { heard } = this.#open;
    const isWaitedFor = (member: Member): boolean => !heard.has(member.id) && !this.rounds.isAsked(member);
    this.rounds.goOn(this.#hasMoved || this.membership.present.some(isWaitedFor));
  }

  /** Once every child that is there has spoken, the round is reported; the last one is the last that is asked for. */
  #account(before: B, { clipped, skipped }: Proposals<B>, said: readonly Said<B>[]): void {
    const open = this.#open;
    open.clipped += clipped;
    open.skipped += skipped;
    open.messages += said.length;
    for (const { pending } of said)
      if ((pending.content.baseVersion ?? open.version) >= open.version) open.heard.add(pending.member.id);
    if (this.isConverged) {
      // Somebody says something new of itself: the others are to hear of it.
      if (changeOfBeliefs(before, this.posterior) >= this.#tolerance) this.#wake();
      return;
    }
    this.#reportIfComplete();
  }

  #reportIfComplete(): void {
    const open = this.#open;
    if (!this.membership.present.every(({ id }) => open.heard.has(id))) return;
    const bytes = open.messages * this.#layout.length * 8;
    const report = this.#convergence.ended({ ...open, after: this.posterior, bytes });
    this.#report = report;
    this.#open = this.#beginReport();
    if (report.isConverged) this.changeMode(quiet);
    this.events.emit('messagesExchanged', report);
    if (report.isConverged) for (const { resolve } of this.#awaiting.splice(0)) resolve();
  }

  #beginReport(): OpenRound<B> {
    const { version } = this.main;
    const since = this.options.clock.now();
    return { before: this.posterior, version, since, heard: new Set(), clipped: 0, skipped: 0, messages: 0 };
  }

  /** Everybody is asked again. */
  #wake(): void {
    if (!this.isConverged) return;
    this.#convergence.restart();
    this.#open = this.#beginReport();
    this.changeMode(scheduleMode(this.schedule, this.#deadline));
  }
}
