import { InvalidOptionError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import { show } from '../show.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Makes updates and mains smaller on their way. `compression()` of mainstem/compression is one. */
export interface Compression {
  /** The form of payloads that it reads and writes, as the handshake names it. */
  readonly form: string;
  /** What a coordinator asks of its children, for the welcome. */
  readonly terms: string;
  /**
   * For the updates of one child: by its own settings, else by the coordinator's terms; undefined: as they are. Throws
   * MalformedDataError for terms that it does not know.
   */
  compressUpdates(terms: string, layout: ParameterLayout, random: Random): Compressor | undefined;
  /** For the changes of one main; undefined: as they are. */
  compressMain(layout: ParameterLayout, random: Random): Compressor | undefined;
  /** Fills in what a payload holds. Throws MalformedDataError unless it is exactly these values. */
  read(payload: Bytes, values: Values): void;
  /** Throws InvalidOptionError where what children send would diverge with the momentum of main's optimizer. */
  assertMomentum(): void;
}

/** What became of values. */
export interface Compressed {
  readonly payload: Bytes;
  /** The values as whoever reads the payload gets them. Overwritten by the next call. */
  readonly sent: Float32Array<ArrayBuffer>;
  /** The payload goes out: what it left is remembered for the next one. Without this call nothing has happened. */
  adopt(): void;
}

/** Compresses one row of updates, or of mains. */
export interface Compressor {
  /** Throws NonFiniteError, and nothing has changed. */
  compress(values: Values): Compressed;
  /** So long it took until a payload was answered, or has not been for, in milliseconds. */
  observe(elapsedMs: number): void;
  /** What it remembers. */
  save(): Bytes;
  /** Takes back what `save` gave. Throws MalformedDataError or LayoutMismatchError, and nothing has changed. */
  load(state: Bytes): void;
}

/** Bytes of a packed payload of so many values at most, however they are written. */
export function packedBytesMax({ length, tensors }: ParameterLayout): number {
  return 8 * length + 16 * tensors.length + 64;
}

/** Throws InvalidOptionError unless the value is what `compression()` gives. */
export function requireCompression(value: Compression): void {
  if (typeof value?.compressUpdates === 'function' && typeof value.read === 'function') return;
  throw new InvalidOptionError(
    `compression is ${show(value)}, expected compression({ updates: 'topK' }) of mainstem/compression`,
  );
}
