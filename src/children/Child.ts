import type { MainstemError } from '../errors.ts';
import {
  ConnectionClosedError,
  ConnectionRefusedError,
  InvalidDataError,
  InvalidOptionError,
  NoMainParametersError,
  RemoteError,
  toMainstemError,
} from '../errors.ts';
import type { Evaluation } from '../evaluation/Evaluation.ts';
import { GuardedEvents } from '../events.ts';
import { idLengthMax } from '../limits.ts';
import type { Logger } from '../logger.ts';
import { guardedLogger, silentLogger } from '../logger.ts';
import type { Features } from '../models/features.ts';
import type { Labels } from '../models/labels.ts';
import type { Model } from '../models/Model.ts';
import type { TrainAsyncOptions } from '../models/trainOptions.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { NamedTensors } from '../parameters/NamedTensors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { FeatureStatistics } from '../preprocessing/FeatureStatistics.ts';
import { decodeMessage, encodeMessage } from '../protocol/codec.ts';
import { LayoutCatalog, layoutForm } from '../protocol/LayoutCatalog.ts';
import type { MainMessage, Message, ReportMessage, ReportSubject, UpdateKind } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { bytesToValues, valuesToBytes } from '../protocol/tensorBytes.ts';
import { show } from '../show.ts';
import type { Connection, Transport } from '../transport/Transport.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { AdoptionTest } from './ChildModel.ts';
import { ChildModel } from './ChildModel.ts';
import { SentReports } from './SentReports.ts';
import type { ChildReceipt } from './SentUpdates.ts';
import { SentUpdates } from './SentUpdates.ts';

/** Options of `Child.connect`. */
export interface ChildOptions {
  transport: Transport;
  /** The model that this child trains. */
  model: Model;
  /** Its name, unique among the children of a coordinator. */
  childId: string;
  /** Which coordinator; `'default'` unless given. */
  federation?: string;
  /** Where errors go that nobody listens to; silent unless given. */
  logger?: Logger;
}

/** The events of a child. */
export interface ChildEvents {
  /** A new main has come. `adopt` puts it into the model. */
  mainUpdated: { readonly version: number };
  /** The connection has ended; undefined where this child left. */
  closed: MainstemError | undefined;
  /** Something failed that no caller waits for. */
  error: Error;
}

/** Options of `adopt`. */
export interface AdoptOptions {
  /** Adopt main only if it scores higher on these rows than the model as it is; always unless given. */
  onlyIfBetter?: AdoptionTest;
}

/**
 * The other end of a coordinator: trains a model on its own rows, sends what the coordinator wants (gradients or
 * parameters), and has the latest main at hand.
 */
export class Child {
  readonly childId: string;
  readonly #model: ChildModel;
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #layouts = new LayoutCatalog();
  readonly #sent = new SentUpdates();
  readonly #reports = new SentReports();
  readonly #events: GuardedEvents<ChildEvents>;
  #main: ModelParameters | undefined;
  #adoptedVersion: number | undefined;
  #greet: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #isClosed = false;

  /**
   * Connects, says hello, and waits for the welcome and for main, where there is one. Rejects with a
   * ConnectionRefusedError where nobody listens or the coordinator refuses.
   */
  static async connect(options: ChildOptions): Promise<Child> {
    refuseUnknownOptions(options, ['transport', 'model', 'childId', 'federation', 'logger'], 'Child.connect');
    const { transport, model, childId, federation = 'default' } = options;
    if (typeof transport?.connect !== 'function') {
      throw new InvalidOptionError(
        'Child.connect needs a transport: Child.connect({ transport, model, childId })',
      );
    }
    if (typeof model?.getModelParameters !== 'function') {
      throw new InvalidOptionError(
        'Child.connect needs a model: Child.connect({ transport, model, childId })',
      );
    }
    if (typeof childId !== 'string' || childId.length === 0 || childId.length > idLengthMax) {
      throw new InvalidOptionError(`childId is ${show(childId)}, expected 1 to ${idLengthMax} characters`);
    }
    const child = new Child(options, await transport.connect());
    await child.#sayHello(federation, await child.#model.layout());
    return child;
  }

  private constructor({ model, childId, logger = silentLogger }: ChildOptions, connection: Connection) {
    this.childId = childId;
    this.#model = new ChildModel(model);
    this.#connection = connection;
    this.#logger = guardedLogger(logger);
    this.#events = new GuardedEvents<ChildEvents>((error) => this.#logger.error('a listener failed', error));
  }

  /** What the coordinator wants: `'gradients'` or `'parameters'`. */
  get kind(): UpdateKind {
    return this.#model.kind;
  }

  /** Version of the latest main that has come; 0 before there is one. */
  get version(): number {
    return this.#main?.baseVersion ?? 0;
  }

  /** The latest main that has come, or undefined. */
  get main(): ModelParameters | undefined {
    return this.#main?.clone();
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
    const main = this.#main;
    if (main === undefined || main.baseVersion === this.#adoptedVersion) return false;
    if (!(await this.#model.adopt(main, onlyIfBetter))) return false;
    this.#adoptedVersion = main.baseVersion;
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
    const costs = await this.#model.train(features, labels, options);
    return { costs, receipt: await this.send() };
  }

  /** Sends the gradients of the last training, or the parameters, as the coordinator wants. */
  async send(): Promise<ChildReceipt> {
    const content: NamedTensors = await this.#model.update();
    if (this.#isClosed) throw new ConnectionClosedError('the child is not connected any more');
    const layout = this.#layouts.announcement(content.layout);
    if (layout !== undefined) {
      this.#connection.send(encodeMessage(layout));
      this.#layouts.markSent(content.layout);
    }
    return this.#sent.open((sequence) => this.#sendUpdate(content, sequence));
  }

  #sendReport(subject: ReportSubject, version: number | null, sums: object): Promise<void> {
    if (this.#isClosed) throw new ConnectionClosedError('the child is not connected any more');
    // What travels is JSON: the forms of sums are made of nothing else.
    const content = sums as ReportMessage['content'];
    return this.#reports.open((number) =>
      this.#connection.send(encodeMessage({ type: 'report', number, subject, version, content })),
    );
  }

  #sendUpdate(content: NamedTensors, sequence: number): void {
    this.#connection.send(
      encodeMessage({
        type: 'update',
        fingerprint: content.layout.fingerprint,
        dtype: content.dtype,
        sequence,
        sampleCount: content.sampleCount ?? null,
        baseVersion: this.#adoptedVersion ?? null,
        payload: valuesToBytes(content.values),
      }),
    );
  }

  /**
   * Evaluates the latest main on these rows and reports the sums, which `coordinator.reports` adds up over the
   * children. The model stays as it is. Resolves with the child's own evaluation once the coordinator has it; rejects
   * with a NoMainParametersError before there is a main, and where the coordinator refuses.
   */
  async evaluate(features: Features, labels: Labels): Promise<Evaluation> {
    const main = this.#main;
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

  /** Says goodbye and closes the connection. What has not been acknowledged is given up. May be called again. */
  async leave(): Promise<void> {
    if (this.#isClosed) return;
    this.#connection.send(encodeMessage({ type: 'leave' }));
    this.#connection.close();
    this.#end(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  #sayHello(federation: string, layout: ParameterLayout | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#greet = { resolve, reject };
      this.#connection.receive({
        frame: (bytes) => this.#receive(bytes),
        closed: (error) =>
          this.#end(error ?? new ConnectionClosedError('the coordinator closed the connection')),
      });
      this.#connection.send(
        encodeMessage({
          type: 'hello',
          protocol: protocolVersion,
          federation,
          childId: this.childId,
          layout: layout === undefined ? null : layoutForm(layout),
        }),
      );
    });
  }

  #receive(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#handle(decodeMessage(bytes));
    } catch (thrown) {
      this.#report(toMainstemError(thrown));
    }
  }

  /** Before the welcome, connect is waiting for an end; after it, the connection may still be of use. */
  #report(error: MainstemError): void {
    if (this.#greet !== undefined) {
      this.#connection.close();
      this.#end(error);
    } else if (!this.#events.emit('error', error)) this.#logger.error(error.message, error);
  }

  #handle(message: Message): void {
    switch (message.type) {
      case 'welcome':
        this.#model.accept(message.kind, message.sharedTensors);
        if (message.version === 0) this.#greeted();
        return;
      case 'refusal':
        this.#end(new ConnectionRefusedError(message.error.message, { cause: fromWire(message.error) }));
        this.#connection.close();
        return;
      case 'layout':
        this.#layouts.receive(message);
        return;
      case 'main':
        this.#takeMain(message);
        return;
      case 'receipt': {
        const { sequence, status, version, error } = message;
        this.#sent.answer(sequence, status, version, error === null ? undefined : fromWire(error));
        return;
      }
      case 'committed':
        this.#sent.commit(message.sequence);
        return;
      case 'rejected':
        this.#sent.reject(message.sequence, fromWire(message.error));
        return;
      case 'reported':
        this.#reports.answer(message.number, message.error === null ? undefined : fromWire(message.error));
        return;
      case 'hello':
      case 'update':
      case 'report':
      case 'leave':
        this.#report(new RemoteError('MALFORMED_DATA', `a child does not expect a ${message.type}`));
    }
  }

  #takeMain({ fingerprint, dtype, version, payload }: MainMessage): void {
    // A transport may bring it twice, or late: main never goes back within a session.
    if (this.#main !== undefined && version <= this.version) return;
    const layout = this.#layouts.require(fingerprint);
    this.#main = new ModelParameters(layout, bytesToValues(payload, dtype, layout.length), {
      baseVersion: version,
    });
    this.#greeted();
    this.#events.emit('mainUpdated', { version });
  }

  #greeted(): void {
    this.#greet?.resolve();
    this.#greet = undefined;
  }

  #end(error: MainstemError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const reason = error ?? new ConnectionClosedError('the child left');
    this.#greet?.reject(reason);
    this.#greet = undefined;
    this.#sent.close(reason);
    this.#reports.close(reason);
    this.#events.emit('closed', error);
  }
}

function fromWire({ code, message }: { code: string; message: string }): RemoteError {
  return new RemoteError(code, message);
}
