import type { MainstemError } from '../../errors.ts';
import {
  AuthenticationError,
  BrokenConnectionError,
  ConnectionClosedError,
  LimitExceededError,
  RemoteError,
} from '../../errors.ts';
import { httpLimits } from '../limits.ts';
import type { ResolvedHttpOptions } from './clientOptions.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A request, as far as it differs from the others. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Behind the address of the transport. */
  readonly place: string;
  readonly body?: Bytes;
  readonly contentType?: string;
  /** The answer may take so long, in milliseconds. */
  readonly waitMs?: number;
}

/** An answer that says yes. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Bytes;
}

/** Nothing, or nothing whole, has come back: nobody knows whether the request was taken. */
class LostAnswerError extends BrokenConnectionError {}

/** Sends requests, and sends them again where no answer comes. */
export class HttpRequests {
  readonly #options: ResolvedHttpOptions;
  readonly #running = new Set<AbortController>();
  #wakeUps: (() => void)[] = [];
  #isStopped = false;

  constructor(options: ResolvedHttpOptions) {
    this.#options = options;
  }

  /**
   * Sends a request until it is answered, a few times. Rejects with BrokenConnectionError where none is, with
   * AuthenticationError, LimitExceededError, ConnectionClosedError (404) or RemoteError for an answer that says no.
   */
  async send(request: HttpRequest, attemptsMax: number = httpLimits.attemptsMax): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sendOnce(request);
      } catch (thrown) {
        if (!(thrown instanceof LostAnswerError) || attempt >= attemptsMax || this.#isStopped) throw thrown;
      }
      await this.#pause(httpLimits.retryMs * 2 ** (attempt - 1));
    }
  }

  /** Ends what is under way. */
  stop(): void {
    this.#isStopped = true;
    for (const abort of this.#running) abort.abort();
    for (const wakeUp of this.#wakeUps.splice(0)) wakeUp();
  }

  async #sendOnce({ method, place, body, contentType, waitMs = 0 }: HttpRequest): Promise<HttpAnswer> {
    const { url, token, clock, fetch: send } = this.#options;
    const abort = new AbortController();
    if (this.#isStopped) throw new ConnectionClosedError('the connection is closed');
    this.#running.add(abort);
    const cancel = clock.schedule(() => abort.abort(), waitMs + httpLimits.requestTimeoutMs);
    try {
      const response = await send(url + place, {
        method,
        signal: abort.signal,
        cache: 'no-store',
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body }),
      });
      const { status, headers, ok } = response;
      const answer = { status, headers, body: await readAnswer(response) };
      if (!ok) throw refusalOf(answer, url);
      return answer;
    } catch (thrown) {
      if (thrown instanceof RemoteError || isFinal(thrown)) throw thrown;
      const reason = thrown instanceof Error ? reasonOf(thrown) : 'no answer';
      throw new LostAnswerError(`${url} does not answer: ${reason}`);
    } finally {
      cancel();
      this.#running.delete(abort);
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.schedule(resolve, delayMs);
      this.#wakeUps.push(() => {
        cancel();
        resolve();
      });
    });
  }
}

function isFinal(thrown: unknown): boolean {
  const kinds = [AuthenticationError, LimitExceededError, ConnectionClosedError, LostAnswerError];
  return kinds.some((kind) => thrown instanceof kind);
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** The bytes of an answer, up to the limit: decompressed ones may be many. */
async function readAnswer(response: Response): Promise<Bytes> {
  const { clientAnswerBytesMax } = httpLimits;
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const step = await reader?.read();
    if (step?.value === undefined) break;
    length += step.value.length;
    chunks.push(step.value);
    if (length <= clientAnswerBytesMax) continue;
    void reader?.cancel().catch(() => {});
    throw new LimitExceededError(`an answer has more than ${clientAnswerBytesMax} bytes`);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** Why a server says no. */
function refusalOf({ status, body }: HttpAnswer, url: string): MainstemError {
  const reason = `${url} answers HTTP ${status}${messageIn(body)}`;
  if (status === 401 || status === 403) return new AuthenticationError(reason);
  if (status === 404) return new ConnectionClosedError(reason);
  if (status === 413 || status === 429) return new LimitExceededError(reason);
  // 408, and what proxies say where there is nobody behind them: the same request may be answered later.
  if (status === 408 || status >= 500) return new LostAnswerError(reason);
  return new RemoteError('CONNECTION_REFUSED', reason);
}

function messageIn(body: Bytes): string {
  try {
    const { error } = JSON.parse(new TextDecoder().decode(body)) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? `: ${error.message.slice(0, 200)}` : '';
  } catch {
    return '';
  }
}
