import type { HttpServerOptions } from '../transport/http/serverOptions.ts';
import { HttpServer } from '../transport/http/serverTransport.ts';
import { httpLimits } from '../transport/limits.ts';
import type { Connection, Listener, ServerTransport } from '../transport/Transport.ts';
import { JsonFormat } from './JsonFormat.ts';

/**
 * A coordinator's side of plain HTTP, for engines without sockets, on a port of its own or under a path of a server that is
 * there: `coordinator.listen(new HttpServerTransport({ port: 7070 }))`. Children send frames, as `HttpTransport` does, or
 * messages in JSON with tensors as nested arrays: docs/http.md. TLS comes with the server that is given.
 */
export class HttpServerTransport implements ServerTransport {
  readonly #server: HttpServer;

  /** Throws InvalidOptionError. */
  constructor(options: HttpServerOptions) {
    this.#server = new HttpServer(options, {
      // A request may wait, and then the next may be long in coming.
      'application/json': (idleTimeoutMs) => new JsonFormat(httpLimits.waitMsMax + idleTimeoutMs),
    });
  }

  /** Where it listens on a port of its own; undefined before that, and on a server that is there. */
  get address(): { readonly host: string; readonly port: number } | undefined {
    return this.#server.address;
  }

  /** What the addresses of all requests begin with. */
  get path(): string {
    return this.#server.path;
  }

  /** Rejects with ConnectionRefusedError where the port is taken, or this transport listens already. */
  listen(accept: (connection: Connection) => void): Promise<Listener> {
    return this.#server.listen(accept);
  }
}
