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

  /** Begins a conversation on the connection, or on a new one where it takes no more. */
  async openChannel(): Promise<Channel> {
    for (;;) {
      this.#link ??= this.#connect();
      const connecting = this.#link;
      const link = await connecting;
      if (link.isOpen) return link.open();
      this.#forget(connecting);
    }
  }

  #connect(): Promise<Link> {
    const connecting: Promise<Link> = this.#transport
      .connect()
      .then(
        (connection) => new Link(connection, { heart: this.#heart, ended: () => this.#forget(connecting) }),
      );
    connecting.catch(() => this.#forget(connecting));
    return connecting;
  }

  /** There may be a newer one already. */
  #forget(link: Promise<Link>): void {
    if (this.#link === link) this.#link = undefined;
  }
}

/** Begins a conversation over a transport: on a connection of its own, unless the transport shares one. */
export async function openChannel(transport: ClientTransport, heart: Heart): Promise<Channel> {
  if (transport instanceof SharedConnection) return transport.openChannel();
  return new Link(await transport.connect(), { heart }).open();
}
