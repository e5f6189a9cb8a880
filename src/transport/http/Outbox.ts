import type { Part } from './BodyFormat.ts';

interface Numbered {
  readonly number: number;
  readonly part: Part;
}

/** Parts of an answer. */
export interface Outgoing {
  readonly parts: readonly Part[];
  /** Number of the first of them, or the one after `last`. */
  readonly first: number;
  /** Number of the last of them, or of the last that was ever answered. */
  readonly last: number;
  /** Nothing waits behind them. */
  readonly isAll: boolean;
}

/**
 * What waits for a child to fetch it. Parts are numbered from 1 and stay until the child says that it has them, so that an
 * answer that is lost comes again.
 */
export class Outbox {
  readonly #waiting: Numbered[] = [];
  #bytes = 0;
  #last = 0;
  #answered = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a part waits: any, or one with this key or that is urgent. */
  has(key: string | undefined): boolean {
    return this.#waiting.some(({ part }) => key === undefined || part.key === key || part.isUrgent === true);
  }

  /** How many bytes more would wait with this part. */
  growth(part: Part): number {
    return part.bytes.length - (this.#waiting[this.#worthlessWith(part)]?.part.bytes.length ?? 0);
  }

  /** Adds a part, in the place of one that it makes worthless. */
  add(part: Part): void {
    this.#bytes += this.growth(part);
    const worthless = this.#worthlessWith(part);
    if (worthless >= 0) this.#waiting.splice(worthless, 1);
    this.#waiting.push({ number: ++this.#last, part });
  }

  #worthlessWith({ key, isLatestOnly }: Part): number {
    return isLatestOnly === true ? this.#waiting.findIndex(({ part }) => part.key === key) : -1;
  }

  /** Parts up to about `bytesMax`, one at least where any waits. They go on waiting. */
  peek(bytesMax: number): Outgoing {
    const parts: Part[] = [];
    let bytes = 0;
    let last = this.#answered;
    for (const { number, part } of this.#waiting) {
      if (parts.length > 0 && bytes + part.bytes.length > bytesMax) break;
      parts.push(part);
      bytes += part.bytes.length;
      last = number;
    }
    this.#answered = Math.max(this.#answered, last);
    const first = this.#waiting[0]?.number ?? last + 1;
    return { parts, first, last, isAll: parts.length === this.#waiting.length };
  }

  /**
   * The child has all parts up to this number; without one, all that it was ever answered. Returns how many bytes that
   * frees, or undefined for a number that no answer had.
   */
  acknowledge(number: number | undefined): number | undefined {
    const last = number ?? this.#answered;
    if (last > this.#answered) return undefined;
    const count = this.#waiting.findIndex((waiting) => waiting.number > last);
    let freed = 0;
    for (const { part } of this.#waiting.splice(0, count < 0 ? this.#waiting.length : count))
      freed += part.bytes.length;
    this.#bytes -= freed;
    return freed;
  }

  /** Forgets everything; returns how many bytes that frees. */
  clear(): number {
    const freed = this.#bytes;
    this.#waiting.length = 0;
    this.#bytes = 0;
    return freed;
  }
}
