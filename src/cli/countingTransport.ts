import type { Connection, ConnectionHandlers, Listener, Transport } from 'mainstem';

/**
 * A transport that passes everything on to another and counts the bytes of all frames, in both directions: what a
 * network would carry. It counts at the children's ends, so that no frame counts twice.
 */
export class CountingTransport implements Transport {
  readonly #inner: Transport;
  #bytes = 0;
  #frames = 0;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** Bytes of all frames so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames so far. */
  get frames(): number {
    return this.#frames;
  }

  listen(accept: (connection: Connection) => void): Promise<Listener> {
    return this.#inner.listen(accept);
  }

  async connect(): Promise<Connection> {
    return new CountingConnection(await this.#inner.connect(), (bytes) => {
      this.#bytes += bytes;
      this.#frames++;
    });
  }
}

/** One end of a connection; says how long each frame is that it sends or receives. */
class CountingConnection implements Connection {
  readonly #inner: Connection;
  readonly #count: (bytes: number) => void;

  constructor(inner: Connection, count: (bytes: number) => void) {
    this.#inner = inner;
    this.#count = count;
  }

  get peer(): string {
    return this.#inner.peer;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#inner.send(bytes);
    this.#count(bytes.length);
  }

  receive(handlers: ConnectionHandlers): void {
    this.#inner.receive({
      frame: (bytes) => {
        this.#count(bytes.length);
        handlers.frame(bytes);
      },
      drained: () => handlers.drained(),
      closed: (error) => handlers.closed(error),
    });
  }

  close(): void {
    this.#inner.close();
  }
}
