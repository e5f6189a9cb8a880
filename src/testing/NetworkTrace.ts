import { virtualNetworkLimits } from '../limits.ts';

/** What can happen to a frame or a connection of a VirtualNetwork. */
export type NetworkEventKind =
  | 'connect'
  | 'send'
  | 'deliver'
  | 'drop'
  | 'duplicate'
  | 'reorder'
  | 'cut'
  | 'close';

/** Something that has happened on a VirtualNetwork. */
export interface NetworkEvent {
  readonly atMs: number;
  readonly kind: NetworkEventKind;
  /** Host that the frame comes from; of `connect`, `cut` and `close`, the host that does it or hears of it first. */
  readonly from: string;
  readonly to: string;
  /** Number of the connection, from 1. */
  readonly connection: number;
  /** Length of the frame, 0 where there is none. */
  readonly bytes: number;
}

/** What a VirtualNetwork has counted. sent + duplicated = delivered + dropped + inFlight, always. */
export interface NetworkStatistics {
  /** Frames handed to `send`. */
  readonly sent: number;
  /** Frames that a receiver has got. */
  readonly delivered: number;
  /** Frames lost by chance, by a partition, by a cut, or because their receiver had closed. */
  readonly dropped: number;
  readonly duplicated: number;
  /** Frames that overtook others. */
  readonly reordered: number;
  /** Connections that broke. */
  readonly cut: number;
  /** Frames on their way, or waiting for a receiver. */
  readonly inFlight: number;
  /** Bytes of the frames that were sent. */
  readonly bytes: number;
}

const counters = {
  send: 'sent',
  deliver: 'delivered',
  drop: 'dropped',
  duplicate: 'duplicated',
  reorder: 'reordered',
  cut: 'cut',
} as const;

const kinds: readonly NetworkEventKind[] = [
  'connect',
  'send',
  'deliver',
  'drop',
  'duplicate',
  'reorder',
  'cut',
  'close',
];

/** Counts what happens, remembers the last of it, and sums all of it up in a hash. */
export class NetworkTrace {
  readonly #counts = { sent: 0, delivered: 0, dropped: 0, duplicated: 0, reordered: 0, cut: 0, bytes: 0 };
  readonly #events: NetworkEvent[] = [];
  #next = 0;
  readonly #time = new Float64Array(1);
  readonly #timeBytes = new Uint8Array(this.#time.buffer);
  // The offset basis of FNV-1a, and another start for the second half.
  #low = 0x811c9dc5;
  #high = 0x050c5d1f;

  /** Takes an event. The bytes of a frame go into the hash. */
  add(event: NetworkEvent, frame?: Uint8Array): void {
    const counter = counters[event.kind as keyof typeof counters];
    if (counter !== undefined) this.#counts[counter]++;
    if (event.kind === 'send') this.#counts.bytes += event.bytes;
    this.#time[0] = event.atMs;
    this.#mixAll(this.#timeBytes);
    this.#mix(kinds.indexOf(event.kind));
    this.#mix(event.connection);
    for (let i = 0; i < event.from.length; i++) this.#mix(event.from.charCodeAt(i));
    if (frame !== undefined) this.#mixAll(frame);
    this.#events[this.#next] = event;
    this.#next = (this.#next + 1) % virtualNetworkLimits.traceEventsMax;
  }

  /** The last events, the oldest first. */
  get events(): NetworkEvent[] {
    return [...this.#events.slice(this.#next), ...this.#events.slice(0, this.#next)];
  }

  /** 16 hexadecimal digits that depend on every event so far and on the bytes of every frame. */
  get hash(): string {
    const digits = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');
    return digits(this.#high) + digits(this.#low);
  }

  get statistics(): NetworkStatistics {
    const { sent, delivered, dropped, duplicated } = this.#counts;
    return { ...this.#counts, inFlight: sent + duplicated - delivered - dropped };
  }

  #mixAll(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const whole = bytes.length & ~3;
    for (let i = 0; i < whole; i += 4) this.#mix(view.getUint32(i, true));
    for (let i = whole; i < bytes.length; i++) this.#mix(bytes[i] as number);
    this.#mix(bytes.length);
  }

  /** A step of FNV-1a (Fowler, Noll and Vo), and beside it another with a rotation and a prime of its own. */
  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#high = Math.imul(((this.#high << 13) | (this.#high >>> 19)) ^ word, 0x85ebca6b);
  }
}
