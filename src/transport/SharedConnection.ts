import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { linkLimits } from '../limits.ts';
import type { Channel } from './Channel.ts';
import { Heart } from './Heart.ts';
import { Link } from './Link.ts';
import type { ClientTransport, Connection } from './Transport.ts';

/**
 * One connection for many children of this process: `Child.connect({ transport: shared, … })` for each of them. It opens
 * with the first, again after a cut, and ends with the last.
 */
export class SharedConnection implements ClientTransport {
  readonly #transport: ClientTransport;
  readonly #heart: Heart;
  #link: Promise<Link> | undefined;

  constructor(transport: ClientTransport, { clock = systemClock }: { clock?: Clock } = {}) {
    this.#transport = transport;
    this.#heart = new Heart(clock, linkLimits.heartbeatMs);
  }

  /** A connection that is not shared. */
  connect(): Promise<Connection> {
    return this.#transport.connect();
  }

  /** Begins a conversation on the connection. */
  async openChannel(): Promise<Channel> {
    this.#link ??= this.#connect();
    return (await this.#link).open();
  }

  async #connect(): Promise<Link> {
    try {
      const connection = await this.#transport.connect();
      return new Link(connection, {
        heart: this.#heart,
        ended: () => {
          this.#link = undefined;
        },
      });
    } catch (thrown) {
      this.#link = undefined;
      throw thrown;
    }
  }
}

/** Begins a conversation over a transport: on a connection of its own, unless the transport shares one. */
export async function openChannel(transport: ClientTransport, heart: Heart): Promise<Channel> {
  if (transport instanceof SharedConnection) return transport.openChannel();
  return new Link(await transport.connect(), { heart }).open();
}
