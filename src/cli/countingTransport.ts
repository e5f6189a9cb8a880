import type { ClientTransport, Connection, ConnectionHandlers } from 'mainstem';

/**
 * A child's side of a transport that passes everything on to another and counts the bytes of all frames, in both
 * directions: what a network would carry.
 */
export class CountingTransport implements ClientTransport {
  readonly #inner: ClientTransport;
  #bytes = 0;
  #frames = 0;

  constructor(inner: ClientTransport) {
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
