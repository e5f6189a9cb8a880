import type { WebSocket } from 'ws';
import { ConnectionClosedError, MalformedDataError } from '../../errors.ts';
import type { WebSocketConnectionOptions } from './WebSocketConnection.ts';
import { WebSocketConnection } from './WebSocketConnection.ts';

/** Options that both ends give to ws: nothing is compressed, and no message is longer than a link makes them. */
export const closedCleanly = 1000;

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
    if (isBinary) connection.arrived(data as unknown as Uint8Array<ArrayBuffer>);
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
