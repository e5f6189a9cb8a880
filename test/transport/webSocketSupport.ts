import type { Connection, Listener, Transport } from 'mainstem';
import type { WebSocketServerOptions } from 'mainstem/websocket';
import { WebSocketServerTransport, WebSocketTransport } from 'mainstem/websocket';

/** Turns of the event loop: what goes over the loopback device is there at the next one. */
export async function turns(count = 300): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when the condition holds; the runner's own limit of time ends what never will. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Both sides in one object, on a free port. */
export function pairedTransport(options: Partial<WebSocketServerOptions> = {}): Transport {
  const server = new WebSocketServerTransport({ port: 0, ...options });
  return {
    listen: (accept: (connection: Connection) => void): Promise<Listener> => server.listen(accept),
    connect: () => new WebSocketTransport(urlOf(server)).connect(),
  };
}

/** Where a server listens; a port that nobody has where it does not. */
export function urlOf({ address }: WebSocketServerTransport): string {
  return `ws://127.0.0.1:${address?.port ?? 1}/`;
}
