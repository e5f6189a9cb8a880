import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { packedBytesMax } from '../compression/Compression.ts';
import type { MainstemError } from '../errors.ts';
import {
  ConnectionClosedError,
  InvalidDataError,
  NoMainParametersError,
  RemoteError,
  SessionLostError,
  toMainstemError,
} from '../errors.ts';
import type { Evaluation } from '../evaluation/Evaluation.ts';
import { GuardedEvents } from '../events.ts';
import type { Logger } from '../logger.ts';
import { guardedLogger, silentLogger } from '../logger.ts';
import type { Features } from '../models/features.ts';
import type { Labels } from '../models/labels.ts';
import type { TrainAsyncOptions } from '../models/trainOptions.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { NamedTensors } from '../parameters/NamedTensors.ts';
import { FeatureStatistics } from '../preprocessing/FeatureStatistics.ts';
import { isPromiseLike } from '../promises.ts';
import { layoutForm } from '../protocol/LayoutCatalog.ts';
import type {
  Hello,
  MainMessage,
  Message,
  ReportMessage,
  ReportSubject,
  UpdateKind,
  Welcome,
} from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { platformRandom, randomName } from '../random.ts';
import { show } from '../show.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { AdoptionTest } from './ChildModel.ts';
import { ChildModel } from './ChildModel.ts';
import { ChildSession, fromWire } from './ChildSession.ts';
import type { ChildEvents } from './childEvents.ts';
import type { ChildOptions } from './childOptions.ts';
import { checkChildOptions } from './childOptions.ts';
import { KnownMain, missingBase } from './KnownMain.ts';
import { resolveReconnect } from './reconnectOptions.ts';
import { SentReports } from './SentReports.ts';
import type { ChildReceipt, SentUpdate } from './SentUpdates.ts';
import { SentUpdates } from './SentUpdates.ts';
import { UpdatePacker } from './UpdatePacker.ts';

/** Options of `adopt`. */
export interface AdoptOptions {
  /** Adopt main only if it scores higher on these rows than the model as it is; always unless given. */
  onlyIfBetter?: AdoptionTest;
}

/**
 * The other end of a coordinator: trains a model on its own rows, sends what the coordinator wants (gradients or
 * parameters), and has the latest main at hand. It outlives its connection: what the coordinator has not acknowledged
 * goes out again over the next one, and counts once.
 */
export class Child {
  readonly childId: string;
  readonly #federation: string;
  readonly #token: string | null;
  readonly #busyMs: number;
  readonly #model: ChildModel;
  readonly #session: ChildSession;
  readonly #sessionName: string;
  readonly #logger: Logger;
  readonly #sent = new SentUpdates();
  readonly #reports = new SentReports();
  readonly #main: KnownMain;
  readonly #packer: UpdatePacker;
  readonly #clock: Clock;
  readonly #events: GuardedEvents<ChildEvents>;
  #instance = '';
  #epoch = 0;
  /** Whoever waits for the first main. */
  #awaitedMain: { resolve(): void; reject(error: Error): void } | undefined;
  #isMainComing = false;
  /** The main that an update is asked from, where it has not come yet. */
  #askedVersion: number | undefined;
  #isClosed = false;

  /** Connects, and waits for the welcome, and for main where there is one. Rejects with a ConnectionRefusedError where it is refused. */
  static async connect(options: ChildOptions): Promise<Child> {
    checkChildOptions(options);
    const child = new Child(options);
    await child.#start();
    return child;
  }

  private constructor(options: ChildOptions) {
    const { transport, model, childId, federation = 'default', token, logger = silentLogger } = options;
    const { clock = systemClock, random = platformRandom() } = options;
    const { compression, savedState } = options;
    const { reconnect = true, connectTimeoutMs = 30_000, busyMs = 600_000 } = options;
    this.childId = childId;
    this.#federation = federation;
    this.#token = token ?? null;
    this.#busyMs = busyMs;
    this.#sessionName = randomName(random);
    this.#model = new ChildModel(model);
    this.#main = new KnownMain(compression);
    this.#packer = new UpdatePacker(compression, random, savedState);
    this.#clock = clock;
    this.#logger = guardedLogger(logger);
    this.#events = new GuardedEvents<ChildEvents>((error) => this.#logger.error('a listener failed', error));
    this.#session = new ChildSession(
      {
        hello: () => this.#hello(),
        welcomed: (welcome) => this.#enter(welcome),
        message: (message) => this.#handle(message),
        failed: (error) => this.#report(error),
        lost: (error) => this.#events.emit('disconnected', error),
        ended: (error) => this.#end(error),
      },
      { transport, clock, random, connectTimeoutMs, reconnect: resolveReconnect(reconnect) },
    );
  }

  /** What the coordinator wants: `'gradients'`, `'parameters'` or `'messages'`. */
  get kind(): UpdateKind {
    return this.#model.kind;
  }

  /** Version of the latest main that has come; 0 before there is one. */
  get version(): number {
    return this.#main.version;
  }

  /** The latest main that has come, or undefined. */
  get main(): ModelParameters | undefined {
    return this.#main.parameters?.clone();
  }

  /** Calls the listener at every event of this name; the function returned removes it. */
  on<Name extends keyof ChildEvents>(name: Name, listener: (event: ChildEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Puts the latest main into the model; tensors that are not shared stay as they are. False where there is none
   * newer than the model has, or none better. Throws InvalidOptionError where the model cannot score itself.
   */
  async adopt(options: AdoptOptions = {}): Promise<boolean> {
    refuseUnknownOptions(options, ['onlyIfBetter'], 'adopt');
    const { onlyIfBetter } = options;
    if (onlyIfBetter !== undefined) {
      refuseUnknownOptions(onlyIfBetter, ['features', 'labels', 'metric'], 'adopt.onlyIfBetter');
    }
    const main = this.#main.parameters;
    if (main === undefined || main.baseVersion === this.#main.adopted?.baseVersion) return false;
    if (!(await this.#model.adopt(main, onlyIfBetter))) return false;
    this.#main.adopt(main);
    return true;
  }

  /**
   * One round of a child: adopts the latest main, trains on these rows, and sends what the coordinator wants.
   * Resolves with the costs and the receipt; `receipt.committed` says when main has it for good. `signal` and `clock`
   * are for models with `trainAsync`.
   */
  async train(
    features: Features,
    labels: Labels,
    options?: TrainAsyncOptions,
  ): Promise<{ costs: number[]; receipt: ChildReceipt }> {
    await this.adopt();
    if (this.#model.blocksWhileTraining) this.announceBusy();
    const costs = await this.#model.train(features, labels, options);
    return { costs, receipt: await this.send() };
  }

  /** Tells the coordinator that this thread will be busy, and silent, for as long as `busyMs` says. `train` does it by itself. */
  announceBusy(): void {
    this.#session.announceBusy(this.#busyMs);
  }

  /**
   * Sends the gradients of the last training, or the parameters, as the coordinator wants. While there is no connection
   * it waits for one; where 1,024 updates wait for their ends already it waits for room.
   */
  async send(): Promise<ChildReceipt> {
    const made = this.#model.update();
    // No turn is waited for where there is nothing to wait for.
    const content: NamedTensors = isPromiseLike(made) ? await made : made;
    while (!this.#isClosed && !this.#sent.hasRoom) await this.#sent.room();
    if (this.#isClosed) throw new ConnectionClosedError('the child is not connected any more');
    const { adopted } = this.#main;
    this.#observe();
    const packed = this.#packer.pack(content, this.kind, adopted);
    const { update, receipt } = this.#sent.add(content, packed, adopted?.baseVersion);
    try {
      this.#sendUpdate(update);
      packed.adopt?.();
    } catch (thrown) {
      this.#sent.withdraw(update);
      throw thrown;
    }
    return receipt;
  }

  #sendUpdate(update: SentUpdate): void {
    const layouts = this.#session.layouts;
    if (layouts === undefined || !this.#session.isConnected) return;
    const layout = layouts.indexOf(update.layout, (message) => this.#session.send(message));
    this.#session.send({ ...update.message, layout });
    update.wasSent = true;
    update.sentMs = this.#clock.now();
  }

  /** How long updates take is what `auto` compression goes by. */
  #observe(): void {
    const sinceMs = this.#sent.waitingSinceMs;
    if (sinceMs !== undefined) this.#packer.observe(this.#clock.now() - sinceMs);
  }

  #sendReport(subject: ReportSubject, version: number | null, sums: object): Promise<void> {
    if (this.#isClosed) throw new ConnectionClosedError('the child is not connected any more');
    // What travels is JSON: the forms of sums are made of nothing else.
    const content = sums as ReportMessage['content'];
    return this.#reports.open({ type: 'report', number: 0, subject, version, content }, (report) => {
      if (this.#session.isConnected) this.#session.send(report);
    });
  }

  /**
   * Evaluates the latest main on these rows and reports the sums for `coordinator.reports`; the model stays as it is. Resolves with this
   * child's evaluation. Rejects with a NoMainParametersError before there is a main, and where the coordinator refuses.
   */
  async evaluate(features: Features, labels: Labels): Promise<Evaluation> {
    const main = this.#main.parameters;
    if (main === undefined) throw new NoMainParametersError('there is no main to evaluate yet');
    const evaluation = await this.#model.evaluate(main, features, labels);
    await this.#sendReport('evaluation', main.baseVersion ?? null, evaluation.toJSON());
    return evaluation;
  }

  /** Reports statistics of this child's columns, in place of earlier ones. Rejects where the coordinator refuses. */
  async reportFeatureStatistics(statistics: FeatureStatistics): Promise<void> {
    if (!FeatureStatistics.isFeatureStatistics(statistics)) {
      throw new InvalidDataError(
        `got ${show(statistics)}, expected FeatureStatistics: new FeatureStatistics().add(rows)`,
      );
    }
    await this.#sendReport('featureStatistics', null, statistics.toJSON());
  }

  /** What compression with error feedback has not sent yet: for `savedState` of a later child, once no update is on its way. */
  saveState(): Uint8Array<ArrayBuffer> {
    return this.#packer.save();
  }

  /** Says goodbye. What has not been acknowledged is given up. May be called again. */
  async leave(): Promise<void> {
    this.#session.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  async #start(): Promise<void> {
    await this.#session.start();
    if (this.#main.parameters !== undefined || !this.#isMainComing) return;
    await new Promise<void>((resolve, reject) => {
      this.#awaitedMain = { resolve, reject };
    });
  }

  async #hello(): Promise<Hello> {
    const layout = await this.#model.layout();
    return {
      type: 'hello',
      protocolMin: protocolVersion,
      protocolMax: protocolVersion,
      federation: this.#federation,
      childId: this.childId,
      session: this.#sessionName,
      instance: this.#instance,
      epoch: this.#epoch,
      version: this.version,
      layout: layout === undefined ? null : layoutForm(layout),
      token: this.#token,
      dtypes: ['float32', 'float64'],
      codecs: ['none', 'runs', ...this.#packer.forms],
    };
  }

  /** The coordinator has let this child in: what it has not answered goes out again. */
  #enter({ kind, sharedTensors, instance, epoch, isResumed, version, compression }: Welcome): void {
    const isFirst = this.#epoch === 0;
    this.#model.accept(kind, sharedTensors);
    this.#packer.accept(compression);
    const isOtherInstance = instance !== this.#instance;
    if (isOtherInstance) this.#main.beginInstance();
    this.#askedVersion = undefined;
    this.#instance = instance;
    this.#epoch = epoch;
    this.#isMainComing = version > 0;
    // Between the first welcome and main the coordinator has begun anew, with nothing.
    if (version === 0) this.#awaitedMain?.resolve();
    if (isFirst) return;
    if (!isResumed) {
      const reason =
        'the coordinator does not know the session any more; the update may be part of main, or not';
      this.#sent.giveUpSent(new SessionLostError(reason));
    }
    this.#resume(version, isOtherInstance);
  }

  /** After the welcome has been taken. */
  #resume(version: number, isOtherInstance: boolean): void {
    void Promise.resolve().then(() => {
      try {
        for (const update of this.#sent.again(isOtherInstance)) this.#sendUpdate(update);
        for (const report of this.#reports.again()) this.#session.send(report);
      } catch (thrown) {
        this.#report(toMainstemError(thrown));
      }
      this.#events.emit('reconnected', { version });
    });
  }

  #report(error: MainstemError): void {
    if (!this.#events.emit('error', error)) this.#logger.error(error.message, error);
  }

  #handle(message: Message): void {
    switch (message.type) {
      case 'layout': {
        const layout = this.#session.layouts?.receive(message);
        if (layout !== undefined) this.#session.expectPayload(packedBytesMax(layout));
        return;
      }
      case 'main':
        this.#takeMain(message);
        return;
      case 'receipt': {
        const { first, last, status, version, error } = message;
        this.#observe();
        this.#sent.answer(first, last, {
          status,
          version,
          reason: error === null ? undefined : fromWire(error),
        });
        return;
      }
      case 'committed':
        this.#sent.commit(message.first, message.last);
        return;
      case 'rejected':
        this.#sent.reject(message.sequence, fromWire(message.error));
        return;
      case 'asked':
        this.#askedVersion = message.version;
        this.#tellAsked();
        return;
      case 'reported':
        this.#reports.answer(message.number, message.error === null ? undefined : fromWire(message.error));
        return;
      default:
        this.#report(new RemoteError('MALFORMED_DATA', `a child does not expect a ${message.type}`));
    }
  }

  #takeMain(message: MainMessage): void {
    const layout = this.#session.layouts?.require(message.layout);
    if (layout === undefined) return;
    const arrival = this.#main.take(message, layout);
    if (arrival === 'missing') this.#session.renew(missingBase(message));
    if (arrival === 'missing' || arrival === 'old') return;
    this.#awaitedMain?.resolve();
    this.#awaitedMain = undefined;
    if (arrival === 'new') this.#events.emit('mainUpdated', { version: message.version });
    this.#tellAsked();
  }

  #tellAsked(): void {
    const { version } = this;
    if (this.#askedVersion === undefined || version < this.#askedVersion) return;
    this.#askedVersion = undefined;
    this.#events.emit('asked', { version });
  }

  #end(error: MainstemError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const reason = error ?? new ConnectionClosedError('the child left');
    this.#awaitedMain?.reject(reason);
    this.#awaitedMain = undefined;
    this.#sent.close(reason);
    this.#reports.close(reason);
    this.#events.emit('closed', error);
  }
}
