import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Random } from 'mainstem';
import type { FaultyRoad } from './faultProxy.ts';

const turnsMax = 4;

/** Carries bytes between children and a coordinator, in pieces that fall where they fall, until a connection is cut. */
export class ByteProxy implements FaultyRoad {
  readonly counts: Record<string, number> = {};
  readonly #server: Server;
  readonly #random: Random;
  readonly #targetPort: number;
  /** Bytes after which a connection is cut, at most. */
  readonly #bytesMax: number;
  readonly #sockets = new Set<Socket>();
  #isCalm = false;

  /** Listens on a free port, for a coordinator on another. */
  static async open(targetPort: number, bytesMax: number, random: Random): Promise<ByteProxy> {
    const proxy = new ByteProxy(targetPort, bytesMax, random);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(targetPort: number, bytesMax: number, random: Random) {
    this.#targetPort = targetPort;
    this.#bytesMax = bytesMax;
    this.#random = random;
    this.#server = createServer((near) => this.#carry(near));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  calm(): void {
    this.#isCalm = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(near: Socket): void {
    const far = connect(this.#targetPort, '127.0.0.1');
    let left = 1 + Math.floor(this.#bytesMax * this.#random.next());
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    /** What may still go through of so many bytes. */
    const allowed = (bytes: number): number => {
      if (this.#isCalm) return bytes;
      const some = Math.min(bytes, left);
      left -= some;
      return some;
    };
    void this.#pump(near, far, allowed, cut);
    void this.#pump(far, near, allowed, cut);
  }

  /** Carries what comes in pieces, with turns of the event loop between them. */
  async #pump(from: Socket, to: Socket, allowed: (bytes: number) => number, cut: () => void): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; ) {
          const wanted = this.#isCalm
            ? chunk.length - at
            : Math.min(chunk.length - at, 1 + Math.floor(200 * this.#random.next()));
          const bytes = allowed(wanted);
          await new Promise((resolve) => to.write(chunk.subarray(at, at + bytes), resolve));
          at += bytes;
          if (bytes < wanted) {
            this.#count('cut');
            cut();
            return;
          }
          await this.#turns();
        }
      }
    } catch {
      // It was cut from elsewhere.
    }
    cut();
  }

  async #turns(): Promise<void> {
    if (this.#isCalm) return;
    const turns = Math.floor((turnsMax + 1) * this.#random.next());
    if (turns > 0) this.#count('delay');
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
