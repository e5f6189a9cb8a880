import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { ConnectionRefusedError, toMainstemError } from '../../errors.ts';
import { webSocketLimits } from '../limits.ts';
import type { Connection, Listener, ServerTransport } from '../Transport.ts';
import { connectionOver } from './nodeSocket.ts';
import { SendBudget } from './SendBudget.ts';
import type { Entry } from './serverDoor.ts';
import { Door, refuse } from './serverDoor.ts';
import type { ListenAddress, ResolvedServerOptions, WebSocketServerOptions } from './serverOptions.ts';
import { resolveServerOptions } from './serverOptions.ts';
import { SilentSockets } from './serverSilentSockets.ts';
import { Visitors } from './serverVisitors.ts';
import { subprotocol } from './subprotocol.ts';

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
type Accept = (connection: Connection) => void;

/** The paths of a server on which transports listen. */
const listeningPaths = new WeakMap<Server, Set<string>>();

function pathsOf(server: Server): Set<string> {
  let paths = listeningPaths.get(server);
  if (paths === undefined) {
    paths = new Set();
    listeningPaths.set(server, paths);
  }
  return paths;
}

/**
 * A coordinator's side of WebSockets, on a port of its own or on a path of a server that is there:
 * `coordinator.listen(new WebSocketServerTransport({ port: 7070 }))`. TLS comes with the server that is given.
 */
export class WebSocketServerTransport implements ServerTransport {
  readonly #options: ResolvedServerOptions;
  readonly #visitors: Visitors;
  readonly #door: Door;
  readonly #budget: SendBudget;
  readonly #silent: SilentSockets;
  #address: ListenAddress | undefined;
  #isListening = false;

  /** Throws InvalidOptionError. */
  constructor(options: WebSocketServerOptions) {
    this.#options = resolveServerOptions(options);
    this.#visitors = new Visitors(this.#options);
    this.#door = new Door(this.#options, this.#visitors);
    this.#budget = new SendBudget(this.#options.totalBufferedBytesMax);
    this.#silent = new SilentSockets(this.#options.clock, this.#options.handshakeTimeoutMs);
  }

  /** Where it listens on a port of its own; undefined before that, and on a server that is there. */
  get address(): ListenAddress | undefined {
    return this.#address;
  }

  /** The same as a url for a WebSocketTransport on this machine: `ws://127.0.0.1:7070/`. */
  get url(): string | undefined {
    if (this.#address === undefined) return undefined;
    const { host, port } = this.#address;
    const isAny = host === '0.0.0.0' || host === '::';
    const name = isAny ? 'localhost' : host.includes(':') ? `[${host}]` : host;
    return `ws://${name}:${port}${this.#options.path}`;
  }

  /** Rejects with ConnectionRefusedError where the port is taken, or this transport listens already. */
  async listen(accept: Accept): Promise<Listener> {
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
    try {
      const server = this.#options.server ?? (await this.#openPort());
      this.#takePath(server);
      const upgrade = this.#upgradeOn(server, webSockets, accept);
      server.on('upgrade', upgrade);
      return { close: () => this.#close(webSockets, server, upgrade) };
    } catch (thrown) {
      this.#isListening = false;
      throw thrown;
    }
  }

  #upgradeOn(server: Server, webSockets: WebSocketServer, accept: Accept): Upgrade {
    return (request, socket, head) => {
      this.#silent.remove(request.socket);
      if (pathOf(request) === this.#options.path) {
        this.#door.knock(webSockets, request, socket, head, (entry) => this.#enter(entry, accept));
      } else if (server.listenerCount('upgrade') === pathsOf(server).size) {
        // Where others listen, it may be theirs; where nobody does, it would wait for ever.
        if (pathsOf(server).has(pathOf(request))) return;
        socket.on('error', () => {});
        refuse(socket, 404);
      }
    };
  }

  /** Two that answer the same requests would both answer each. */
  #takePath(server: Server): void {
    const { path } = this.#options;
    if (pathsOf(server).has(path))
      throw new ConnectionRefusedError(`somebody listens on ${path} of this server already`);
    pathsOf(server).add(path);
  }

  #enter({ socket, peer, identity }: Entry, accept: Accept): void {
    const { bufferedBytesMax } = this.#options;
    const connection = connectionOver(socket, { peer, identity, bufferedBytesMax, budget: this.#budget });
    try {
      accept(connection);
    } catch (thrown) {
      // Nobody is left to whom it could be thrown, and a stranger's connection must not end the process.
      connection.fail(toMainstemError(thrown));
    }
  }

  #openPort(): Promise<Server> {
    const { port, host, connectionsMax } = this.#options;
    // The platform's own timeout refuses those too whose headers it has not come to yet.
    const server = createServer({ headersTimeout: 0 }, (request, response) => {
      this.#silent.remove(request.socket);
      response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' });
      response.end('This is a WebSocket of mainstem.\n');
    });
    server.maxConnections = connectionsMax + webSocketLimits.silentMax;
    server.on('connection', (socket) => this.#countSocket(socket));
    return new Promise((resolve, reject) => {
      // It stays: a server that is out of file descriptors says so at each connection that it cannot accept.
      server.on('error', (cause) =>
        reject(new ConnectionRefusedError(`cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
      );
      server.listen(port, host, () => {
        this.#address = { host, port: (server.address() as AddressInfo).port };
        resolve(server);
      });
    });
  }

  #countSocket(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unknown';
    if (this.#visitors.socketCame(address)) this.#silent.add(socket);
    else socket.destroy();
    socket.on('close', () => {
      this.#silent.remove(socket);
      this.#visitors.socketEnded(address);
    });
  }

  async #close(webSockets: WebSocketServer, server: Server, upgrade: Upgrade): Promise<void> {
    if (!this.#isListening) return;
    this.#isListening = false;
    server.removeListener('upgrade', upgrade);
    pathsOf(server).delete(this.#options.path);
    this.#door.close();
    this.#silent.close();
    for (const client of webSockets.clients) client.close(1000);
    webSockets.close();
    if (this.#options.server !== undefined) return;
    this.#address = undefined;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      // Sockets that have not asked for anything yet: a closed server looks after no timeouts.
      server.closeAllConnections();
    });
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] as string;
}
