import type { SafetensorsProblem } from 'mainstem/files';
import { SafetensorsError } from 'mainstem/files';
import { expect } from 'vitest';

/** The bytes of a safetensors file with this text as its header, which need not be a legal one. */
export function fileOf(header: string | Uint8Array, data: ArrayLike<number> = []): Uint8Array<ArrayBuffer> {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** The text of a header whose tensors lie one behind the other. */
export function headerOf(
  tensors: readonly { name: string; dtype: string; shape: number[]; bytes: number }[],
): string {
  let begin = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const data_offsets = [begin, begin + bytes];
    begin += bytes;
    return [name, { dtype, shape, data_offsets }] as const;
  });
  return JSON.stringify(Object.fromEntries(entries));
}

/** Expects a rejection with a SafetensorsError of this code. */
export async function expectRefusal(reading: Promise<unknown>, problem: SafetensorsProblem): Promise<void> {
  const outcome = await reading.then(
    (value) => value,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(SafetensorsError);
  expect((outcome as SafetensorsError).code).toBe(`SAFETENSORS_${problem}`);
  expect((outcome as SafetensorsError).name).toBe('SafetensorsError');
}

/** A file in memory that is read and written like Node's FileHandle, at most `most` bytes at once. */
export class MemoryHandle {
  bytes: Uint8Array<ArrayBuffer>;
  reads: [position: number, length: number][] = [];
  writes: number[] = [];
  readonly #most: number;

  constructor(bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0), most: number = Infinity) {
    this.bytes = bytes;
    this.#most = most;
  }

  async stat(): Promise<{ size: number }> {
    return { size: this.bytes.length };
  }

  async read(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }> {
    const part = this.bytes.subarray(position, position + Math.min(length, this.#most));
    buffer.set(part, offset);
    this.reads.push([position, part.length]);
    return { bytesRead: part.length };
  }

  async write(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }> {
    const part = buffer.slice(offset, offset + Math.min(length, this.#most));
    const grown = new Uint8Array(Math.max(this.bytes.length, position + part.length));
    grown.set(this.bytes);
    grown.set(part, position);
    this.bytes = grown;
    this.writes.push(part.length);
    return { bytesWritten: part.length };
  }
}
