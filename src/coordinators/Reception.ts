import { ConnectionRefusedError, LimitExceededError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { encodeMessage } from '../protocol/codec.ts';
import type { Hello } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import type { Connection } from '../transport/Transport.ts';
import type { ChildServer } from './ChildServer.ts';
import { Session, toWireError } from './Session.ts';

/** What a reception needs. */
export interface ReceptionOptions {
  readonly connectionsMax: number;
  /** The coordinator of a federation that a model of this layout fits. Throws where there is none. */
  choose(federation: string, layout: ParameterLayout | undefined): ChildServer;
  report(error: Error): void;
}

/** Takes connections, up to a limit, and leads each child to its coordinator. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #sessions = new Set<Session>();

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Takes a new connection. */
  serve(connection: Connection): void {
    if (this.#sessions.size >= this.#options.connectionsMax) {
      const reason = `${this.#sessions.size} connections are open, no more are allowed`;
      connection.receive({ frame() {}, closed() {} });
      connection.send(encodeMessage({ type: 'refusal', error: toWireError(new LimitExceededError(reason)) }));
      connection.close();
      return;
    }
    const session = new Session(
      {
        choose: (hello, layout) => this.#choose(hello, layout),
        ended: (ended) => this.#sessions.delete(ended),
        report: (error) => this.#options.report(error),
      },
      connection,
    );
    this.#sessions.add(session);
  }

  #choose({ protocol, federation }: Hello, layout: ParameterLayout | undefined): ChildServer {
    if (protocol !== protocolVersion) {
      throw new ConnectionRefusedError(
        `the child speaks protocol ${protocol}, the coordinator ${protocolVersion}`,
      );
    }
    return this.#options.choose(federation, layout);
  }
}
