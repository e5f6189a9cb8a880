import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Connection, Listener, Transport } from 'mainstem';
import type { HttpServerOptions, HttpTransportOptions } from 'mainstem/http';
import { HttpServerTransport, HttpTransport } from 'mainstem/http';

/** What a test has opened, to be closed after it. */
export type CleanUps = (() => unknown)[];

/** Both sides in one object, on a free port. */
export function pairedTransport(options: Partial<HttpServerOptions> = {}): Transport {
  const server = new HttpServerTransport({ port: 0, ...options });
  return {
    listen: (accept: (connection: Connection) => void): Promise<Listener> => server.listen(accept),
    connect: () => new HttpTransport(urlOf(server)).connect(),
  };
}

/** Where a server listens; a port that nobody has where it does not. */
export function urlOf({ address, path }: HttpServerTransport): string {
  return `http://127.0.0.1:${address?.port ?? 1}${path}`;
}

/** A server of somebody else's, which shows a page. */
export async function gameServer(cleanUps: CleanUps): Promise<{ server: Server; origin: string }> {
  const server = createServer((_request, response) => response.end('the game'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A listener and what it has accepted. */
export interface Listening {
  readonly server: HttpServerTransport;
  readonly listener: Listener;
  readonly accepted: Connection[];
  readonly url: string;
}

/** A listener, the connections that it has accepted, and its address. */
export async function listening(
  cleanUps: CleanUps,
  options: Partial<HttpServerOptions> = {},
): Promise<Listening> {
  const server = new HttpServerTransport(options.server === undefined ? { port: 0, ...options } : options);
  const accepted: Connection[] = [];
  const listener = await server.listen((connection) => accepted.push(connection));
  cleanUps.push(() => listener.close());
  return { server, listener, accepted, url: urlOf(server) };
}

/** An answer as a test looks at it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a JSON body; else undefined. */
  readonly json: JsonBody;
}

/** The fields of JSON answers that tests look at. */
export interface JsonBody {
  readonly connection: string;
  readonly after: number;
  readonly isClosed: boolean;
  readonly messages: readonly { readonly type: string; readonly [key: string]: unknown }[];
  readonly error: { readonly code: string; readonly message: string };
}

/** One request, as any program would send it. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  const json = (isJson ? JSON.parse(text) : undefined) as JsonBody;
  return { status: response.status, headers: response.headers, text, json };
}

/** A POST of JSON. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(url, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** A client whose requests the test can watch, lose and repeat. */
export function watchedTransport(
  url: string,
  send: (request: string, go: () => Promise<Response>) => Promise<Response>,
  options: Partial<HttpTransportOptions> = {},
): HttpTransport {
  return new HttpTransport({
    url,
    ...options,
    fetch: (input, init) =>
      send(`${init?.method} ${String(input).slice(url.length)}`, () => fetch(input, init)),
  });
}
