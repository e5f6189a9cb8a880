import type { AddressInfo } from 'node:net';
import type { Random } from 'mainstem';
import { WebSocket, WebSocketServer } from 'ws';

/** How likely each thing is to befall a message. */
export interface Faults {
  readonly drop?: number;
  readonly duplicate?: number;
  /** It comes after one or two later ones. */
  readonly reorder?: number;
  /** It, and all behind it, wait until one or two later ones have come. */
  readonly delay?: number;
  /** The connection ends, before or after it. */
  readonly cut?: number;
}

/** Something between children and their coordinator that is not to be trusted, until it is calm. */
export interface FaultyRoad {
  readonly port: number;
  /** How often each fault has happened. */
  readonly counts: Readonly<Record<string, number>>;
  /** From now on all comes as it was sent. */
  calm(): void;
  close(): Promise<void>;
}

const laterMax = 2;

/** A message that others may overtake. */
interface Held {
  readonly message: Buffer;
  later: number;
}

/** One direction of one connection. */
class Lane {
  readonly #proxy: FaultProxy;
  readonly #to: WebSocket;
  readonly #cut: () => void;
  #overtaken: Held[] = [];
  #queue: Buffer[] = [];
  /** Messages that have to come before the queue moves on. */
  #queueLater = 0;

  constructor(proxy: FaultProxy, to: WebSocket, cut: () => void) {
    this.#proxy = proxy;
    this.#to = to;
    this.#cut = cut;
  }

  take(message: Buffer): void {
    if (this.#queueLater > 0) {
      this.#queue.push(message);
      this.#queueLater--;
      if (this.#queueLater === 0) this.flush();
      return;
    }
    const proxy = this.#proxy;
    if (proxy.happens('cut')) {
      if (proxy.random.next() < 0.5) this.#send(message);
      this.#cut();
    } else if (proxy.happens('drop')) return;
    else if (proxy.happens('delay')) {
      this.#queue.push(message);
      this.#queueLater = this.#someLater();
    } else if (proxy.happens('reorder')) this.#overtaken.push({ message, later: this.#someLater() });
    else {
      if (proxy.happens('duplicate')) this.#send(message);
      this.#send(message);
    }
  }

  /** All that waits goes out, in the order in which it came. */
  flush(): void {
    this.#queueLater = 0;
    for (const message of this.#queue.splice(0)) this.#send(message);
  }

  #someLater(): number {
    return 1 + Math.floor(laterMax * this.#proxy.random.next());
  }

  #send(message: Buffer): void {
    this.#to.send(message, { binary: true }, () => {});
    for (const held of this.#overtaken) held.later--;
    const due = this.#overtaken.filter(({ later }) => later <= 0);
    this.#overtaken = this.#overtaken.filter(({ later }) => later > 0);
    for (const { message: late } of due) this.#to.send(late, { binary: true }, () => {});
  }
}

/** Carries the messages of WebSockets between children and a coordinator, each whole, and not each once or in its turn. */
export class FaultProxy implements FaultyRoad {
  readonly random: Random;
  readonly counts: Record<string, number> = {};
  readonly #server: WebSocketServer;
  readonly #target: string;
  readonly #lanes = new Set<Lane>();
  #faults: Faults;

  /** Listens on a free port, for a coordinator at `target`. */
  static async open(target: string, faults: Faults, random: Random): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, faults, random);
    await new Promise((resolve) => proxy.#server.once('listening', resolve));
    return proxy;
  }

  private constructor(target: string, faults: Faults, random: Random) {
    this.random = random;
    this.#target = target;
    this.#faults = faults;
    this.#server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    this.#server.on('connection', (near) => this.#carry(near));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  happens(fault: keyof Faults): boolean {
    if (this.random.next() >= (this.#faults[fault] ?? 0)) return false;
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
    return true;
  }

  calm(): void {
    this.#faults = {};
    for (const lane of this.#lanes) lane.flush();
  }

  async close(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(near: WebSocket): void {
    const far = new WebSocket(this.#target, near.protocol, { perMessageDeflate: false });
    // What ended in one way ends so on the other side; a cut is none of the ways in which one says that it has said all.
    const pass = (to: WebSocket) => (code: number) => {
      if (code === 1000 && to.readyState === WebSocket.OPEN) to.close(code);
      else to.terminate();
      for (const lane of [up, down]) this.#lanes.delete(lane);
    };
    const cut = (): void => {
      near.terminate();
      far.terminate();
    };
    const up = new Lane(this, far, cut);
    const down = new Lane(this, near, cut);
    for (const lane of [up, down]) this.#lanes.add(lane);
    const early: Buffer[] = [];
    near.on('message', (data) => {
      if (far.readyState === WebSocket.CONNECTING) early.push(data as Buffer);
      else up.take(data as Buffer);
    });
    far.on('open', () => {
      for (const message of early) up.take(message);
    });
    far.on('message', (data) => down.take(data as Buffer));
    near.on('close', pass(far));
    far.on('close', pass(near));
    for (const end of [near, far]) end.on('error', () => {});
  }
}
