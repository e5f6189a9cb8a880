import {
  ConnectionRefusedError,
  LimitExceededError,
  MalformedDataError,
  StaleSessionError,
  toError,
  toMainstemError,
} from '../errors.ts';
import { wireMessageLengthMax } from '../limits.ts';
import { Gradients } from '../parameters/Gradients.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import { decodeMessage, encodeMessage } from '../protocol/codec.ts';
import { LayoutCatalog } from '../protocol/LayoutCatalog.ts';
import type { Hello, Message, UpdateKind, UpdateMessage, WireError } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { bytesToValues, valuesToBytes } from '../protocol/tensorBytes.ts';
import { show } from '../show.ts';
import type { Connection } from '../transport/Transport.ts';
import type { UpdateIdentity } from './Membership.ts';
import type { Receipt } from './receipts.ts';

/** What a server of children needs of its coordinator. */
export interface ServedCoordinator {
  readonly federation: string;
  readonly connectionsMax: number;
  kind(): UpdateKind;
  /** Main as it survives a crash: what children may build on. */
  main(): ModelParameters | undefined;
  /** Counts a child in; returns the number of its new session. */
  join(childId: string): number;
  leave(childId: string, epoch: number): void;
  submit(content: Gradients | ModelParameters, identity: UpdateIdentity): Receipt;
  report(error: Error): void;
}

/** The coordinator's ends of all connections. */
export class ChildServer {
  readonly #coordinator: ServedCoordinator;
  readonly #sessions = new Set<Session>();

  constructor(coordinator: ServedCoordinator) {
    this.#coordinator = coordinator;
  }

  /** Takes a new connection. */
  serve(connection: Connection): void {
    if (this.#sessions.size >= this.#coordinator.connectionsMax) {
      const error = new LimitExceededError(
        `${this.#sessions.size} connections are open, no more are allowed`,
      );
      connection.receive({ frame() {}, closed() {} });
      connection.send(encodeMessage({ type: 'refusal', error: toWireError(error) }));
      connection.close();
      return;
    }
    const session = new Session(this.#coordinator, connection, {
      joined: (childId) => this.#endOlder(childId, session),
      ended: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
  }

  /** A child that comes again takes the place of its older session, which is told so. */
  #endOlder(childId: string, newest: Session): void {
    const older = [...this.#sessions].filter((session) => session !== newest && session.childId === childId);
    const reason = `another session of child ${childId} has begun; ids must be unique`;
    for (const session of older) session.refuse(new StaleSessionError(reason));
  }

  /** Sends main to every child. */
  publish(): void {
    if (this.#sessions.size === 0) return;
    const main = this.#coordinator.main();
    if (main === undefined) return;
    const frame = encodeMain(main);
    for (const session of this.#sessions) session.sendMain(main, frame);
  }
}

/** What a session tells its server. */
interface SessionEvents {
  joined(childId: string): void;
  ended(): void;
}

/** One connection: a child that says hello, and then sends updates. */
class Session {
  readonly #coordinator: ServedCoordinator;
  readonly #connection: Connection;
  readonly #layouts = new LayoutCatalog();
  readonly #events: SessionEvents;
  #child: { readonly id: string; readonly epoch: number } | undefined;
  #sentVersion = 0;
  #isOpen = true;

  constructor(coordinator: ServedCoordinator, connection: Connection, events: SessionEvents) {
    this.#coordinator = coordinator;
    this.#connection = connection;
    this.#events = events;
    connection.receive({
      frame: (bytes) => this.#receive(bytes),
      closed: () => this.#end(),
    });
  }

  /** Who is at the other end; undefined before the hello. */
  get childId(): string | undefined {
    return this.#child?.id;
  }

  /** Says why, and ends the session. */
  refuse(error: Error): void {
    this.#send({ type: 'refusal', error: toWireError(error) });
    this.#connection.close();
    this.#end();
  }

  /** Sends main, unless the child is not in yet or has this version. */
  sendMain(main: ModelParameters, frame: Uint8Array): void {
    const version = main.baseVersion ?? 0;
    if (this.#child === undefined || version <= this.#sentVersion) return;
    this.#sentVersion = version;
    const layout = this.#layouts.announcement(main.layout);
    if (layout !== undefined) this.#send(layout);
    this.#layouts.markSent(main.layout);
    this.#sendFrame(frame);
  }

  #receive(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#isOpen) return;
    try {
      this.#handle(decodeMessage(bytes));
    } catch (thrown) {
      // A child that does not speak the protocol is sent away; it never stops the coordinator.
      const error = toMainstemError(thrown);
      this.refuse(error);
      this.#coordinator.report(error);
    }
  }

  #handle(message: Message): void {
    switch (message.type) {
      case 'hello':
        this.#welcome(message);
        return;
      case 'layout':
        this.#requireChild(message.type);
        this.#layouts.receive(message);
        return;
      case 'update':
        this.#update(message);
        return;
      case 'leave':
        this.#connection.close();
        this.#end();
        return;
      case 'welcome':
      case 'refusal':
      case 'receipt':
      case 'committed':
      case 'rejected':
      case 'main':
        throw new MalformedDataError(`a coordinator does not expect a ${message.type}`);
    }
  }

  #welcome({ protocol, federation, childId }: Hello): void {
    if (this.#child !== undefined) throw new MalformedDataError('a second hello on one connection');
    if (protocol !== protocolVersion) {
      throw new ConnectionRefusedError(
        `the child speaks protocol ${protocol}, the coordinator ${protocolVersion}`,
      );
    }
    if (federation !== this.#coordinator.federation) {
      throw new ConnectionRefusedError(
        `the child asks for federation ${show(federation)}, this is ${show(this.#coordinator.federation)}`,
      );
    }
    const epoch = this.#coordinator.join(childId);
    this.#child = { id: childId, epoch };
    this.#events.joined(childId);
    const main = this.#coordinator.main();
    this.#send({ type: 'welcome', kind: this.#coordinator.kind(), version: main?.baseVersion ?? 0, epoch });
    if (main !== undefined) this.sendMain(main, encodeMain(main));
  }

  #update(message: UpdateMessage): void {
    const { id: childId, epoch } = this.#requireChild(message.type);
    const { sequence } = message;
    const receipt = this.#submit(message, { childId, epoch, sequence });
    const error = receipt.reason === undefined ? null : toWireError(receipt.reason);
    this.#send({ type: 'receipt', sequence, status: receipt.status, version: receipt.version, error });
    if (receipt.status !== 'applied' && receipt.status !== 'accepted') return;
    receipt.committed.then(
      () => this.#send({ type: 'committed', sequence }),
      (thrown: unknown) => this.#send({ type: 'rejected', sequence, error: toWireError(toError(thrown)) }),
    );
  }

  /** Decodes and hands over. Content that cannot be read breaks the protocol and ends the connection. */
  #submit(
    message: UpdateMessage,
    identity: UpdateIdentity,
  ): Pick<Receipt, 'status' | 'reason' | 'version' | 'committed'> {
    const layout = this.#layouts.require(message.fingerprint);
    const values = bytesToValues(message.payload, message.dtype, layout.length);
    const sampleCount = message.sampleCount ?? undefined;
    const baseVersion = message.baseVersion ?? undefined;
    if (this.#coordinator.kind() === 'parameters') {
      return this.#coordinator.submit(
        new ModelParameters(layout, values, { sampleCount, baseVersion }),
        identity,
      );
    }
    if (sampleCount === undefined) throw new MalformedDataError('gradients need a sampleCount');
    return this.#coordinator.submit(new Gradients(layout, values, { sampleCount, baseVersion }), identity);
  }

  #requireChild(type: string): { readonly id: string; readonly epoch: number } {
    if (this.#child === undefined) throw new MalformedDataError(`a ${type} before the hello`);
    return this.#child;
  }

  #send(message: Message): void {
    this.#attempt(() => this.#connection.send(encodeMessage(message)));
  }

  #sendFrame(frame: Uint8Array): void {
    this.#attempt(() => this.#connection.send(frame));
  }

  #attempt(sending: () => void): void {
    if (!this.#isOpen) return;
    try {
      sending();
    } catch (thrown) {
      // Closed in between, or too much waits: the child has to come again.
      this.#coordinator.report(toError(thrown));
      this.#connection.close();
      this.#end();
    }
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#events.ended();
    if (this.#child !== undefined) this.#coordinator.leave(this.#child.id, this.#child.epoch);
  }
}

/** The frame of main, the same for every child. */
function encodeMain({ layout, dtype, baseVersion, values }: ModelParameters): Uint8Array {
  const { fingerprint } = layout;
  const payload = valuesToBytes(values);
  return encodeMessage({ type: 'main', fingerprint, dtype, version: baseVersion ?? 0, payload });
}

function toWireError(error: Error): WireError {
  const { code, message } = toMainstemError(error);
  return { code, message: message.slice(0, wireMessageLengthMax) };
}
