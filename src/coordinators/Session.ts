import { MalformedDataError, toError, toMainstemError } from '../errors.ts';
import { wireMessageLengthMax } from '../limits.ts';
import { Gradients } from '../parameters/Gradients.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { decodeMessage, encodeMessage } from '../protocol/codec.ts';
import { LayoutCatalog, readLayout } from '../protocol/LayoutCatalog.ts';
import type { Hello, Message, ReportMessage, UpdateMessage, WireError } from '../protocol/messages.ts';
import { bytesToValues } from '../protocol/tensorBytes.ts';
import type { Connection } from '../transport/Transport.ts';
import type { ChildServer, JoinedSession, ServedCoordinator } from './ChildServer.ts';
import type { UpdateIdentity } from './Membership.ts';
import type { Receipt } from './receipts.ts';

/** What a session needs of whoever received its connection. */
export interface SessionHost {
  /** The coordinator that a child asks for. Throws where there is none for it. */
  choose(hello: Hello, layout: ParameterLayout | undefined): ChildServer;
  ended(session: Session): void;
  report(error: Error): void;
}

/** A child that is in. */
interface JoinedChild {
  readonly id: string;
  readonly epoch: number;
  readonly server: ChildServer;
}

/** The coordinator's end of one connection: a child that says hello, and then sends updates. */
export class Session implements JoinedSession {
  readonly #host: SessionHost;
  readonly #connection: Connection;
  readonly #layouts = new LayoutCatalog();
  #child: JoinedChild | undefined;
  #sentVersion = 0;
  #isOpen = true;

  constructor(host: SessionHost, connection: Connection) {
    this.#host = host;
    this.#connection = connection;
    connection.receive({
      frame: (bytes) => this.#receive(bytes),
      closed: () => this.#end(),
    });
  }

  /** Who is at the other end; undefined before the hello. */
  get childId(): string | undefined {
    return this.#child?.id;
  }

  refuse(error: Error): void {
    this.#send({ type: 'refusal', error: toWireError(error) });
    this.end();
  }

  end(): void {
    this.#connection.close();
    this.#end();
  }

  sendMain(main: ModelParameters, frame: Uint8Array): void {
    const version = main.baseVersion ?? 0;
    if (this.#child === undefined || version <= this.#sentVersion) return;
    this.#sentVersion = version;
    const layout = this.#layouts.announcement(main.layout);
    if (layout !== undefined) this.#send(layout);
    this.#layouts.markSent(main.layout);
    this.#attempt(() => this.#connection.send(frame));
  }

  #receive(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#isOpen) return;
    try {
      this.#handle(decodeMessage(bytes));
    } catch (thrown) {
      // A child that does not speak the protocol is sent away; it never stops the coordinator.
      const error = toMainstemError(thrown);
      this.refuse(error);
      this.#report(error);
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
      case 'report':
        this.#takeReport(message);
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
      case 'reported':
        throw new MalformedDataError(`a coordinator does not expect a ${message.type}`);
    }
  }

  #welcome(hello: Hello): void {
    if (this.#child !== undefined) throw new MalformedDataError('a second hello on one connection');
    const { childId: id } = hello;
    const layout = hello.layout === null ? undefined : readLayout(hello.layout);
    const server = this.#host.choose(hello, layout);
    const { kind, sharedTensors } = server.coordinator.terms;
    const epoch = server.coordinator.join(id);
    this.#child = { id, epoch, server };
    server.add(this);
    // Whoever heard that it joined may have ended what it joined.
    this.#host.choose(hello, layout);
    server.welcome(this, (version) =>
      this.#send({ type: 'welcome', kind, version, epoch, sharedTensors: sharedTensors ?? null }),
    );
  }

  #update(message: UpdateMessage): void {
    const { id: childId, epoch, server } = this.#requireChild(message.type);
    const { sequence } = message;
    const receipt = this.#submit(server.coordinator, message, { childId, epoch, sequence });
    const error = receipt.reason === undefined ? null : toWireError(receipt.reason);
    this.#send({ type: 'receipt', sequence, status: receipt.status, version: receipt.version, error });
    if (receipt.status !== 'applied' && receipt.status !== 'accepted') return;
    receipt.committed.then(
      () => this.#send({ type: 'committed', sequence }),
      (thrown: unknown) => this.#send({ type: 'rejected', sequence, error: toWireError(toError(thrown)) }),
    );
  }

  /** A report that cannot be taken is answered so; the child may go on. */
  #takeReport(report: ReportMessage): void {
    const { number } = report;
    const { id, server } = this.#requireChild(report.type);
    let error: WireError | null = null;
    try {
      server.coordinator.takeReport(id, report);
    } catch (thrown) {
      error = toWireError(toError(thrown));
    }
    this.#send({ type: 'reported', number, error });
  }

  /** Decodes and hands over. Content that cannot be read breaks the protocol and ends the connection. */
  #submit(coordinator: ServedCoordinator, message: UpdateMessage, identity: UpdateIdentity): Receipt {
    const layout = this.#layouts.require(message.fingerprint);
    const values = bytesToValues(message.payload, message.dtype, layout.length);
    const sampleCount = message.sampleCount ?? undefined;
    const baseVersion = message.baseVersion ?? undefined;
    if (coordinator.terms.kind === 'parameters') {
      return coordinator.submit(new ModelParameters(layout, values, { sampleCount, baseVersion }), identity);
    }
    if (sampleCount === undefined) throw new MalformedDataError('gradients need a sampleCount');
    return coordinator.submit(new Gradients(layout, values, { sampleCount, baseVersion }), identity);
  }

  #requireChild(type: string): JoinedChild {
    if (this.#child === undefined) throw new MalformedDataError(`a ${type} before the hello`);
    return this.#child;
  }

  #send(message: Message): void {
    this.#attempt(() => this.#connection.send(encodeMessage(message)));
  }

  #attempt(sending: () => void): void {
    if (!this.#isOpen) return;
    try {
      sending();
    } catch (thrown) {
      // Closed in between, or too much waits: the child has to come again.
      this.#report(toError(thrown));
      this.#connection.close();
      this.#end();
    }
  }

  #report(error: Error): void {
    if (this.#child === undefined) this.#host.report(error);
    else this.#child.server.coordinator.report(error);
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#host.ended(this);
    if (this.#child === undefined) return;
    const { id, epoch, server } = this.#child;
    server.remove(this);
    server.coordinator.leave(id, epoch);
  }
}

/** An error as it travels. */
export function toWireError(error: Error): WireError {
  const { code, message } = toMainstemError(error);
  return { code, message: message.slice(0, wireMessageLengthMax) };
}
