import type { WebSocket } from 'ws';
import { ConnectionClosedError, MalformedDataError } from '../../errors.ts';
import type { WebSocketConnectionOptions } from './WebSocketConnection.ts';
import { WebSocketConnection } from './WebSocketConnection.ts';

/** The close code of an end that has said all (RFC 6455, 7.4.1). */
const closedCleanly = 1000;

/** A connection over an open socket of `ws`. */
export function connectionOver(socket: WebSocket, options: WebSocketConnectionOptions): WebSocketConnection {
  const connection = new WebSocketConnection(
    {
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
      send(bytes, taken) {
        // With an error it has ended, which `close` will say.
        socket.send(bytes, { binary: true }, (error) => {
          if (error === undefined || error === null) taken();
        });
      },
      close: () => socket.close(closedCleanly),
      terminate: () => socket.terminate(),
    },
    options,
  );
  let failure: Error | undefined;
  socket.on('message', (data, isBinary) => {
    if (isBinary) connection.arrived(plainBytes(data as Buffer<ArrayBuffer>));
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

/** Not a Buffer, whose `slice` is no copy and whose views cost more. */
function plainBytes({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, length);
}
