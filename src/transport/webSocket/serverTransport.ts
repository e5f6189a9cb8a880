import type { IncomingMessage, Server } from 'node:http';
import { createServer, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { ConnectionRefusedError } from '../../errors.ts';
import { webSocketLimits } from '../../limits.ts';
import type { Connection, Listener, ServerTransport } from '../Transport.ts';
import { connectionOver } from './nodeSocket.ts';
import type { ListenAddress, ResolvedServerOptions, WebSocketServerOptions } from './serverOptions.ts';
import { resolveServerOptions } from './serverOptions.ts';
import { subprotocol, tokenOf } from './subprotocol.ts';
import type { TokenOwner } from './tokens.ts';
import { createTokenCheck } from './tokens.ts';

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * A coordinator's side of WebSockets, on a port of its own or on a path of a server that is there:
 * `coordinator.listen(new WebSocketServerTransport({ port: 7070 }))`. TLS comes with the server that is given.
 */
export class WebSocketServerTransport implements ServerTransport {
  readonly #options: ResolvedServerOptions;
  readonly #checkToken: ((token: string) => TokenOwner) | undefined;
  readonly #perAddress = new Map<string, number>();
  #address: ListenAddress | undefined;
  #isListening = false;

  /** Throws InvalidOptionError. */
  constructor(options: WebSocketServerOptions) {
    this.#options = resolveServerOptions(options);
    const { tokens } = this.#options;
    this.#checkToken = tokens === undefined ? undefined : createTokenCheck(tokens);
  }

  /** Where it listens on a port of its own; undefined before that, and on a server that is there. */
  get address(): ListenAddress | undefined {
    return this.#address;
  }

  /** Rejects with ConnectionRefusedError where the port is taken, or this transport listens already. */
  async listen(accept: (connection: Connection) => void): Promise<Listener> {
    if (this.#isListening) throw new ConnectionRefusedError('somebody listens on this transport already');
    this.#isListening = true;
    const options = {
      noServer: true,
      clientTracking: true,
      perMessageDeflate: false,
      maxPayload: webSocketLimits.messageBytesMax,
      closeTimeout: webSocketLimits.closeTimeoutMs,
      handleProtocols: (protocols: Set<string>) => protocols.has(subprotocol) && subprotocol,
    };
    const webSockets = new WebSocketServer(options);
    const upgrade: Upgrade = (request, socket, head) => {
      if (pathOf(request) === this.#options.path) this.#upgrade(webSockets, accept, request, socket, head);
      else if (this.#options.server === undefined) refuse(socket, 404);
    };
    try {
      const server = this.#options.server ?? (await this.#openPort());
      server.on('upgrade', upgrade);
      return { close: () => this.#close(webSockets, server, upgrade) };
    } catch (thrown) {
      this.#isListening = false;
      throw thrown;
    }
  }

  #openPort(): Promise<Server> {
    const { port, host, handshakeTimeoutMs } = this.#options;
    const server = createServer(
      { headersTimeout: handshakeTimeoutMs, connectionsCheckingInterval: Math.min(500, handshakeTimeoutMs) },
      (_request, response) => {
        response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' });
        response.end('This is a WebSocket of mainstem.\n');
      },
    );
    return new Promise((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new ConnectionRefusedError(`cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
      );
      server.listen(port, host, () => {
        this.#address = { host, port: (server.address() as AddressInfo).port };
        resolve(server);
      });
    });
  }

  #upgrade(
    webSockets: WebSocketServer,
    accept: (connection: Connection) => void,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void {
    const ignore = (): void => {};
    socket.on('error', ignore);
    const address = request.socket.remoteAddress ?? 'unknown';
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= this.#options.connectionsPerAddressMax) {
      refuse(socket, 429);
      return;
    }
    this.#perAddress.set(address, count + 1);
    socket.once('close', () => this.#forgetAddress(address));
    const cancel = this.#options.clock.schedule(() => refuse(socket, 408), this.#options.handshakeTimeoutMs);
    const admit = (owner: TokenOwner): void => {
      cancel();
      if (socket.destroyed) return;
      if (owner === undefined || !this.#isListening) {
        refuse(socket, owner === undefined ? 401 : 503);
        return;
      }
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        socket.removeListener('error', ignore);
        const peer = `${address}:${request.socket.remotePort}`;
        const { bufferedBytesMax } = this.#options;
        accept(connectionOver(webSocket, { peer, identity: owner.childId, bufferedBytesMax }));
      });
    };
    // A hook of the user's own that fails lets nobody in.
    this.#authenticate(request, address).then(admit, () => admit(undefined));
  }

  /** Who may speak on this connection; undefined: nobody. */
  async #authenticate(request: IncomingMessage, remoteAddress: string): Promise<TokenOwner> {
    const { allowedOrigins, authenticate } = this.#options;
    const { origin } = request.headers;
    if (allowedOrigins !== undefined && origin !== undefined && !allowedOrigins.includes(origin))
      return undefined;
    const token = tokenIn(request);
    let owner: TokenOwner = { childId: undefined };
    if (this.#checkToken !== undefined) owner = this.#checkToken(token ?? '');
    if (owner === undefined || authenticate === undefined) return owner;
    const url = request.url ?? '/';
    const verdict = await authenticate({ url, headers: request.headers, remoteAddress, token });
    if (typeof verdict === 'object') return { childId: verdict.childId };
    return verdict === true ? owner : undefined;
  }

  #forgetAddress(address: string): void {
    const count = (this.#perAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, count);
  }

  async #close(webSockets: WebSocketServer, server: Server, upgrade: Upgrade): Promise<void> {
    if (!this.#isListening) return;
    this.#isListening = false;
    server.removeListener('upgrade', upgrade);
    for (const client of webSockets.clients) client.close(1000);
    webSockets.close();
    if (this.#options.server !== undefined) return;
    this.#address = undefined;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] as string;
}

function tokenIn({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  return bearer ?? tokenOf((headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim()));
}

/** Answers a request that will not become a WebSocket. */
function refuse(socket: Duplex, status: number): void {
  if (socket.destroyed) return;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.once('finish', () => socket.destroy());
}
