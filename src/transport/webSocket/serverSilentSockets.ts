import type { Socket } from 'node:net';
import type { Clock } from '../../clock.ts';
import { refuse } from './serverDoor.ts';

/**
 * Sockets that have not asked for anything yet. Each has so long to do it; then it is refused with HTTP 408. What has come
 * from it by then is read first: where thousands connect at once, it is this thread that keeps them waiting.
 */
export class SilentSockets {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** Since when, the oldest first. */
  readonly #since = new Map<Socket, number>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  add(socket: Socket): void {
    this.#since.set(socket, this.#clock.now());
    if (this.#cancel === undefined) this.#lookLater(this.#timeoutMs);
  }

  /** It has asked, or it has ended. */
  remove(socket: Socket): void {
    this.#since.delete(socket);
  }

  /** Forgets all. */
  close(): void {
    this.#since.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lookLater(delayMs: number): void {
    this.#cancel = this.#clock.schedule(() => this.#look(), delayMs, { isBackground: true });
  }

  #look(): void {
    this.#cancel = undefined;
    const nowMs = this.#clock.now();
    const due: Socket[] = [];
    for (const [socket, sinceMs] of this.#since) {
      const leftMs = sinceMs + this.#timeoutMs - nowMs;
      if (leftMs > 0) {
        this.#lookLater(leftMs);
        break;
      }
      due.push(socket);
    }
    // After this turn of the event loop, in which all that has come is read.
    if (due.length > 0) void this.#clock.yieldTurn().then(() => this.#refuse(due));
  }

  #refuse(due: readonly Socket[]): void {
    for (const socket of due) if (this.#since.delete(socket)) refuse(socket, 408);
    const [next] = this.#since.values();
    if (next !== undefined && this.#cancel === undefined)
      this.#lookLater(Math.max(1, next + this.#timeoutMs - this.#clock.now()));
  }
}
