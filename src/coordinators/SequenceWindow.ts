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
 * anti-replay window of RFC 4303, appendix A2). What lies behind the window counts as taken.
 */
export class SequenceWindow {
  #highest = -1;
  readonly #bits = new Uint32Array(words);

  /** Whether the number was taken before. */
  has(sequence: number): boolean {
    if (sequence > this.#highest) return false;
    if (sequence <= this.#highest - sequenceWindow) return true;
    return (((this.#bits[Math.floor(sequence / 32) % words] as number) >>> (sequence % 32)) & 1) === 1;
  }

  /** Takes a number. */
  add(sequence: number): void {
    if (sequence <= this.#highest - sequenceWindow) return;
    if (sequence - this.#highest >= sequenceWindow) this.#bits.fill(0);
    else for (let passed = this.#highest + 1; passed < sequence; passed++) this.#set(passed, false);
    this.#highest = Math.max(this.#highest, sequence);
    this.#set(sequence, true);
  }

  /** The state as JSON. */
  toJSON(): SequenceWindowJson {
    return { highest: this.#highest, bits: Array.from(this.#bits) };
  }

  /** What JSON.stringify makes of it, in a sixth of the time: each child of a commit is written down. */
  stringify(): string {
    return `{"highest":${this.#highest},"bits":[${this.#bits.join(',')}]}`;
  }

  /** Reads what toJSON wrote. */
  static fromJSON({ highest, bits }: SequenceWindowJson): SequenceWindow {
    if (!Number.isSafeInteger(highest) || !Array.isArray(bits) || bits.length !== words) {
      throw new MalformedDataError('a stored sequence window is damaged');
    }
    const window = new SequenceWindow();
    window.#highest = highest;
    window.#bits.set(bits);
    return window;
  }

  #set(sequence: number, taken: boolean): void {
    // A number above 2³² needs division, not a shift.
    const word = Math.floor(sequence / 32) % words;
    const bit = 1 << (sequence % 32);
    this.#bits[word] = taken ? (this.#bits[word] as number) | bit : (this.#bits[word] as number) & ~bit;
  }
}
