import { ConnectionClosedError } from '../errors.ts';
import type { Listener, ServerTransport } from '../transport/Transport.ts';
import type { ReceptionOptions } from './Reception.ts';
import { Reception } from './Reception.ts';

/** The listeners that somebody has opened: each takes connections until it is closed, or all are. */
export class Doors {
  readonly #listeners = new Set<Listener>();
  #isClosed = false;

  /** Listens on a transport. */
  async open(transport: ServerTransport, options: ReceptionOptions): Promise<Listener> {
    const reception = new Reception(options);
    const listener = await transport.listen((connection) => reception.serve(connection));
    if (this.#isClosed) {
      await listener.close();
      throw new ConnectionClosedError('closed before the transport was listening');
    }
    this.#listeners.add(listener);
    return {
      close: async () => {
        this.#listeners.delete(listener);
        await listener.close();
      },
    };
  }

  /** Closes all. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) await listener.close();
  }
}
