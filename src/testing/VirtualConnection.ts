import type { Clock } from '../clock.ts';
import type { MainstemError } from '../errors.ts';
import { ConnectionClosedError, LimitExceededError } from '../errors.ts';
import { linkLimits, virtualNetworkLimits } from '../limits.ts';
import type { Random } from '../random.ts';
import type { Connection, ConnectionHandlers } from '../transport/Transport.ts';
import type { NetworkEventKind, NetworkTrace } from './NetworkTrace.ts';
import type { ResolvedFaults } from './networkFaults.ts';
import { drawDelay, happens } from './networkFaults.ts';

/** What a connection needs of its network. */
export interface NetworkWires {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: NetworkTrace;
  faults(from: string, to: string): ResolvedFaults;
  isParted(from: string, to: string): boolean;
  /** Both ends have ended. */
  ended(link: VirtualLink): void;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** What a receiver gets as the last thing. */
interface Ending {
  readonly error: MainstemError | undefined;
}

/** A connection of a VirtualNetwork: two ends, and what becomes of both. */
export class VirtualLink {
  readonly near: VirtualEnd;
  readonly far: VirtualEnd;
  readonly number: number;
  readonly wires: NetworkWires;
  /** A partition has swallowed something: it cannot go on when the partition heals. */
  hasLost = false;
  /** It is broken, though one end may not know yet. */
  isCut = false;

  constructor(wires: NetworkWires, number: number, from: string, to: string) {
    this.wires = wires;
    this.number = number;
    this.near = new VirtualEnd(this, from, to);
    this.far = new VirtualEnd(this, to, from);
    this.near.other = this.far;
    this.far.other = this.near;
  }

  /** Breaks it: what is on its way is lost, `first` hears of it next, the other end `laterMs` later. */
  cut(first: VirtualEnd, reason: string, laterMs: number): void {
    if (this.isCut) return;
    this.isCut = true;
    this.record('cut', first);
    const error = new ConnectionClosedError(reason);
    for (const end of [first, first.other]) end.loseComing();
    this.wires.clock.schedule(() => first.end(error), 0);
    this.wires.clock.schedule(() => first.other.end(error), laterMs);
  }

  record(kind: NetworkEventKind, from: VirtualEnd, frame?: Uint8Array): void {
    const { clock, trace } = this.wires;
    const event = {
      atMs: clock.now(),
      kind,
      from: from.host,
      to: from.peer,
      connection: this.number,
      bytes: frame?.length ?? 0,
    };
    trace.add(event, kind === 'send' ? frame : undefined);
  }
}

/** One end of a VirtualLink. Whatever it calls, it calls from a timer of the clock. */
export class VirtualEnd implements Connection {
  readonly host: string;
  readonly peer: string;
  readonly #link: VirtualLink;
  #other: VirtualEnd | undefined;
  /** On their way to this end, in the order in which they will arrive; undefined marks the close. */
  readonly #coming: (Bytes | undefined)[] = [];
  #lastArrivalMs = 0;
  /** Arrived, and waiting for handlers. */
  readonly #inbox: (Bytes | Ending)[] = [];
  #handlers: ConnectionHandlers | undefined;
  /** Bytes in #coming and #inbox. */
  #waitingBytes = 0;
  #isClosed = false;
  #hasEnded = false;

  constructor(link: VirtualLink, host: string, peer: string) {
    this.#link = link;
    this.host = host;
    this.peer = peer;
  }

  get other(): VirtualEnd {
    return this.#other as VirtualEnd;
  }

  set other(other: VirtualEnd) {
    this.#other = other;
  }

  get bufferedBytes(): number {
    return this.other.#waitingBytes;
  }

  /** Calls back after the delay of the link, unless the connection has ended by then; frames come after that. */
  open(accept: () => void): void {
    const { clock, random, faults } = this.#link.wires;
    const nowMs = clock.now();
    this.#lastArrivalMs = nowMs + drawDelay(faults(this.peer, this.host).delayMs, random);
    clock.schedule(() => {
      if (!this.#isClosed && !this.#link.isCut) accept();
    }, this.#lastArrivalMs - nowMs);
  }

  send(bytes: Bytes): void {
    if (this.#isClosed) throw new ConnectionClosedError('the connection is closed');
    this.other.#checkRoom(bytes.length);
    const link = this.#link;
    const { random } = link.wires;
    link.record('send', this, bytes);
    const faults = link.wires.faults(this.host, this.peer);
    const isParted = link.wires.isParted(this.host, this.peer);
    if (isParted) link.hasLost = true;
    if (link.isCut || isParted || happens(faults.drop, random)) {
      link.record('drop', this, bytes);
      return;
    }
    if (happens(faults.cut, random)) {
      link.record('drop', this, bytes);
      link.cut(this, 'the connection broke', drawDelay(faults.halfOpenMs, random));
      return;
    }
    this.other.#expect(bytes, faults);
    if (!happens(faults.duplicate, random)) return;
    link.record('duplicate', this, bytes);
    this.other.#expect(bytes, faults);
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (this.#inbox.length > 0) this.#link.wires.clock.schedule(() => this.#deliver(), 0);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const link = this.#link;
    link.record('close', this);
    if (link.wires.isParted(this.host, this.peer)) link.hasLost = true;
    else if (!link.isCut) this.other.#expect(undefined, link.wires.faults(this.host, this.peer));
    link.wires.clock.schedule(() => this.end(undefined), 0);
  }

  /** The last thing that this end hears; later ones are nothing to it. */
  end(error: MainstemError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#isClosed = true;
    this.loseComing();
    this.#inbox.push({ error });
    if (this.other.#hasEnded) this.#link.wires.ended(this.#link);
    this.#deliver();
  }

  /** Loses what is on its way to this end. */
  loseComing(): void {
    for (const frame of this.#coming.splice(0)) this.#lose(frame);
  }

  #checkRoom(bytes: number): void {
    const { framesPerEndMax, bytesPerEndMax } = virtualNetworkLimits;
    if (this.#coming.length + this.#inbox.length >= framesPerEndMax)
      throw new LimitExceededError(`${framesPerEndMax} frames wait on one connection, no more are allowed`);
    if (this.#waitingBytes + bytes > bytesPerEndMax)
      throw new LimitExceededError(`more than ${bytesPerEndMax} bytes would wait on one connection`);
  }

  /** Puts a frame, or the close, on its way to this end. */
  #expect(frame: Bytes | undefined, faults: ResolvedFaults): void {
    const { clock, random } = this.#link.wires;
    if (this.#hasEnded) {
      this.#lose(frame, 0);
      return;
    }
    this.#waitingBytes += frame?.length ?? 0;
    const nowMs = clock.now();
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + drawDelay(faults.delayMs, random));
    const ahead = this.#coming.length;
    if (frame !== undefined && ahead > 0 && happens(faults.reorder, random)) {
      this.#link.record('reorder', this.other, frame);
      this.#coming.splice(Math.floor(random.next() * ahead), 0, frame);
    } else this.#coming.push(frame);
    // The timers keep their order and each takes what is first: only the row of frames is ever out of order.
    clock.schedule(() => this.#arrive(), this.#lastArrivalMs - nowMs);
  }

  #arrive(): void {
    if (this.#coming.length === 0) return;
    const frame = this.#coming.shift();
    if (this.#link.wires.isParted(this.peer, this.host)) {
      this.#link.hasLost = true;
      this.#lose(frame);
    } else if (frame === undefined) this.end(undefined);
    else {
      this.#inbox.push(frame);
      this.#deliver();
    }
  }

  #lose(frame: Bytes | undefined, counted: number = frame?.length ?? 0): void {
    if (frame === undefined) return;
    this.#waitingBytes -= counted;
    this.#link.record('drop', this.other, frame);
    this.#link.wires.clock.schedule(() => this.#tellDrained(), 0);
  }

  /** Calls back from a timer, as all that this calls. */
  #tellDrained(): void {
    if (this.#waitingBytes <= linkLimits.lowWaterBytes && !this.other.#hasEnded)
      this.other.#handlers?.drained();
  }

  #deliver(): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      if (!(next instanceof Uint8Array)) {
        handlers.closed(next.error);
        return;
      }
      this.#waitingBytes -= next.length;
      this.#link.record('deliver', this.other, next);
      handlers.frame(next);
    }
    this.#tellDrained();
  }
}
