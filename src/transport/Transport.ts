import type { MainstemError } from '../errors.ts';

/** What a connection calls, as methods of the object. Calls never come from inside `send`, `receive` or `close`. */
export interface ConnectionHandlers {
  /** A whole frame, in the order in which it was sent. It is only to be read: others may have it too. */
  frame(bytes: Uint8Array<ArrayBuffer>): void;
  /** `bufferedBytes` has fallen to 65,536 or less. May come more often than that. */
  drained(): void;
  /** Once, after the last frame; with an error where the connection broke. */
  closed(error: MainstemError | undefined): void;
}

/** Two ends that carry frames both ways, in order, each whole. It knows nothing of what they mean. */
export interface Connection {
  /** Who is at the other end, for logs. */
  readonly peer: string;
  /** The only child that may speak here, where the transport has made sure of it; undefined: any. */
  readonly identity?: string | undefined;
  /** Bytes sent and not yet taken by the other end, or at least by the network. */
  readonly bufferedBytes: number;
  /**
   * Sends a frame; never waits. The bytes are the connection's after that. Throws ConnectionClosedError, or
   * LimitExceededError at the limit.
   */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Sets the handlers. Frames that came before are delivered then; without handlers they wait. */
  receive(handlers: ConnectionHandlers): void;
  /** Ends the connection at both ends; what was sent before arrives first. May be called again. */
  close(): void;
}

/** Something that listens until it is closed. Its connections end with it. */
export interface Listener {
  close(): Promise<void>;
}

/** A coordinator's side of a transport. */
export interface ServerTransport {
  /** Accepts connections. Rejects with ConnectionRefusedError where somebody listens already. */
  listen(accept: (connection: Connection) => void): Promise<Listener>;
}

/** A child's side of a transport. */
export interface ClientTransport {
  /** Opens a connection to the listener. Rejects with ConnectionRefusedError where there is none. */
  connect(): Promise<Connection>;
}

/** A way for children and coordinators to find each other, both sides of it in one object. */
export interface Transport extends ServerTransport, ClientTransport {}
