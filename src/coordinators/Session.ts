import { packedBytesMax } from '../compression/Compression.ts';
import { ConnectionRefusedError, MalformedDataError, toError, toMainstemError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import { packMessage, unpackMessage } from '../protocol/codec.ts';
import { LayoutCatalog, readLayout } from '../protocol/LayoutCatalog.ts';
import type { Hello, LayoutMessage, Message, ReportMessage, WireError } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import type { Channel, ChannelHandlers } from '../transport/Channel.ts';
import type { ChildServer, JoinedSession } from './ChildServer.ts';
import type { PublishedMain } from './PublishedMain.ts';
import type { DeskChild, DeskSession } from './UpdateDesk.ts';
import { UpdateDesk } from './UpdateDesk.ts';
import { toWireError } from './wireError.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a session needs of whoever received its connection. */
export interface SessionHost {
  /** Whether this child may come in. Undefined: everybody may. */
  authenticate(hello: Hello, peer: string): boolean | Promise<boolean>;
  /** The coordinator that a child asks for. Throws where there is none for it. */
  choose(hello: Hello, layout: ParameterLayout | undefined): ChildServer;
  readonly updatesPerSecondMax: number;
  now(): number;
  joined(session: Session): void;
  ended(session: Session): void;
  report(error: Error): void;
}

/** A child that is in. */
interface JoinedChild extends DeskChild {
  /** The types of numbers that it reads. */
  readonly dtypes: readonly DataType[];
  /** It takes a main as a difference to the one before. */
  readonly takesRuns: boolean;
  /** It reads packed mains, and may send packed updates. */
  readonly takesPacked: boolean;
}

/** The coordinator's end of one conversation: a child that says hello, and then sends updates. */
export class Session implements JoinedSession, ChannelHandlers, DeskSession {
  readonly #host: SessionHost;
  readonly #channel: Channel;
  readonly #layouts = new LayoutCatalog();
  #child: JoinedChild | undefined;
  #desk: UpdateDesk | undefined;
  #isGreeted = false;
  #sentVersion = 0;
  #wantsMain = false;
  #isOpen = true;

  constructor(host: SessionHost, channel: Channel) {
    this.#host = host;
    this.#channel = channel;
    channel.receive(this);
  }

  /** Who is at the other end; undefined before it is in. */
  get childId(): string | undefined {
    return this.#child?.id;
  }

  get updatesPerSecondMax(): number {
    return this.#host.updatesPerSecondMax;
  }

  now(): number {
    return this.#host.now();
  }

  refuse(error: Error): void {
    this.send({ type: 'refusal', error: toWireError(error) });
    this.#close('left');
  }

  dismiss(returnAfterMs: number | null): void {
    this.#desk?.flush();
    this.send({ type: 'goodbye', returnAfterMs });
    this.#close(returnAfterMs === null ? 'left' : 'broken');
  }

  ask(version: number): void {
    this.send({ type: 'asked', version });
  }

  replace(): void {
    this.#close('replaced');
  }

  offerMain(main: PublishedMain): boolean {
    const child = this.#child;
    if (child === undefined || main.version <= this.#sentVersion) return false;
    this.#wantsMain = !this.#channel.isIdle;
    if (this.#wantsMain) return false;
    this.#sendMain(child, main);
    return true;
  }

  #sendMain(child: JoinedChild, main: PublishedMain): void {
    const { layout, version } = main;
    const steps = child.takesPacked ? main.stepsSince(this.#sentVersion) : undefined;
    const dtype = main.dtypeFor(child.dtypes);
    const changes =
      child.takesRuns && steps === undefined ? main.changesSince(this.#sentVersion, dtype) : undefined;
    const base = changes === undefined ? null : this.#sentVersion;
    const { runs, payload } = changes ?? { runs: null, payload: main.payload(dtype) };
    this.#sentVersion = version;
    this.#attempt(() => {
      const index = this.#layouts.indexOf(layout, (message) => this.#post(message));
      const common = { type: 'main', layout: index } as const;
      if (steps === undefined)
        this.#post({ ...common, dtype, version, base, runs, isPacked: false, payload });
      else
        for (const step of steps)
          this.#post({ ...common, dtype: 'float32', runs: null, isPacked: true, ...step });
    });
  }

  /** A child that uses each main before it sends is never more than one behind, however much waits for others. */
  refresh(usedVersion: number): void {
    const child = this.#child;
    if (child === undefined || usedVersion !== this.#sentVersion || !this.#channel.isEmpty) return;
    const main = child.server.latestMain(child.id);
    if (main !== undefined && main.version > usedVersion) this.#sendMain(child, main);
  }

  drained(): void {
    if (!this.#wantsMain) return;
    const child = this.#child;
    const main = child?.server.latestMain(child.id);
    if (main !== undefined) this.offerMain(main);
  }

  message(kind: number, metadata: Bytes, payload: Bytes): void {
    if (!this.#isOpen) return;
    try {
      const message = unpackMessage(kind, metadata, payload);
      if (message !== undefined) this.#handle(message);
    } catch (thrown) {
      // A child that does not speak the protocol is sent away; it never stops the coordinator.
      this.failed(toError(thrown));
    }
  }

  failed(thrown: Error): void {
    const error = toMainstemError(thrown);
    this.refuse(error);
    this.#report(error);
  }

  closed(): void {
    this.#end('broken');
  }

  #handle(message: Message): void {
    switch (message.type) {
      case 'hello':
        this.#greet(message);
        return;
      case 'layout':
        this.#takeLayout(message);
        return;
      case 'update':
        this.#requireChild(message.type);
        this.#desk?.take(message, this.#layouts.require(message.layout));
        return;
      case 'report':
        this.#takeReport(message);
        return;
      case 'leave':
        this.#desk?.flush();
        this.#close('left');
        return;
      case 'welcome':
      case 'refusal':
      case 'receipt':
      case 'committed':
      case 'rejected':
      case 'main':
      case 'reported':
      case 'goodbye':
      case 'asked':
        throw new MalformedDataError(`a coordinator does not expect a ${message.type}`);
    }
  }

  /** Nothing is remembered of a child before it is known to be who it says. */
  #greet(hello: Hello): void {
    if (this.#isGreeted) throw new MalformedDataError('a second hello on one connection');
    this.#isGreeted = true;
    checkVersions(hello);
    const { identity, peer } = this.#channel;
    if (identity !== undefined && identity !== hello.childId)
      throw new ConnectionRefusedError(`these credentials are not those of child ${hello.childId}`);
    const verdict = this.#host.authenticate(hello, peer);
    if (typeof verdict === 'boolean') this.#admit(hello, verdict);
    else
      verdict
        .then((mayJoin) => this.#admitLater(hello, mayJoin))
        .catch((thrown) => this.failed(toError(thrown)));
  }

  #admitLater(hello: Hello, mayJoin: boolean): void {
    if (this.#isOpen) this.#admit(hello, mayJoin);
  }

  #admit(hello: Hello, mayJoin: boolean): void {
    if (!mayJoin) throw new ConnectionRefusedError('the coordinator does not accept these credentials');
    const layout = hello.layout === null ? undefined : readLayout(hello.layout);
    const server = this.#host.choose(hello, layout);
    const { awayMs } = server;
    if (hello.epoch > 0 && awayMs !== undefined) {
      // Being refused, it would not come again.
      this.dismiss(awayMs);
      return;
    }
    const { kind, sharedTensors } = server.coordinator.terms;
    const { childId: id, session } = hello;
    const { instance } = server.coordinator;
    const isOfThisInstance = hello.instance === instance;
    const { epoch, isResumed } = server.add(this, {
      childId: id,
      session,
      epoch: hello.epoch,
      isOfThisInstance,
    });
    const takesRuns = hello.codecs.includes('runs');
    const { compression } = server;
    const takesPacked = compression !== undefined && hello.codecs.includes(compression.form);
    this.#child = { id, epoch, server, dtypes: readableBy(hello), takesRuns, takesPacked };
    this.#desk = new UpdateDesk(this.#child, this);
    this.#host.joined(this);
    // Whoever heard that it joined may have ended what it joined.
    this.#host.choose(hello, layout);
    const main = server.latestMain(id);
    this.send({
      type: 'welcome',
      protocol: protocolVersion,
      kind,
      instance,
      epoch,
      isResumed,
      version: main?.version ?? 0,
      sharedTensors: sharedTensors ?? null,
      codec: takesRuns ? 'runs' : 'none',
      compression: takesPacked ? compression.terms : null,
    });
    this.#sentVersion = isOfThisInstance ? hello.version : 0;
    if (main !== undefined) this.offerMain(main);
    // Perhaps before it was in.
    if (server.isAsked(id)) this.ask(server.coordinator.version);
  }

  #takeLayout(message: LayoutMessage): void {
    const { server } = this.#requireChild(message.type);
    const layout = this.#layouts.receive(message, (own) => server.intern(own));
    // Nothing larger than what was announced is taken in.
    this.#channel.payloadBytesMax = Math.max(
      this.#channel.payloadBytesMax,
      server.compression === undefined ? 8 * layout.length : packedBytesMax(layout),
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
    this.send({ type: 'reported', number, error });
  }

  #requireChild(type: string): JoinedChild {
    if (this.#child === undefined) throw new MalformedDataError(`a ${type} before the hello`);
    return this.#child;
  }

  #post(message: Message): void {
    const { kind, metadata, payload } = packMessage(message);
    this.#channel.send(kind, metadata, payload);
  }

  send(message: Message): void {
    this.#attempt(() => this.#post(message));
  }

  #attempt(sending: () => void): void {
    if (!this.#isOpen) return;
    try {
      sending();
    } catch (thrown) {
      // Closed in between, or too much waits: the child has to come again.
      this.#report(toError(thrown));
      this.#close('broken');
    }
  }

  #report(error: Error): void {
    if (this.#child === undefined) this.#host.report(error);
    else this.#child.server.coordinator.report(error);
  }

  #close(how: 'left' | 'broken' | 'replaced'): void {
    this.#end(how);
    this.#channel.close();
  }

  #end(how: 'left' | 'broken' | 'replaced'): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#host.ended(this);
    if (this.#child === undefined) return;
    const { id, epoch, server } = this.#child;
    this.#desk?.close();
    if (how === 'left') server.remove(this, id, epoch);
    else if (how === 'broken') server.suspend(this, id, epoch);
  }
}

const both: readonly DataType[] = ['float32', 'float64'];
const single: readonly DataType[] = ['float32'];
const double: readonly DataType[] = ['float64'];

/** The types of numbers that a child reads: one of few lists, for thousands of children. */
function readableBy({ dtypes }: Hello): readonly DataType[] {
  if (!dtypes.includes('float64')) return dtypes.includes('float32') ? single : [];
  return dtypes.includes('float32') ? both : double;
}

function checkVersions({ protocolMin, protocolMax }: Hello): void {
  if (protocolMin <= protocolVersion && protocolVersion <= protocolMax) return;
  throw new ConnectionRefusedError(
    `the child speaks protocol ${protocolMin} to ${protocolMax}, the coordinator ${protocolVersion}`,
  );
}
