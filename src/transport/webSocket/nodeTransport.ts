import { WebSocket } from 'ws';
import type { MainstemError } from '../../errors.ts';
import { AuthenticationError, ConnectionRefusedError, InvalidOptionError } from '../../errors.ts';
import { webSocketLimits } from '../limits.ts';
import type { ClientTransport, Connection } from '../Transport.ts';
import { connectionOver } from './nodeSocket.ts';
import type { WebSocketTransportOptions } from './options.ts';
import { resolveClientOptions } from './options.ts';
import { subprotocol, tokenSubprotocol } from './subprotocol.ts';

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

  /**
   * Rejects with ConnectionRefusedError, AuthenticationError where the server does not let this child in, or
   * InvalidOptionError where a header cannot be sent.
   */
  async connect(): Promise<Connection> {
    const { url, connectTimeoutMs, clock } = this.#options;
    const socket = this.#open();
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
        reject(refusalOf(url, statusCode));
      });
      const fail = (cause: Error): void => {
        cancel();
        reject(new ConnectionRefusedError(`nobody listens at ${url}: ${cause.message}`, { cause }));
      };
      socket.on('error', fail);
    });
  }

  #open(): WebSocket {
    const { url, token, headers, zeroMask } = this.#options;
    // A header holds ASCII only, without loss: another token goes the way that it goes in browsers.
    const isPlain = token !== undefined && /^[\x21-\x7e]+$/.test(token);
    const protocols = token === undefined || isPlain ? [subprotocol] : [subprotocol, tokenSubprotocol(token)];
    const options = {
      headers: isPlain ? { ...headers, authorization: `Bearer ${token}` } : headers,
      perMessageDeflate: false,
      maxPayload: webSocketLimits.messageBytesMax,
      closeTimeout: webSocketLimits.closeTimeoutMs,
      ...(zeroMask ? { generateMask: (mask: Uint8Array) => void mask.fill(0) } : {}),
    };
    try {
      return new WebSocket(url, protocols, options);
    } catch (cause) {
      throw new InvalidOptionError(`cannot ask ${url} for a WebSocket: ${(cause as Error).message}`);
    }
  }
}

function refusalOf(url: string, status: number | undefined): MainstemError {
  if (status === 401) return new AuthenticationError(`${url} does not accept the token (HTTP 401)`);
  if (status === 403) return new AuthenticationError(`${url} does not let this child in (HTTP 403)`);
  return new ConnectionRefusedError(`${url} answers HTTP ${status}, expected a WebSocket`);
}
