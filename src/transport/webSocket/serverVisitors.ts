import type { Clock } from '../../clock.ts';
import { webSocketLimits } from '../limits.ts';

/** How many may come, and how often. */
export interface VisitorLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly attemptsPerMinuteMax: number;
  readonly clock: Clock;
}

/** What is known of an address. */
interface Visitor {
  connections: number;
  /** Those that have not become a WebSocket included; on an own port only. */
  sockets: number;
  /** Attempts that it has left, as of `atMs`. */
  attempts: number;
  atMs: number;
}

const minuteMs = 60_000;

/** Counts who is there by address, and how often each address has tried of late: a token bucket of attempts. */
export class Visitors {
  readonly #limits: VisitorLimits;
  readonly #byAddress = new Map<string, Visitor>();
  #connections = 0;

  constructor(limits: VisitorLimits) {
    this.#limits = limits;
  }

  /** An address asks for a connection: the HTTP status of the refusal, or undefined, and then `leave` must follow. */
  enter(address: string): 429 | 503 | undefined {
    const { attemptsPerMinuteMax, connectionsMax, connectionsPerAddressMax, clock } = this.#limits;
    const visitor = this.#visitorOf(address);
    const nowMs = clock.now();
    const regained = ((nowMs - visitor.atMs) / minuteMs) * attemptsPerMinuteMax;
    visitor.attempts = Math.min(attemptsPerMinuteMax, visitor.attempts + regained);
    visitor.atMs = nowMs;
    if (visitor.attempts < 1) return 429;
    visitor.attempts--;
    if (visitor.connections >= connectionsPerAddressMax) return 429;
    if (this.#connections >= connectionsMax) return 503;
    visitor.connections++;
    this.#connections++;
    return undefined;
  }

  leave(address: string): void {
    this.#visitorOf(address).connections--;
    this.#connections--;
  }

  /** A socket has come, which has said nothing yet: false where it must go. Then, or when it ends, `socketEnded` follows. */
  socketCame(address: string): boolean {
    const visitor = this.#visitorOf(address);
    visitor.sockets++;
    return visitor.sockets <= this.#limits.connectionsPerAddressMax + webSocketLimits.silentPerAddressMax;
  }

  socketEnded(address: string): void {
    this.#visitorOf(address).sockets--;
  }

  #visitorOf(address: string): Visitor {
    const key = addressKey(address);
    let visitor = this.#byAddress.get(key);
    if (visitor === undefined) {
      if (this.#byAddress.size >= webSocketLimits.addressesMax) this.#forget();
      const { attemptsPerMinuteMax, clock } = this.#limits;
      visitor = { connections: 0, sockets: 0, attempts: attemptsPerMinuteMax, atMs: clock.now() };
      this.#byAddress.set(key, visitor);
    }
    return visitor;
  }

  /** Forgets all that are not there: what they have tried of late is the lesser harm. */
  #forget(): void {
    for (const [key, { connections, sockets }] of this.#byAddress)
      if (connections === 0 && sockets === 0) this.#byAddress.delete(key);
  }
}

/**
 * What counts as one address: an IPv4 address, also where it is written as IPv6, or the first 64 bits of an IPv6 address,
 * since whoever has one has all 2⁶⁴ of that prefix (RFC 4291, 2.5.4).
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1] as string;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  while (tail !== undefined && left.length + right.length < 8) left.push('0');
  return `${[...left, ...right].slice(0, 4).join(':')}::/64`;
}
