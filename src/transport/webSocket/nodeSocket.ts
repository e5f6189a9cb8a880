import type { WebSocket } from 'ws';
import { ConnectionClosedError, MalformedDataError } from '../../errors.ts';
import { fill } from '../Slab.ts';
import type { RawSocket, WebSocketConnectionOptions } from './WebSocketConnection.ts';
import { WebSocketConnection } from './WebSocketConnection.ts';

/** The close code of an end that has said all (RFC 6455, 7.4.1). */
const closedCleanly = 1000;

/** A connection over an open socket of `ws`. */
export function connectionOver(socket: WebSocket, options: WebSocketConnectionOptions): WebSocketConnection {
  const connection = new WebSocketConnection(new NodeSocket(socket), options);
  socket.binaryType = 'fragments';
  let failure: Error | undefined;
  socket.on('message', (data, isBinary) => {
    if (isBinary) connection.arrived(takeWhole(data as Buffer<ArrayBuffer>[]));
    else connection.fail(new MalformedDataError('a text message came, expected binary ones'));
  });
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', (code) => {
    const reason = failure === undefined ? `code ${code}` : failure.message;
    const isClean = code === closedCleanly && failure === undefined;
    connection.ended(isClean ? undefined : new ConnectionClosedError(`the WebSocket ended: ${reason}`));
  });
  return connection;
}

/** Of a class: an object with functions of its own takes five times the memory, ten thousand times over. */
class NodeSocket implements RawSocket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(bytes: Uint8Array<ArrayBuffer>, taken: () => void): void {
    // With an error it has ended, which `close` will say.
    this.#socket.send(bytes, { binary: true }, (error) => {
      if (error === undefined || error === null) taken();
    });
  }

  close(): void {
    this.#socket.close(closedCleanly);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

/**
 * The bytes of a message. `ws` drops the list that it came in, but a list that was made long before the message keeps it,
 * and all the memory that the network was read into, until the next full collection of garbage: so it is emptied.
 */
function takeWhole(fragments: Buffer<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const parts = fragments.map(plainBytes);
  fragments.length = 0;
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return fill(new Uint8Array(length), parts);
}

/** Not a Buffer, whose `slice` is no copy and whose views cost more. */
function plainBytes({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, length);
}
