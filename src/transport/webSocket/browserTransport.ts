import type { Clock } from '../../clock.ts';
import { ConnectionClosedError, ConnectionRefusedError, MalformedDataError } from '../../errors.ts';
import { linkLimits } from '../../limits.ts';
import { webSocketLimits } from '../limits.ts';
import type { ClientTransport, Connection } from '../Transport.ts';
import type { WebSocketTransportOptions } from './options.ts';
import { resolveClientOptions } from './options.ts';
import { subprotocol, tokenSubprotocol } from './subprotocol.ts';
import type { RawSocket } from './WebSocketConnection.ts';
import { WebSocketConnection } from './WebSocketConnection.ts';

const pollMs = 10;

/** A child's way to a coordinator over the browser's WebSocket: `new WebSocketTransport('wss://game.example/mainstem')`. */
export class WebSocketTransport implements ClientTransport {
  readonly #options: ReturnType<typeof resolveClientOptions>;

  /** A url, or options. Throws InvalidOptionError. */
  constructor(options: string | WebSocketTransportOptions) {
    this.#options = resolveClientOptions(options);
  }

  /** Rejects with ConnectionRefusedError; browsers do not say why a server refuses, or why they do themselves. */
  async connect(): Promise<Connection> {
    const { url, token, connectTimeoutMs, clock } = this.#options;
    const protocols = token === undefined ? [subprotocol] : [subprotocol, tokenSubprotocol(token)];
    const socket = openSocket(url, protocols);
    socket.binaryType = 'arraybuffer';
    return new Promise((resolve, reject) => {
      const cancel = clock.schedule(() => {
        reject(new ConnectionRefusedError(`${url} did not answer within ${connectTimeoutMs} ms`));
        socket.close();
      }, connectTimeoutMs);
      socket.onopen = () => {
        cancel();
        resolve(connectionOver(socket, url, clock));
      };
      socket.onclose = () => {
        cancel();
        reject(new ConnectionRefusedError(`nobody listens at ${url}, or the server refuses`));
      };
    });
  }
}

function openSocket(url: string, protocols: string[]): WebSocket {
  try {
    return new WebSocket(url, protocols);
  } catch (cause) {
    // A page over TLS may open none without, and a policy may forbid the address.
    throw new ConnectionRefusedError(`${url}: ${(cause as Error).message}`, { cause });
  }
}

function connectionOver(socket: WebSocket, peer: string, clock: Clock): WebSocketConnection {
  const connection = new WebSocketConnection(rawSocket(socket, clock), {
    peer,
    bufferedBytesMax: webSocketLimits.clientBufferedBytesMax,
  });
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) connection.arrived(new Uint8Array(data));
    else connection.fail(new MalformedDataError('a text message came, expected binary ones'));
  };
  socket.onclose = ({ code, wasClean }) => {
    const isClean = wasClean && code === 1000;
    connection.ended(isClean ? undefined : new ConnectionClosedError(`the WebSocket ended: code ${code}`));
  };
  return connection;
}

/** A browser does not say when bytes have gone: they are asked for, as long as there are any. */
function rawSocket(socket: WebSocket, clock: Clock): RawSocket {
  let waiting: (() => void)[] = [];
  const poll = (): void => {
    if (socket.bufferedAmount > linkLimits.lowWaterBytes && socket.readyState === WebSocket.OPEN) {
      clock.schedule(poll, pollMs);
      return;
    }
    const taken = waiting;
    waiting = [];
    for (const tell of taken) tell();
  };
  return {
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send(bytes, taken) {
      socket.send(bytes);
      waiting.push(taken);
      if (waiting.length === 1) clock.schedule(poll, 0);
    },
    close: () => socket.close(1000),
    terminate: () => socket.close(),
  };
}
