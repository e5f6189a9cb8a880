import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/**
 * A way to a coordinator that carries both directions until it stalls; then nothing is read of what the coordinator
 * sends, while what the child sends, heartbeats and all, goes on. So a hostile child would do it.
 */
export class StallingProxy {
  readonly #server: Server;
  readonly #upstreams: Socket[] = [];

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      this.#upstreams.push(far);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        socket.on('error', () => {});
        socket.on('data', (data) => other.write(data));
        socket.on('close', () => other.destroy());
      }
    });
  }

  /** The url to connect to in place of the coordinator's. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stall(): void {
    for (const upstream of this.#upstreams) upstream.pause();
  }

  close(): void {
    this.#server.close();
    for (const upstream of this.#upstreams) upstream.destroy();
  }
}
