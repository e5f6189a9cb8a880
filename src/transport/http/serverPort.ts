import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectionRefusedError } from '../../errors.ts';
import { httpLimits } from '../limits.ts';
import type { ResolvedHttpServerOptions } from './serverOptions.ts';

/** Answers a request. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that requests come from. */
export interface OpenServer {
  /** Of an own port. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  close(): Promise<void>;
}

/** Listens on a port of its own. Rejects with ConnectionRefusedError where it is taken. */
export function openPort(
  { port, host, handshakeTimeoutMs }: ResolvedHttpServerOptions,
  handle: RequestHandler,
): Promise<OpenServer> {
  const options = {
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs + httpLimits.bodyTimeoutMs,
    connectionsCheckingInterval: Math.min(500, handshakeTimeoutMs),
    keepAliveTimeout: httpLimits.idleTimeoutMs,
  };
  const server = createServer(options, handle);
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new ConnectionRefusedError(`cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
    );
    server.listen(port, host, () => {
      const address = { host, port: (server.address() as AddressInfo).port };
      resolve({ address, close: () => closePort(server) });
    });
  });
}

/** Whoever was to be heard has been: what is still open only waits for the next request. */
function closePort(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/**
 * Takes the requests of a server that is there which `isOurs` names; whoever has answered them all so far answers the
 * others.
 */
export function attach(
  server: Server,
  isOurs: (request: IncomingMessage) => boolean,
  handle: RequestHandler,
): OpenServer {
  const others = server.listeners('request') as RequestHandler[];
  const listener: RequestHandler = (request, response) => {
    if (isOurs(request)) handle(request, response);
    else for (const other of others) other.call(server, request, response);
  };
  server.removeAllListeners('request');
  server.on('request', listener);
  return {
    address: undefined,
    async close() {
      if (!server.listeners('request').includes(listener)) return;
      server.removeListener('request', listener);
      for (const other of others) server.on('request', other);
    },
  };
}
