import { MalformedDataError } from '../errors.ts';
import { sequenceWindow } from '../limits.ts';

const words = sequenceWindow / 32;

/** The JSON form of a window. */
export interface SequenceWindowJson {
  readonly highest: number;
  readonly bits: readonly number[];
}

/**
 * Which sequence numbers of a child are in main: the highest, and a bit for each of the 1,024 up to it (the
 * anti-replay window of RFC 4303, appendix A2). What lies behind the window counts as taken. Most children's numbers come
 * in order and without a gap: there are no bits before the first gap.
 */
export class SequenceWindow {
  #highest = -1;
  /** Without bits, all numbers from here to the highest were taken, and none before. */
  #first = 0;
  #bits: Uint32Array | undefined;

  /** Whether the number was taken before. */
  has(sequence: number): boolean {
    if (sequence > this.#highest) return false;
    if (sequence <= this.#highest - sequenceWindow) return true;
    if (this.#bits === undefined) return sequence >= this.#first;
    return (((this.#bits[wordOf(sequence)] as number) >>> (sequence % 32)) & 1) === 1;
  }

  /** Takes a number. */
  add(sequence: number): void {
    if (sequence <= this.#highest - sequenceWindow) return;
    if (this.#bits === undefined) {
      if (this.#highest < 0) this.#first = sequence;
      const isInOrder = this.#highest < 0 || sequence === this.#highest + 1;
      if (isInOrder) this.#highest = sequence;
      if (sequence >= this.#first && sequence <= this.#highest) return;
      this.#bits = this.#toBits();
    }
    const bits = this.#bits;
    if (sequence - this.#highest >= sequenceWindow) bits.fill(0);
    else for (let passed = this.#highest + 1; passed < sequence; passed++) clearBit(bits, passed);
    this.#highest = Math.max(this.#highest, sequence);
    setBit(bits, sequence);
  }

  /** The state as JSON. */
  toJSON(): SequenceWindowJson {
    return { highest: this.#highest, bits: Array.from(this.#toBits()) };
  }

  /** What JSON.stringify makes of it, in a sixth of the time: each child of a commit is written down. */
  stringify(): string {
    return `{"highest":${this.#highest},"bits":[${this.#toBits().join(',')}]}`;
  }

  /** Reads what toJSON wrote. */
  static fromJSON({ highest, bits }: SequenceWindowJson): SequenceWindow {
    if (!Number.isSafeInteger(highest) || !Array.isArray(bits) || bits.length !== words) {
      throw new MalformedDataError('a stored sequence window is damaged');
    }
    const window = new SequenceWindow();
    window.#highest = highest;
    window.#bits = Uint32Array.from(bits);
    return window;
  }

  #toBits(): Uint32Array {
    if (this.#bits !== undefined) return this.#bits;
    const bits = new Uint32Array(words);
    const isFull = this.#highest - this.#first >= sequenceWindow;
    if (isFull) bits.fill(0xffffffff);
    else for (let sequence = this.#first; sequence <= this.#highest; sequence++) setBit(bits, sequence);
    return bits;
  }
}

function setBit(bits: Uint32Array, sequence: number): void {
  const word = wordOf(sequence);
  bits[word] = (bits[word] as number) | (1 << (sequence % 32));
}

function clearBit(bits: Uint32Array, sequence: number): void {
  const word = wordOf(sequence);
  bits[word] = (bits[word] as number) & ~(1 << (sequence % 32));
}

/** A number above 2³² needs division, not a shift. */
function wordOf(sequence: number): number {
  return Math.floor(sequence / 32) % words;
}
