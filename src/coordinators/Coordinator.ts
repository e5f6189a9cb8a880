import type { MainstemError } from '../errors.ts';
import { ConnectionClosedError, InvalidOptionError, UpdateDiscardedError } from '../errors.ts';
import { GuardedEvents } from '../events.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { requireModelParameters } from '../parameters/ModelParameters.ts';
import { SharedPart } from '../parameters/SharedPart.ts';
import type { UpdateKind } from '../protocol/messages.ts';
import { randomName } from '../random.ts';
import type { Steps } from '../steps.ts';
import type { StoreOperation } from '../storage/Store.ts';
import type { Listener, ServerTransport } from '../transport/Transport.ts';
import { Attendance } from './Attendance.ts';
import { ChildServer } from './ChildServer.ts';
import type { CoordinatorEvents, CoordinatorListener } from './coordinatorEvents.ts';
import { Doors } from './Doors.ts';
import type { ReadRecord } from './Ledger.ts';
import { Ledger } from './Ledger.ts';
import { MainState } from './MainState.ts';
import type { Member, UpdateIdentity } from './Membership.ts';
import { Membership } from './Membership.ts';
import type { CloseOptions, CoordinatorOptions, Drive, ResolvedCoordinatorOptions } from './options.ts';
import { resolveCoordinatorOptions } from './options.ts';
import { Publisher } from './Publisher.ts';
import type { MainChange, Pending } from './pending.ts';
import { markApplied } from './pending.ts';
import type { Plugin } from './plugins/Plugin.ts';
import { PluginList, pluginKey } from './plugins/PluginList.ts';
import { Reports } from './Reports.ts';
import type { Folded } from './Road.ts';
import { Road } from './Road.ts';
import type { RoadReceipt } from './receipts.ts';
import { restoreAll } from './restoring.ts';
import type { Phase } from './servedCoordinator.ts';
import { servedCoordinator } from './servedCoordinator.ts';
import { Timers } from './Timers.ts';

/**
 * What the coordinators share: the road from an update to a new main. They differ in what an update is and how it
 * is folded in, which is `fold`. Every step of the road is one of the parts that this class puts together.
 */
export abstract class Coordinator<T extends Gradients | ModelParameters> {
  /** Name that children join by. */
  readonly federation: string;
  /** Number of this layout of the federation's parameters. */
  readonly generation: number;
  /** Who has it work on what comes in. */
  readonly drive: Drive;
  /** What children say of their rows besides updates: evaluations of main, statistics of columns. */
  readonly reports: Reports;
  /** The children that come over connections. For CoordinatorHost. */
  readonly server: ChildServer;
  protected readonly options: ResolvedCoordinatorOptions;
  protected readonly main: MainState = new MainState();
  protected readonly plugins: PluginList;
  protected readonly membership: Membership;
  protected readonly events: GuardedEvents<CoordinatorEvents>;
  readonly #attendance: Attendance;
  protected readonly road: Road<T>;
  readonly #ledger: Ledger;
  readonly #publisher: Publisher;
  readonly #shared: SharedPart | undefined;
  readonly #doors = new Doors();
  readonly #timers = new Timers();
  #phase: Phase = 'open';

  constructor(options: CoordinatorOptions, ownOptions: readonly string[]) {
    this.options = resolveCoordinatorOptions(options, ownOptions);
    const { federation, generation, sharedTensors, clock } = this.options;
    this.federation = federation;
    this.generation = generation;
    this.drive = this.options.drive;
    this.#shared = sharedTensors && new SharedPart(sharedTensors);
    const report = (error: Error): void => this.report(error);
    this.plugins = new PluginList(report);
    this.membership = new Membership(this.options.limits, (member) => this.#ledger.forget(member));
    this.events = new GuardedEvents<CoordinatorEvents>((error, event) => {
      // A failing error listener must not call itself.
      if (event === 'error') this.options.logger.error('a listener of error failed', error);
      else report(error);
    });
    this.reports = new Reports({
      childrenMax: this.options.limits.childrenMax,
      main: this.main,
      received: (childId, subject) => this.events.emit('reportReceived', { childId, subject }),
    });
    this.#attendance = new Attendance({
      membership: this.membership,
      plugins: this.plugins,
      forget: (member) => (this.#phase === 'closed' ? false : this.forgetChild(member)),
      forgetReports: (childId) => this.reports.forget(childId),
      joined: (member) => this.memberJoined(member),
      left: (member) => this.memberLeft(member),
      emit: (name, event) => this.events.emit(name, event),
    });
    this.#publisher = new Publisher({
      clock,
      plugins: this.plugins,
      published: ({ version }) => {
        this.server.publish();
        this.events.emit('mainPublished', { version });
      },
      report,
    });
    this.server = new ChildServer(
      this.federation,
      servedCoordinator({
        main: this.main,
        shared: this.#shared,
        publisher: this.#publisher,
        attendance: this.#attendance,
        reports: this.reports,
        instance: randomName(this.options.random),
        coordinator: {
          kind: () => this.kind,
          phase: () => this.#phase,
          submit: (content, identity) => this.submit(content as T, identity),
          keepsUpdates: () => this.road.keepsUpdates,
          hold: () => this.#ledger.hold(),
          release: () => this.#ledger.release(),
          report,
        },
      }),
      { ...this.options, ...this.options.limits },
    );
    this.#ledger = new Ledger({
      ...{ ...this.options, ...this.options.limits },
      events: {
        state: (members) => this.storedState(members),
        plugins: this.plugins,
        committed: (main) => this.#publisher.offer(main),
        failed: report,
      },
    });
    this.road = this.#createRoad();
  }

  /** What children send. */
  protected abstract readonly kind: UpdateKind;

  /**
   * Folds an admitted, finite update in: `applied` where main has changed with it, `accepted` where it waits for
   * others. Calls `publishMain` for a new main. Throws, and then nothing has changed, to refuse it.
   */
  protected abstract fold(pending: Pending<T>): Steps<Folded>;

  /** Gives up the updates that were accepted and wait for others. */
  protected abstract giveUpPartial(reason: MainstemError): void;

  /** Throws where an update of this member cannot be taken now; before anything of it is remembered. */
  protected admitMember(_member: Member, _content: T): void {}

  /** A child counts as there from now on. */
  protected memberJoined(_member: Member): void {}

  /** A child has gone: whatever waits for it is looked at again. */
  protected memberLeft(_member: Member): void {}

  /** What a subclass keeps in the store with every commit. */
  protected storedState(_members: readonly Member[]): StoreOperation[] {
    return [];
  }

  /**
   * Reads what `storedState` wrote, for a main of `length` values; the function returned puts it back. Must change
   * nothing before that.
   */
  protected async loadState(_read: ReadRecord, _length: number): Promise<() => void> {
    return () => {};
  }

  /** Forgets what a subclass keeps of a child; true where there was something. */
  protected forgetChild(_member: Member): boolean {
    return false;
  }

  /** The records of this federation in the store. */
  protected get records(): Pick<Ledger, 'keys' | 'remove' | 'flush'> {
    return this.#ledger;
  }

  /** Version of main: 0 before there is one, then one more with every change. */
  get version(): number {
    return this.main.version;
  }

  /** Ids of the children that are there, in the order in which they first came. */
  get children(): string[] {
    return this.membership.ids;
  }

  /** Updates that wait for their turn (`drive: 'tick'` or `'timers'`). */
  get queuedUpdates(): number {
    return this.road.length;
  }

  /** A copy of main, with its version. Throws NoMainParametersError where there is none. */
  getModelParameters(): ModelParameters {
    return this.main.snapshot();
  }

  /** Calls the listener at every event of this name; the function returned removes it. */
  on<Name extends keyof CoordinatorEvents>(name: Name, listener: CoordinatorListener<Name>): () => void {
    return this.events.on(name, listener);
  }

  /** Removes a listener. */
  off<Name extends keyof CoordinatorEvents>(name: Name, listener: CoordinatorListener<Name>): void {
    this.events.off(name, listener);
  }

  /** Adds a plugin; before `restore`, where its memory is to come back. Throws InvalidOptionError for a name in use. */
  use(plugin: Plugin): this {
    this.plugins.add(plugin, this);
    return this;
  }

  /** Removes a plugin and its stored memory; false where there is none of this name. */
  removePlugin(name: string): boolean {
    if (!this.plugins.remove(name)) return false;
    this.#ledger.remove([pluginKey(name)]);
    return true;
  }

  /** Counts a child in before its first update; false where it is there. Throws where a plugin or a limit keeps it out. */
  addChild(childId: string): boolean {
    return this.#attendance.enter(childId);
  }

  /**
   * Counts a child out, ends its session, and forgets what is kept of it, but for the numbers of its updates. What it has
   * added to main, or to the sums of an open round, stays. False where nothing was known of it.
   */
  removeChild(childId: string): boolean {
    const wasKnown = this.#attendance.leave(childId);
    this.server.expel(childId);
    return wasKnown;
  }

  /**
   * Works on what waits until all is done or `budgetMs` has passed; true where all is done. One slice (about 65 thousand
   * values) may run over, and so does the copying of main for the store and for children. For `drive: 'tick'`.
   */
  tick(budgetMs: number): boolean {
    return this.road.run(budgetMs);
  }

  /** With `drive: 'timers'`: works by itself from now on, until `stop` or `close`. */
  start(): void {
    const { clock, timers, drive } = this.options;
    if (drive !== 'timers') throw new InvalidOptionError(`start is for drive 'timers', this is '${drive}'`);
    if (this.#phase === 'closed') return;
    this.#timers.start(clock, timers.intervalMs, () => this.road.run(timers.budgetMs));
  }

  /** Stops what `start` began. Updates wait. */
  stop(): void {
    this.#timers.stop();
  }

  /**
   * Serves the children that connect over this transport, until the listener or the coordinator is closed. For
   * several coordinators behind one listener see CoordinatorHost.
   */
  async listen(transport: ServerTransport): Promise<Listener> {
    if (this.#phase === 'closed') throw new ConnectionClosedError('the coordinator is closed');
    return this.#doors.open(transport, {
      ...{ ...this.options, ...this.options.limits },
      choose: (federation, layout) => this.server.choose(federation, layout),
      report: (error) => this.report(error),
    });
  }

  /**
   * Does all that waits, waits for the store, ends all connections, disposes of the plugins. May be called again.
   * What the store refuses even then is given up. Children are told that it is over, or with `returnAfterMs` that they
   * may come back after that: to the process that takes over, which they send what is not in main then.
   */
  async close({ returnAfterMs = null }: CloseOptions = {}): Promise<void> {
    if (this.#phase === 'closed') return this.#ledger.close();
    this.#enter('closed');
    if (returnAfterMs !== null) this.server.handOver(returnAfterMs);
    // Where a hook or a listener closes, the job that it belongs to ends first.
    while (!this.road.run(Infinity)) await this.options.clock.yieldTurn();
    this.stop();
    this.giveUpPartial(new UpdateDiscardedError('the coordinator was closed before the round was complete'));
    await this.#ledger.close();
    this.#publisher.close();
    // After the acknowledgements. What is kept of a child stays in the store: it may come back after a restart.
    this.server.dismiss(undefined, returnAfterMs);
    await this.#doors.close();
    if (this.main.version > 0) this.#ledger.write(this.plugins.save());
    await this.#ledger.close();
    this.plugins.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Takes main and the numbers of all updates in it back from the store; false where the store has none. For a new
   * coordinator, before anything else: throws InvalidOptionError where there is a main already, and refuses updates and
   * children until it is done. Throws MalformedDataError for damaged records, or what a plugin's `load` throws, and then
   * nothing has changed but the plugins before that one.
   */
  async restore(): Promise<boolean> {
    if (this.main.version > 0)
      throw new InvalidOptionError('restore comes before anything else, and there is a main already');
    this.#enter('being restored');
    try {
      return await restoreAll({
        ledger: this.#ledger,
        main: this.main,
        membership: this.membership,
        plugins: this.plugins,
        loadState: (read, length) => this.loadState(read, length),
        opened: () => this.#enter('open'),
      });
    } finally {
      this.#enter('open');
    }
  }

  #createRoad(): Road<T> {
    return new Road<T>({
      options: this.options,
      main: this.main,
      membership: this.membership,
      plugins: this.plugins,
      ledger: this.#ledger,
      shared: this.#shared,
      coordinator: {
        kind: () => this.kind,
        admitMember: (member, content) => this.admitMember(member, content),
        join: (member) => this.#attendance.join(member),
        fold: (pending) => this.fold(pending),
        emit: (name, event) => this.events.emit(name, event),
      },
    });
  }

  /** A closed coordinator stays closed. */
  #enter(phase: Phase): void {
    if (this.#phase === 'closed') return;
    this.#phase = phase;
    this.road.refuse(phase === 'open' ? undefined : `the coordinator is ${phase}`);
  }

  /** The road, from "admit" on. Never throws for a bad update: its receipt says what is wrong. */
  protected submit(content: T, identity: UpdateIdentity): RoadReceipt {
    return this.road.submit(content, identity);
  }

  /** What main is made of when it is set: checked, and the shared tensors alone. */
  protected asMain(parameters: ModelParameters): ModelParameters {
    requireModelParameters(parameters).assertFinite('main parameters');
    return this.#shared?.take(parameters) ?? parameters;
  }

  /** Replaces main by what `asMain` has made. */
  protected replaceMain(parameters: ModelParameters): void {
    if (this.#phase === 'being restored')
      throw new InvalidOptionError('main cannot be set while it is being restored');
    const version = this.main.version + 1;
    this.main.replace(parameters, parameters.dtype, version);
    this.#ledger.commit(this.main, [], []);
    this.events.emit('mainUpdated', { version, children: [] });
  }

  /** Makes the spare values, finite ones, main once the plugins have seen them, and commits; its updates are applied. */
  protected publishMain(change: MainChange<T>): void {
    const { layout, dtype, included, base } = change;
    const version = base + 1;
    this.plugins.reviseMain(this.main.spare(layout.length), layout, dtype, {
      version,
      children: included.length,
    });
    if (included.some(({ status }) => status === 'refused'))
      throw new UpdateDiscardedError('an update of this merge was given up before it was complete');
    if (this.main.version !== base)
      throw new UpdateDiscardedError('main was set anew while the update was being folded in');
    this.main.swap(layout, dtype, version);
    change.adopt();
    for (const pending of included) markApplied(pending);
    const members = included.map(({ member }) => member);
    const settlements = included.map(({ settlement }) => settlement);
    this.#ledger.commit(this.main, members, settlements);
    this.events.emit('mainUpdated', { version, children: members.map(({ id }) => id) });
  }

  protected report(error: Error): void {
    if (!this.events.emit('error', error)) this.options.logger.error(error.message, error);
  }
}
