import {
  AuthenticationError,
  ConnectionRefusedError,
  MalformedDataError,
  toError,
  toMainstemError,
} from '../../errors.ts';
import type { ClientTransport, Connection } from '../Transport.ts';
import { binaryContentType } from './binaryFormat.ts';
import { ClientConnection } from './ClientConnection.ts';
import type { HttpTransportOptions, ResolvedHttpOptions } from './clientOptions.ts';
import { resolveHttpOptions } from './clientOptions.ts';
import { HttpRequests } from './HttpRequests.ts';
import { answerHeaders } from './headers.ts';

const noBytes = new Uint8Array(0);

/**
 * A child's way to a coordinator over plain HTTP, where there are no sockets or none get through:
 * `new HttpTransport('https://game.example/mainstem')`. It waits in one request, and pushes in others.
 */
export class HttpTransport implements ClientTransport {
  readonly #options: ResolvedHttpOptions;

  /** A url, or options. Throws InvalidOptionError. */
  constructor(options: string | HttpTransportOptions) {
    this.#options = resolveHttpOptions(options);
  }

  /** Rejects with ConnectionRefusedError, or AuthenticationError where the server does not accept the token. */
  async connect(): Promise<Connection> {
    const { url, waitMs } = this.#options;
    const requests = new HttpRequests(this.#options);
    try {
      const contentType = binaryContentType;
      const answer = await requests.send(
        { method: 'POST', place: '/connect', body: noBytes, contentType },
        1,
      );
      const id = answer.status === 201 ? connectionIn(answer.headers) : undefined;
      if (id === undefined) throw new MalformedDataError(`the answer is HTTP ${answer.status}, expected 201`);
      return new ClientConnection({ peer: url, id, requests, waitMs });
    } catch (thrown) {
      if (thrown instanceof AuthenticationError) throw thrown;
      const cause = toMainstemError(toError(thrown));
      throw new ConnectionRefusedError(`nobody listens at ${url}: ${cause.message}`, { cause });
    }
  }
}

/** The name of a new connection, which is letters, digits, `-` and `_`. */
function connectionIn(headers: Headers): string | undefined {
  return /^[\w-]{1,128}$/.exec(headers.get(answerHeaders.connection) ?? '')?.[0];
}
