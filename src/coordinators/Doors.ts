import { ConnectionClosedError } from '../errors.ts';
import type { Listener, ServerTransport } from '../transport/Transport.ts';
import type { ReceptionOptions } from './Reception.ts';
import { Reception } from './Reception.ts';

/** The listeners that somebody has opened: each takes connections until it is closed, or all are. */
export class Doors {
  readonly #open = new Map<Listener, Reception>();
  #isClosed = false;

  /** Listens on a transport. */
  async open(transport: ServerTransport, options: ReceptionOptions): Promise<Listener> {
    const reception = new Reception(options);
    const listener = await transport.listen((connection) => reception.serve(connection));
    if (this.#isClosed) {
      await listener.close();
      throw new ConnectionClosedError('closed before the transport was listening');
    }
    this.#open.set(listener, reception);
    return {
      close: async () => {
        this.#open.delete(listener);
        await listener.close();
      },
    };
  }

  /** Closes all, after telling the children that it is over: they need not come back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const open = [...this.#open];
    this.#open.clear();
    for (const [, reception] of open) reception.dismiss();
    for (const [listener] of open) await listener.close();
  }
}
