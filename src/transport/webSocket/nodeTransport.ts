import { WebSocket } from 'ws';
import { AuthenticationError, ConnectionRefusedError } from '../../errors.ts';
import { webSocketLimits } from '../../limits.ts';
import type { ClientTransport, Connection } from '../Transport.ts';
import { connectionOver } from './nodeSocket.ts';
import type { WebSocketTransportOptions } from './options.ts';
import { resolveClientOptions } from './options.ts';
import { subprotocol } from './subprotocol.ts';

/**
 * A child's way to a coordinator over a WebSocket: `new WebSocketTransport('ws://127.0.0.1:7070')`. In browsers it uses the
 * platform's WebSocket, in Node `ws`.
 */
export class WebSocketTransport implements ClientTransport {
  readonly #options: ReturnType<typeof resolveClientOptions>;

  /** A url, or options. Throws InvalidOptionError. */
  constructor(options: string | WebSocketTransportOptions) {
    this.#options = resolveClientOptions(options);
  }

  /** Rejects with ConnectionRefusedError, or AuthenticationError where the server does not accept the token. */
  connect(): Promise<Connection> {
    const { url, token, headers, zeroMask, connectTimeoutMs, clock } = this.#options;
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = {
      headers: { ...headers, ...authorization },
      perMessageDeflate: false,
      maxPayload: webSocketLimits.messageBytesMax,
      closeTimeout: webSocketLimits.closeTimeoutMs,
      ...(zeroMask ? { generateMask: (mask: Uint8Array) => void mask.fill(0) } : {}),
    };
    const socket = new WebSocket(url, [subprotocol], options);
    return new Promise((resolve, reject) => {
      const cancel = clock.schedule(() => {
        reject(new ConnectionRefusedError(`${url} did not answer within ${connectTimeoutMs} ms`));
        socket.terminate();
      }, connectTimeoutMs);
      socket.once('open', () => {
        cancel();
        socket.removeListener('error', fail);
        resolve(
          connectionOver(socket, { peer: url, bufferedBytesMax: webSocketLimits.clientBufferedBytesMax }),
        );
      });
      socket.once('unexpected-response', (request, { statusCode }) => {
        cancel();
        request.destroy();
        const isForbidden = statusCode === 401 || statusCode === 403;
        reject(
          isForbidden
            ? new AuthenticationError(`${url} does not accept the token (HTTP ${statusCode})`)
            : new ConnectionRefusedError(`${url} answers HTTP ${statusCode}, expected a WebSocket`),
        );
      });
      const fail = (cause: Error): void => {
        cancel();
        reject(new ConnectionRefusedError(`nobody listens at ${url}: ${cause.message}`, { cause }));
      };
      socket.on('error', fail);
    });
  }
}
