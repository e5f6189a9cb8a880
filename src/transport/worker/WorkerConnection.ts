import type { Clock } from '../../clock.ts';
import { afterTurn } from '../../clock.ts';
import type { MainstemError } from '../../errors.ts';
import {
  ConnectionClosedError,
  LimitExceededError,
  MalformedDataError,
  toMainstemError,
} from '../../errors.ts';
import { linkLimits } from '../../limits.ts';
import { splitFrames } from '../frame.ts';
import { workerLimits } from '../limits.ts';
import { fill } from '../Slab.ts';
import type { Connection, ConnectionHandlers } from '../Transport.ts';
import type { Port } from './ports.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a connection is made with. */
export interface WorkerConnectionOptions {
  readonly peer: string;
  readonly clock: Clock;
  /** It is over, at this end. */
  ended?(): void;
}

/**
 * Frames over a MessagePort. What is sent in one turn is copied into one buffer, which moves to the other thread: the
 * copy leaves the sender's bytes as they are, for others that they are sent to. The other end says how many bytes it
 * has taken.
 */
export class WorkerConnection implements Connection {
  readonly peer: string;
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #ended: () => void;
  /** Frames of this turn. */
  #gathered: Bytes[] = [];
  #gatheredBytes = 0;
  /** The end of a turn will flush them. */
  #isGathering = false;
  readonly #endTurn = (): void => {
    this.#isGathering = false;
    this.#flush();
  };
  /** Bytes in messages that the other end has not taken. */
  #postedBytes = 0;
  /** Bytes that were taken here, and not acknowledged yet. */
  #takenBytes = 0;
  #isAcknowledging = false;
  #handlers: ConnectionHandlers | undefined;
  /** Messages of frames that came before there were handlers. */
  #inbox: Bytes[] = [];
  #ending: { readonly error: MainstemError | undefined } | undefined;

  /** Takes the port over: it must be started by whoever made it, after that. */
  constructor(port: Port, { peer, clock, ended = () => {} }: WorkerConnectionOptions) {
    this.peer = peer;
    this.#port = port;
    this.#clock = clock;
    this.#ended = ended;
  }

  get bufferedBytes(): number {
    return this.#ending === undefined ? this.#gatheredBytes + this.#postedBytes : 0;
  }

  send(bytes: Bytes): void {
    if (this.#ending !== undefined) throw new ConnectionClosedError('the connection is closed');
    const waiting = this.bufferedBytes + bytes.length;
    if (waiting > workerLimits.bufferedBytesMax) {
      throw new LimitExceededError(
        `${waiting} bytes would wait for ${this.peer}, at most ${workerLimits.bufferedBytesMax} are allowed`,
      );
    }
    const { gatheredBytesMax } = workerLimits;
    if (this.#gatheredBytes + bytes.length > gatheredBytesMax) this.#flush();
    if (!this.#isGathering) {
      this.#isGathering = true;
      afterTurn(this.#endTurn);
    }
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= gatheredBytesMax) this.#flush();
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    void Promise.resolve().then(() => this.#deliver());
  }

  close(): void {
    if (this.#ending !== undefined) return;
    this.#flush();
    this.#port.postMessage('closed');
    this.#end(undefined);
  }

  /** A message has come on the port. For its owner. */
  arrived(message: unknown): void {
    if (this.#ending !== undefined) return;
    if (message instanceof ArrayBuffer) {
      this.#inbox.push(new Uint8Array(message));
      this.#deliver();
    } else if (message === 'closed') this.#end(undefined);
    else if (isCount(message, this.#postedBytes)) {
      this.#postedBytes -= message;
      if (this.bufferedBytes <= linkLimits.lowWaterBytes) this.#handlers?.drained();
    } else this.fail(new MalformedDataError(`${this.peer} sent a message that is none of a connection`));
  }

  /** The other end is gone, or makes no sense. For the port's owner. */
  fail(error: MainstemError): void {
    if (this.#ending !== undefined) return;
    // Where somebody is still there, it hears that this is over.
    this.#port.postMessage('closed');
    this.#end(error);
  }

  #end(error: MainstemError | undefined): void {
    this.#ending = { error };
    this.#gathered = [];
    this.#port.close();
    this.#ended();
    void Promise.resolve().then(() => this.#deliver());
  }

  #deliver(): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    const messages = this.#inbox;
    this.#inbox = [];
    for (const message of messages) if (!this.#take(message, handlers)) return;
    if (this.#ending === undefined) return;
    this.#handlers = undefined;
    handlers.closed(this.#ending.error);
  }

  #take(message: Bytes, handlers: ConnectionHandlers): boolean {
    let frames: Bytes[];
    try {
      frames = splitFrames(message);
    } catch (thrown) {
      this.#inbox = [];
      this.fail(toMainstemError(thrown));
      return false;
    }
    for (const frame of frames) handlers.frame(frame);
    this.#takenBytes += message.length;
    if (this.#takenBytes >= workerLimits.acknowledgedBytesMin) this.#acknowledge();
    else if (!this.#isAcknowledging) {
      this.#isAcknowledging = true;
      void this.#clock.yieldTurn().then(() => {
        this.#isAcknowledging = false;
        this.#acknowledge();
      });
    }
    return true;
  }

  #acknowledge(): void {
    if (this.#takenBytes === 0 || this.#ending !== undefined) return;
    this.#port.postMessage(this.#takenBytes);
    this.#takenBytes = 0;
  }

  #flush(): void {
    if (this.#gathered.length === 0 || this.#ending !== undefined) return;
    const whole = joined(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#postedBytes += whole.byteLength;
    this.#port.postMessage(whole, [whole]);
  }
}

function isCount(message: unknown, countMax: number): message is number {
  return Number.isSafeInteger(message) && (message as number) > 0 && (message as number) <= countMax;
}

/** A copy: what was sent may be sent to others too. */
function joined(parts: readonly Bytes[], length: number): ArrayBuffer {
  // Unlike an array of its own it is not filled with zeros first.
  if (parts.length === 1) return (parts[0] as Bytes).slice().buffer;
  return fill(new Uint8Array(length), parts).buffer;
}

/** A connection over a port, which it starts. */
export function connectionOver(port: Port, options: WorkerConnectionOptions): WorkerConnection {
  const connection = new WorkerConnection(port, options);
  const gone = (what: string) => () => connection.fail(new ConnectionClosedError(`${options.peer} ${what}`));
  port.addEventListener('message', ({ data }) => connection.arrived(data));
  port.addEventListener('messageerror', gone('sent a message that cannot be read'));
  // Of Node, and of some browsers: the thread at the other end has ended.
  port.addEventListener('close', gone('has ended without closing its connection'));
  port.start();
  return connection;
}
