import { MalformedDataError } from '../errors.ts';
import { fileChunkBytes } from '../limits.ts';
import { nameOf } from '../parameters/NamedTensors.ts';
import { SafetensorsError } from './SafetensorsError.ts';

/** What can be read like Node's FileHandle, which fits. */
export interface ReadableHandle {
  read(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  stat(): Promise<{ readonly size: number }>;
}

/** What can be written like Node's FileHandle, which fits. */
export interface WritableHandle {
  write(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
}

/** Where a file can be read from: bytes in memory, a `Blob` or `File` of a browser, an open file of Node. */
export type FileSource = Uint8Array | ArrayBuffer | Blob | ReadableHandle;

/** A file of a known length, read at any place. */
export interface ByteSource {
  readonly size: number;
  /** Fills `target` from `position`. Rejects with a SafetensorsError where the file ends before. */
  read(target: Uint8Array<ArrayBuffer>, position: number): Promise<void>;
}

/** The source as one kind. Rejects with a MalformedDataError where it is none. */
export async function byteSourceOf(source: FileSource): Promise<ByteSource> {
  if (source instanceof ArrayBuffer) return sourceOfBytes(new Uint8Array(source));
  if (source instanceof Uint8Array) return sourceOfBytes(source);
  if (typeof Blob === 'function' && source instanceof Blob) return sourceOfBlob(source);
  const handle = source as Partial<ReadableHandle> | null | undefined;
  if (typeof handle?.read === 'function' && typeof handle.stat === 'function') {
    return sourceOfHandle(handle as ReadableHandle);
  }
  throw new MalformedDataError(
    `got ${nameOf(source)}, expected a Uint8Array, an ArrayBuffer, a Blob or an open file with read and stat`,
  );
}

function sourceOfBytes(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    async read(target, position) {
      target.set(bytes.subarray(position, position + target.length));
    },
  };
}

function sourceOfBlob(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(target, position) {
      for (let at = 0; at < target.length; at += fileChunkBytes) {
        const end = Math.min(at + fileChunkBytes, target.length);
        target.set(new Uint8Array(await blob.slice(position + at, position + end).arrayBuffer()), at);
      }
    },
  };
}

async function sourceOfHandle(handle: ReadableHandle): Promise<ByteSource> {
  const { size } = await handle.stat();
  return {
    size,
    async read(target, position) {
      for (let at = 0; at < target.length; ) {
        const wanted = Math.min(fileChunkBytes, target.length - at);
        const { bytesRead } = await handle.read(target, at, wanted, position + at);
        if (!(bytesRead > 0)) {
          throw new SafetensorsError(
            'METADATA_INCOMPLETE_BUFFER',
            `the file ends at byte ${position + at}, it had ${size} bytes when it was opened`,
          );
        }
        at += bytesRead;
      }
    },
  };
}

/** Writes all the bytes, however few the handle takes at once. */
export async function writeFully(
  sink: WritableHandle,
  bytes: Uint8Array<ArrayBuffer>,
  position: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(fileChunkBytes, bytes.length - at);
    const { bytesWritten } = await sink.write(bytes, at, length, position + at);
    if (!(bytesWritten > 0)) {
      throw new MalformedDataError(`the file took ${bytesWritten} of ${length} bytes, expected at least 1`);
    }
    at += bytesWritten;
  }
}
