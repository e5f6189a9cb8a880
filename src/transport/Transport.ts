import type { MainstemError } from '../errors.ts';

/** What a connection calls. Calls never come from inside `send` or `close`. */
export interface ConnectionHandlers {
  /** A whole frame, in the order in which it was sent. The bytes belong to the receiver. */
  frame(bytes: Uint8Array<ArrayBuffer>): void;
  /** Once, after the last frame; with an error where the connection broke. */
  closed(error: MainstemError | undefined): void;
}

/** Two ends that carry frames both ways, in order, each whole. It knows nothing of what they mean. */
export interface Connection {
  /** Who is at the other end, for logs. */
  readonly peer: string;
  /** Bytes sent and not yet taken by the other end. */
  readonly bufferedBytes: number;
  /** Sends a copy of the bytes; never waits. Throws ConnectionClosedError, or LimitExceededError at the limit. */
  send(bytes: Uint8Array): void;
  /** Sets the handlers. Frames that came before are delivered then; without handlers they wait. */
  receive(handlers: ConnectionHandlers): void;
  /** Ends the connection at both ends; what was sent before arrives first. May be called again. */
  close(): void;
}

/** Something that listens until it is closed. Its connections end with it. */
export interface Listener {
  close(): Promise<void>;
}

/** A way for children and coordinators to find each other. */
export interface Transport {
  /** Accepts connections. Rejects with ConnectionRefusedError where somebody listens already. */
  listen(accept: (connection: Connection) => void): Promise<Listener>;
  /** Opens a connection to the listener. Rejects with ConnectionRefusedError where there is none. */
  connect(): Promise<Connection>;
}
