import type { IncomingMessage, Server } from 'node:http';
import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import { webSocketLimits } from '../limits.ts';

/** What a client says before it is let in. */
export interface UpgradeRequest {
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly remoteAddress: string;
  /** From `Authorization: Bearer …` or the subprotocol; undefined where there is none. */
  readonly token: string | undefined;
}

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Options of WebSocketServerTransport. */
export interface WebSocketServerOptions {
  /** Own port; 0 takes a free one, see `address`. */
  port?: number;
  /** Address of the own port; `127.0.0.1` unless given: nobody else can reach it. `0.0.0.0` for all. */
  host?: string;
  /** In place of a port: a server that is there, of `node:http` or `node:https`. What is not for `path` stays its own. */
  server?: Server;
  /** Path of the WebSocket; `/` on an own port, `/mainstem` on a server that is there. */
  path?: string;
  /** One token for all children, or one for each by its id: a child can then speak in no other name. */
  tokens?: string | Readonly<Record<string, string>>;
  /** An own way to tell who may come in, beside `tokens`: true, or the only child id that may speak. */
  authenticate?(
    request: UpgradeRequest,
  ): boolean | { childId: string } | Promise<boolean | { childId: string }>;
  /**
   * Pages that may connect, as their origins (`https://game.example`), or `['*']`. Unless given: all where there are
   * `tokens` or `authenticate`, else those of this machine and, with `server`, of the host that was asked. Programs have no
   * origin.
   */
  allowedOrigins?: readonly string[];
  /** Refuse requests without an origin too, with HTTP 403: for pages alone. False unless given. */
  isOriginRequired?: boolean;
  /** Connections at once, 16,384. More: HTTP 503. */
  connectionsMax?: number;
  /**
   * Connections of one address at once, 256; of IPv6 the first 64 bits count as one. More: HTTP 429. Behind a proxy all
   * children have the proxy's address: raise it there.
   */
  connectionsPerAddressMax?: number;
  /** Connections that one address may ask for in a minute, 6,000, granted or not. More: HTTP 429. */
  attemptsPerMinuteMax?: number;
  /** Bytes that may wait for one child, 33,554,432. A child that takes none of them is disconnected. */
  bufferedBytesMax?: number;
  /** Bytes that may wait for all children together, 536,870,912. More: the child for which most waits is disconnected. */
  totalBufferedBytesMax?: number;
  /** A client has so long to say what it wants and to be authenticated, in milliseconds; 2,000. */
  handshakeTimeoutMs?: number;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
}

const names = [
  'port',
  'host',
  'server',
  'path',
  'tokens',
  'authenticate',
  'allowedOrigins',
  'isOriginRequired',
  'connectionsMax',
  'connectionsPerAddressMax',
  'attemptsPerMinuteMax',
  'bufferedBytesMax',
  'totalBufferedBytesMax',
  'handshakeTimeoutMs',
  'clock',
];

const positive = [
  'connectionsMax',
  'connectionsPerAddressMax',
  'attemptsPerMinuteMax',
  'bufferedBytesMax',
  'totalBufferedBytesMax',
  'handshakeTimeoutMs',
] as const;

/** Options with every default in place. */
export type ResolvedServerOptions = Required<
  Omit<WebSocketServerOptions, 'server' | 'tokens' | 'authenticate' | 'allowedOrigins'>
> &
  Pick<WebSocketServerOptions, 'server' | 'tokens' | 'authenticate' | 'allowedOrigins'>;

/** Fills the defaults in. Throws InvalidOptionError. */
export function resolveServerOptions(options: WebSocketServerOptions): ResolvedServerOptions {
  refuseUnknownOptions(options, names, 'WebSocketServerTransport');
  const { server, port } = options;
  if ((server === undefined) === (port === undefined))
    throw new InvalidOptionError('WebSocketServerTransport needs either a port or a server');
  const path = options.path ?? (server === undefined ? '/' : '/mainstem');
  if (!path.startsWith('/')) throw new InvalidOptionError(`path is ${path}, expected one that begins with /`);
  const resolved = {
    port: 0,
    host: '127.0.0.1',
    isOriginRequired: false,
    connectionsMax: webSocketLimits.connectionsMax,
    connectionsPerAddressMax: webSocketLimits.connectionsPerAddressMax,
    attemptsPerMinuteMax: webSocketLimits.attemptsPerMinuteMax,
    bufferedBytesMax: webSocketLimits.serverBufferedBytesMax,
    totalBufferedBytesMax: webSocketLimits.serverTotalBufferedBytesMax,
    handshakeTimeoutMs: webSocketLimits.handshakeTimeoutMs,
    clock: systemClock,
    ...options,
    path,
  };
  for (const name of positive) {
    if (!(resolved[name] > 0))
      throw new InvalidOptionError(`${name} is ${show(resolved[name])}, expected a number above 0`);
  }
  return resolved;
}
