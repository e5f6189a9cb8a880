import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConnectionRefusedError } from '../../errors.ts';
import { ByteBudget } from '../ByteBudget.ts';
import { httpLimits } from '../limits.ts';
import type { Connection, Listener, ServerTransport } from '../Transport.ts';
import type { TokenOwner } from '../webSocket/tokens.ts';
import { createTokenCheck } from '../webSocket/tokens.ts';
import type { BodyFormat } from './BodyFormat.ts';
import { binaryContentType, binaryFormat } from './binaryFormat.ts';
import { HttpConnection } from './HttpConnection.ts';
import { HttpError, toHttpError } from './HttpError.ts';
import { answerError, answerNothing, answerParts } from './serverAnswer.ts';
import { ServerConnections } from './serverConnections.ts';
import type { HttpServerOptions, ResolvedHttpServerOptions } from './serverOptions.ts';
import { resolveHttpServerOptions } from './serverOptions.ts';
import { allowOrigin, answerPreflight } from './serverOrigins.ts';
import type { OpenServer } from './serverPort.ts';
import { attach, openPort } from './serverPort.ts';
import type { Query } from './serverRequest.ts';
import { readBody, readQuery } from './serverRequest.ts';

/** Makes the format of a new connection. */
export type FormatFactory = (idleTimeoutMs: number) => BodyFormat;

/** A request under the path of this transport. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The path behind the path of this transport, in its parts. */
  readonly place: readonly string[];
  readonly query: Query;
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

const formatOf = (request: IncomingMessage): string =>
  ((request.headers['content-type'] ?? binaryContentType).split(';', 1)[0] as string).trim().toLowerCase();

/**
 * A coordinator's side of plain HTTP: connections that are made of requests. It knows bytes; what else bodies may be written
 * in comes from outside.
 */
export class HttpServer implements ServerTransport {
  readonly #options: ResolvedHttpServerOptions;
  readonly #formats: ReadonlyMap<string, FormatFactory>;
  readonly #checkToken: ((token: string) => TokenOwner) | undefined;
  readonly #bodies = new ByteBudget(httpLimits.bodiesBytesMax);
  readonly #buffered = new ByteBudget(httpLimits.bufferedBytesTotalMax);
  readonly #connections: ServerConnections;
  #accept: ((connection: Connection) => void) | undefined;
  #open: OpenServer | undefined;
  #isListening = false;
  /** Tells a listener that closes that one more child has heard of it. */
  #dismissed: (() => void) | undefined;

  /** Throws InvalidOptionError. */
  constructor(options: HttpServerOptions, formats: Readonly<Record<string, FormatFactory>> = {}) {
    this.#options = resolveHttpServerOptions(options);
    this.#formats = new Map([[binaryContentType, () => binaryFormat], ...Object.entries(formats)]);
    const { tokens, clock, idleTimeoutMs } = this.#options;
    this.#checkToken = tokens === undefined ? undefined : createTokenCheck(tokens);
    this.#connections = new ServerConnections(clock, idleTimeoutMs);
  }

  /** Where it listens on a port of its own; undefined before that, and on a server that is there. */
  get address(): OpenServer['address'] {
    return this.#open?.address;
  }

  /** Path of all requests. */
  get path(): string {
    return this.#options.path;
  }

  /** Rejects with ConnectionRefusedError where the port is taken, or this transport listens already. */
  async listen(accept: (connection: Connection) => void): Promise<Listener> {
    if (this.#isListening) throw new ConnectionRefusedError('somebody listens on this transport already');
    this.#isListening = true;
    this.#accept = accept;
    const { server } = this.#options;
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#handle(request, response);
    };
    try {
      this.#open =
        server === undefined
          ? await openPort(this.#options, handle)
          : attach(server, (request) => this.#placeOf(request) !== undefined, handle);
    } catch (thrown) {
      this.#isListening = false;
      throw thrown;
    }
    return { close: () => this.#close() };
  }

  /** Parts of the path behind this transport's own; undefined where the request is for somebody else. */
  #placeOf({ url = '/' }: IncomingMessage): string[] | undefined {
    const path = url.split('?', 1)[0] as string;
    return path.startsWith(`${this.#options.path}/`)
      ? path.slice(this.#options.path.length + 1).split('/')
      : undefined;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const abort = new AbortController();
    response.on('error', () => {});
    response.once('close', () => abort.abort());
    try {
      const isAllowed = allowOrigin(request, response, this.#options);
      if (!isAllowed)
        throw new HttpError(403, 'AUTHENTICATION_FAILED', 'pages of this origin may not connect');
      const place = this.#placeOf(request);
      if (place === undefined) throw notFound();
      if (request.method === 'OPTIONS') answerPreflight(response);
      else {
        const query = readQuery(request);
        await this.#route({ request, response, place, query, signal: abort.signal });
      }
    } catch (thrown) {
      await answerError({ request, response }, toHttpError(thrown));
    }
  }

  async #route(exchange: Exchange): Promise<void> {
    const { request, response, place } = exchange;
    const [first = '', action, ...rest] = place;
    if (first === 'connect' && action === undefined) {
      if (request.method !== 'POST') throw notAllowed('POST');
      await this.#connect(exchange);
      return;
    }
    const connection = this.#connections.find(first, request.headers.authorization);
    if (connection === undefined || rest.length > 0) throw notFound();
    if (action === undefined) {
      if (request.method !== 'DELETE') throw notAllowed('DELETE');
      this.#connections.remove(first);
      await answerNothing({ response });
    } else if (action === 'push') {
      if (request.method !== 'POST') throw notAllowed('POST');
      await this.#push(exchange, first, connection);
    } else if (action === 'pull') {
      if (request.method !== 'GET') throw notAllowed('GET');
      connection.acknowledge(exchange.query.after);
      connection.sign();
      await this.#answer(exchange, first, connection);
    } else throw notFound();
  }

  async #connect(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    const { clock, idleTimeoutMs, bufferedBytesMax, connectionsPerAddressMax } = this.#options;
    const address = request.socket.remoteAddress ?? 'unknown';
    const checkCount = (): void => {
      if (this.#connections.size >= httpLimits.connectionsMax)
        throw new HttpError(503, 'LIMIT_EXCEEDED', `${httpLimits.connectionsMax} connections are open`);
      if (this.#connections.countOf(address) >= connectionsPerAddressMax)
        throw new HttpError(429, 'LIMIT_EXCEEDED', `${connectionsPerAddressMax} connections of one address`);
    };
    checkCount();
    const createFormat = this.#formats.get(formatOf(request));
    if (createFormat === undefined) throw unsupported([...this.#formats.keys()]);
    const owner = await this.#authenticate(request, address);
    if (owner === undefined)
      throw new HttpError(401, 'AUTHENTICATION_FAILED', 'the server does not accept this token');
    const format = createFormat(idleTimeoutMs);
    const body = await this.#read(request);
    checkCount();
    const accept = this.#accept;
    if (accept === undefined) throw new HttpError(503, 'CONNECTION_CLOSED', 'the server is being closed');
    const peer = `${address}:${request.socket.remotePort}`;
    const options = {
      peer,
      identity: owner.childId,
      format,
      clock,
      bufferedBytesMax,
      budget: this.#buffered,
    };
    const connection = new HttpConnection(options);
    const { authorization } = request.headers;
    // What makes no sense makes no connection.
    connection.push(0, body);
    const id = this.#connections.add(connection, { address, authorization });
    accept(connection);
    await this.#answer(exchange, id, connection, { connection: id, idleTimeoutMs });
  }

  async #push(exchange: Exchange, id: string, connection: HttpConnection): Promise<void> {
    const { request, query } = exchange;
    if (formatOf(request) !== connection.format.contentType)
      throw unsupported([connection.format.contentType]);
    const body = await this.#read(request);
    connection.acknowledge(query.after);
    connection.push(query.number, body);
    await this.#answer(exchange, id, connection);
  }

  #read(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
    const { bodyBytesMax, clock } = this.#options;
    return readBody(request, { bodyBytesMax, clock, budget: this.#bodies });
  }

  /** Answers with what waits for the child, or will soon. */
  async #answer(
    exchange: Exchange,
    id: string,
    connection: HttpConnection,
    head: { connection?: string; idleTimeoutMs?: number } = {},
  ): Promise<void> {
    const { query, response, signal } = exchange;
    const outgoing = await connection.fetch(query, signal);
    this.#connections.touch(id);
    if (outgoing === undefined && head.connection === undefined) {
      await answerNothing({ response });
      return;
    }
    const { format } = connection;
    const parts = outgoing ?? { parts: [], first: 1, last: 0, isAll: false };
    const isClosed = connection.isClosed && parts.isAll;
    await answerParts({ ...exchange, format }, parts, { ...head, isClosed });
    if (isClosed && response.writableFinished) this.#dismiss(id);
  }

  /** A child has heard that its connection is closed. An answer that was lost comes again, while there is time. */
  #dismiss(id: string): void {
    if (this.#dismissed === undefined) return;
    this.#connections.remove(id);
    this.#dismissed();
  }

  /** Who may speak on this connection; undefined: nobody. */
  async #authenticate(request: IncomingMessage, remoteAddress: string): Promise<TokenOwner> {
    const { authenticate, clock, handshakeTimeoutMs } = this.#options;
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    let owner: TokenOwner = { childId: undefined };
    if (this.#checkToken !== undefined) owner = this.#checkToken(token ?? '');
    if (owner === undefined || authenticate === undefined) return owner;
    const { headers, url = '/' } = request;
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      const error = new HttpError(
        408,
        'AUTHENTICATION_FAILED',
        'the server could not check the token in time',
      );
      cancel = clock.schedule(() => reject(error), handshakeTimeoutMs, { isBackground: true });
    });
    try {
      const verdict = await Promise.race([authenticate({ url, headers, remoteAddress, token }), late]);
      if (typeof verdict === 'object') return { childId: verdict.childId };
      return verdict === true ? owner : undefined;
    } catch (thrown) {
      // A hook of the user's own that fails lets nobody in.
      if (thrown instanceof HttpError) throw thrown;
      return undefined;
    } finally {
      cancel();
    }
  }

  async #close(): Promise<void> {
    if (!this.#isListening || this.#accept === undefined) return;
    this.#accept = undefined;
    this.#connections.closeAll();
    await this.#dismissAll();
    for (const id of this.#connections.ids()) this.#connections.remove(id);
    await this.#open?.close();
    this.#open = undefined;
    this.#isListening = false;
  }

  /** Until all children have heard that their connections are closed, or the time for that has passed. */
  async #dismissAll(): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.schedule(resolve, httpLimits.closeTimeoutMs);
      this.#dismissed = () => {
        if (this.#connections.size > 0) return;
        cancel();
        resolve();
      };
    });
    this.#dismissed = undefined;
  }
}

function notFound(): HttpError {
  return new HttpError(404, 'CONNECTION_CLOSED', 'there is no such connection (any more); connect again');
}

function notAllowed(method: string): HttpError {
  return new HttpError(405, 'MALFORMED_DATA', `expected ${method}`);
}

function unsupported(contentTypes: readonly string[]): HttpError {
  return new HttpError(415, 'MALFORMED_DATA', `expected content-type ${contentTypes.join(' or ')}`);
}
