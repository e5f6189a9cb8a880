import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { isOriginAllowed } from '../origins.ts';
import type { ResolvedServerOptions } from './serverOptions.ts';
import type { Visitors } from './serverVisitors.ts';
import { tokenOf } from './subprotocol.ts';
import type { TokenOwner } from './tokens.ts';
import { createTokenCheck } from './tokens.ts';

/** A request that was let in. */
export interface Entry {
  readonly socket: WebSocket;
  /** `address:port`. */
  readonly peer: string;
  /** The only child that may speak there; undefined: any. */
  readonly identity: string | undefined;
}

/** Whose request it is, or the HTTP status of the refusal. */
type Verdict = { readonly owner: NonNullable<TokenOwner> } | { readonly status: 401 | 403 };

/** Looks at who asks for a WebSocket: counts, origin, token, and the user's own authentication. */
export class Door {
  readonly #options: ResolvedServerOptions;
  readonly #visitors: Visitors;
  readonly #checkToken: ((token: string) => TokenOwner) | undefined;
  /** Refuses those that wait for an answer. */
  readonly #waiting = new Set<(status: number) => void>();

  /** Throws InvalidOptionError. */
  constructor(options: ResolvedServerOptions, visitors: Visitors) {
    this.#options = options;
    this.#visitors = visitors;
    this.#checkToken = options.tokens === undefined ? undefined : createTokenCheck(options.tokens);
  }

  /** Answers a request, with a WebSocket or an HTTP status; `enter` hears of the former. */
  knock(
    webSockets: WebSocketServer,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    enter: (entry: Entry) => void,
  ): void {
    socket.on('error', ignore);
    const address = addressOf(request);
    const refusal = this.#visitors.enter(address);
    if (refusal !== undefined) {
      refuse(socket, refusal);
      return;
    }
    leaveAtClose(socket, this.#visitors, address);
    const settle = (): void => {
      cancel();
      socket.removeListener('close', settle);
      this.#waiting.delete(turnAway);
    };
    const turnAway = (status: number): void => {
      settle();
      refuse(socket, status);
    };
    const cancel = this.#options.clock.schedule(() => turnAway(408), this.#options.handshakeTimeoutMs);
    this.#waiting.add(turnAway);
    socket.once('close', settle);
    const answer = (verdict: Verdict): void => {
      // Too late, or nobody is there any more.
      if (!this.#waiting.has(turnAway)) return;
      if ('status' in verdict) {
        turnAway(verdict.status);
        return;
      }
      settle();
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        socket.removeListener('error', ignore);
        const peer = `${address}:${request.socket.remotePort}`;
        enter({ socket: webSocket, peer, identity: verdict.owner.childId });
      });
    };
    // A hook of the user's own that fails lets nobody in.
    this.#judge(request, address).then(answer, () => answer({ status: 401 }));
  }

  /** Turns away all that wait. */
  close(): void {
    for (const turnAway of [...this.#waiting]) turnAway(503);
  }

  async #judge(request: IncomingMessage, remoteAddress: string): Promise<Verdict> {
    const { isOriginRequired, authenticate } = this.#options;
    const { origin, host } = request.headers;
    const isKnownOrigin =
      origin === undefined ? !isOriginRequired : isOriginAllowed(origin, host, this.#options);
    if (!isKnownOrigin) return { status: 403 };
    const token = tokenIn(request);
    const owner = this.#checkToken === undefined ? { childId: undefined } : this.#checkToken(token ?? '');
    if (owner === undefined) return { status: 401 };
    if (authenticate === undefined) return { owner };
    const url = request.url ?? '/';
    const verdict: unknown = await authenticate({ url, headers: request.headers, remoteAddress, token });
    if (verdict === true) return { owner };
    const childId = childIdOf(verdict);
    return childId === undefined ? { status: 401 } : { owner: { childId } };
  }
}

function ignore(): void {}

/** By itself: a listener that stays as long as the socket must not hold on to the request. */
function leaveAtClose(socket: Duplex, visitors: Visitors, address: string): void {
  // It comes once, and `once` keeps three objects for that.
  socket.on('close', () => visitors.leave(address));
}

/** Users may write in JavaScript: anything but a child id lets nobody in. */
function childIdOf(verdict: unknown): string | undefined {
  if (typeof verdict !== 'object' || verdict === null || !('childId' in verdict)) return undefined;
  const { childId } = verdict;
  return typeof childId === 'string' && childId !== '' ? childId : undefined;
}

/** The address that a request comes from. */
export function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? 'unknown';
}

function tokenIn({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  return bearer ?? tokenOf((headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim()));
}

/** Answers a request that will not become a WebSocket. */
export function refuse(socket: Duplex, status: number): void {
  if (socket.destroyed || socket.writableEnded) return;
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
