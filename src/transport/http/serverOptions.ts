import type { IncomingMessage, Server } from 'node:http';
import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import { InvalidOptionError } from '../../errors.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import { httpLimits } from '../limits.ts';

/** What a child says before it is let in. */
export interface ConnectRequest {
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly remoteAddress: string;
  /** From `Authorization: Bearer …`; undefined where there is none. */
  readonly token: string | undefined;
}

/** Options of HttpServerTransport. */
export interface HttpServerOptions {
  /** Own port; 0 takes a free one, see `address`. */
  port?: number;
  /** Address of the own port; `127.0.0.1` unless given: nobody else can reach it. `0.0.0.0` for all. */
  host?: string;
  /** In place of a port: a server that is there, of `node:http` or `node:https`. What is not under `path` stays its own. */
  server?: Server;
  /** What the addresses of all requests begin with; `/mainstem`. */
  path?: string;
  /** One token for all children, or one for each by its id: a child can then speak in no other name. */
  tokens?: string | Readonly<Record<string, string>>;
  /** An own way to tell who may come in, beside `tokens`: true, or the only child id that may speak. */
  authenticate?(
    request: ConnectRequest,
  ): boolean | { childId: string } | Promise<boolean | { childId: string }>;
  /**
   * Pages that may connect, as their origins (`https://game.example`), or `['*']`. Unless given: all where there are
   * `tokens` or `authenticate`, else those of this machine and, with `server`, of the host that was asked. Programs have no
   * origin.
   */
  allowedOrigins?: readonly string[];
  /** Connections of one address at once, 256. */
  connectionsPerAddressMax?: number;
  /** Bytes of one request, before and after decompression, 16,777,216. */
  bodyBytesMax?: number;
  /** Bytes that may wait for one child, 33,554,432. A child that does not fetch them is disconnected. */
  bufferedBytesMax?: number;
  /** A child that sends no request for so long is gone, in milliseconds; 60,000. */
  idleTimeoutMs?: number;
  /** A child has so long for the head of a request and to be authenticated, in milliseconds; 2,000. */
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
  'connectionsPerAddressMax',
  'bodyBytesMax',
  'bufferedBytesMax',
  'idleTimeoutMs',
  'handshakeTimeoutMs',
  'clock',
];

type Optional = 'server' | 'tokens' | 'authenticate' | 'allowedOrigins';

/** Options with every default in place. */
export type ResolvedHttpServerOptions = Required<Omit<HttpServerOptions, Optional>> &
  Pick<HttpServerOptions, Optional>;

/** Fills the defaults in. Throws InvalidOptionError. */
export function resolveHttpServerOptions(options: HttpServerOptions): ResolvedHttpServerOptions {
  refuseUnknownOptions(options, names, 'HttpServerTransport');
  const { server, port, path = '/mainstem', idleTimeoutMs = httpLimits.idleTimeoutMs } = options;
  if ((server === undefined) === (port === undefined))
    throw new InvalidOptionError('HttpServerTransport needs either a port or a server');
  if (!/^(\/[^/?#]+)+$/.test(path))
    throw new InvalidOptionError(`path is ${path}, expected one like /mainstem`);
  if (!(idleTimeoutMs > 0))
    throw new InvalidOptionError(`idleTimeoutMs is ${idleTimeoutMs}, expected milliseconds above 0`);
  return {
    port: 0,
    host: '127.0.0.1',
    connectionsPerAddressMax: httpLimits.connectionsPerAddressMax,
    bodyBytesMax: httpLimits.bodyBytesMax,
    bufferedBytesMax: httpLimits.bufferedBytesMax,
    handshakeTimeoutMs: httpLimits.handshakeTimeoutMs,
    clock: systemClock,
    ...options,
    path,
    idleTimeoutMs,
  };
}
