import { ConnectionClosedError, ConnectionRefusedError, LimitExceededError } from '../errors.ts';
import { linkLimits } from '../limits.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import { inProcessBufferedBytesMax } from './limits.ts';
import type { Connection, ConnectionHandlers, Listener, Transport } from './Transport.ts';

/** Options of InProcessTransport. */
export interface InProcessTransportOptions {
  /** Runs a delivery later, in order; microtasks unless given. Tests put virtual time here. */
  defer?: (deliver: () => void) => void;
}

/** One end of an in-process connection. */
class InProcessConnection implements Connection {
  readonly peer: string;
  readonly #defer: (deliver: () => void) => void;
  readonly #ended: () => void;
  /** Frames on their way to this end; undefined marks the close. */
  readonly #arriving: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  #other: InProcessConnection | undefined;
  #handlers: ConnectionHandlers | undefined;
  #arrivingBytes = 0;
  #isClosed = false;
  #isDelivering = false;

  constructor(peer: string, defer: (deliver: () => void) => void, ended: () => void) {
    this.peer = peer;
    this.#defer = defer;
    this.#ended = ended;
  }

  /** The child's end and the coordinator's. */
  static pair(
    defer: (deliver: () => void) => void,
    ended: (far: InProcessConnection) => void,
  ): [InProcessConnection, InProcessConnection] {
    const near = new InProcessConnection('in-process coordinator', defer, () => ended(far));
    const far = new InProcessConnection('in-process child', defer, () => ended(far));
    near.#other = far;
    far.#other = near;
    return [near, far];
  }

  get bufferedBytes(): number {
    return this.#other === undefined ? 0 : this.#other.#arrivingBytes;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) throw new ConnectionClosedError('the connection is closed');
    if (this.bufferedBytes + bytes.length > inProcessBufferedBytesMax) {
      throw new LimitExceededError(`more than ${inProcessBufferedBytesMax} bytes wait on one connection`);
    }
    if (this.#other !== undefined) this.#other.#arrive(bytes);
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#deliverLater();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ended();
    if (this.#other !== undefined) this.#other.#arrive(undefined);
    this.#arrive(undefined);
  }

  #arrive(frame: Uint8Array<ArrayBuffer> | undefined): void {
    this.#arriving.push(frame);
    this.#arrivingBytes += frame?.length ?? 0;
    this.#deliverLater();
  }

  #deliverLater(): void {
    if (this.#isDelivering || this.#handlers === undefined) return;
    this.#isDelivering = true;
    this.#defer(() => {
      this.#isDelivering = false;
      this.#deliver(this.#arriving.splice(0));
    });
  }

  #tellSender(): void {
    const sender = this.#other;
    if (sender !== undefined) sender.#handlers?.drained();
  }

  #deliver(frames: readonly (Uint8Array<ArrayBuffer> | undefined)[]): void {
    for (const frame of frames) {
      if (frame === undefined) {
        this.#isClosed = true;
        // The first close is the last thing that arrives.
        const handlers = this.#handlers;
        this.#handlers = { frame() {}, drained() {}, closed() {} };
        handlers?.closed(undefined);
        return;
      }
      this.#arrivingBytes -= frame.length;
      this.#handlers?.frame(frame);
    }
    if (this.#arrivingBytes <= linkLimits.lowWaterBytes) this.#tellSender();
  }
}

/** Connects children and a coordinator in the same process, by the same frames as over a network. */
export class InProcessTransport implements Transport {
  readonly #defer: (deliver: () => void) => void;
  #accept: ((connection: Connection) => void) | undefined;
  readonly #open = new Set<Connection>();

  constructor(options: InProcessTransportOptions = {}) {
    refuseUnknownOptions(options, ['defer'], 'InProcessTransport');
    const { defer = (deliver) => void Promise.resolve().then(deliver) } = options;
    this.#defer = defer;
  }

  async listen(accept: (connection: Connection) => void): Promise<Listener> {
    if (this.#accept !== undefined)
      throw new ConnectionRefusedError('somebody listens on this transport already');
    this.#accept = accept;
    return {
      close: async () => {
        if (this.#accept !== accept) return;
        this.#accept = undefined;
        for (const connection of this.#open) connection.close();
        this.#open.clear();
      },
    };
  }

  async connect(): Promise<Connection> {
    const accept = this.#accept;
    if (accept === undefined)
      throw new ConnectionRefusedError('nobody listens on this transport; call coordinator.listen first');
    const [near, far] = InProcessConnection.pair(this.#defer, (ended) => this.#open.delete(ended));
    this.#open.add(far);
    accept(far);
    return near;
  }
}
