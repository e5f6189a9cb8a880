import { MalformedDataError } from '../errors.ts';
import { MemoryStore } from '../storage/MemoryStore.ts';
import type { Store } from '../storage/Store.ts';
import { logKey, logPrefix } from './records.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** `MSLG`, and a version. */
const magic = new Uint8Array([0x4d, 0x53, 0x4c, 0x47, 1, 0, 0, 0]);

/** Throws where a caller asks for what is beyond the end. */
function lengthAt(bytes: Bytes, at: number): number {
  if (at + 4 > bytes.length) throw new MalformedDataError('the file of a log ends within a record');
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

/**
 * A log as the content of a file, piece by piece: `await writeFile('run.log', exportLog(store))`. `mainstem replay` reads
 * it. Eight bytes that name it, then each record with its length before it, as u32, little endian.
 */
export async function* exportLog(store: Store, prefix: string = logPrefix): AsyncGenerator<Bytes> {
  yield startOfLog();
  for (const key of await store.keys(prefix)) {
    const record = await store.get(key);
    if (record === undefined) throw new MalformedDataError(`record ${key} of the log is missing`);
    yield packLogRecord(record);
  }
}

/** What the file of a log begins with, for whoever writes records into one as they come. */
export function startOfLog(): Bytes {
  return magic.slice();
}

/** A record, as it stands in the file. */
export function packLogRecord(record: Uint8Array): Bytes {
  const bytes = new Uint8Array(4 + record.length);
  new DataView(bytes.buffer).setUint32(0, record.length, true);
  bytes.set(record, 4);
  return bytes;
}

/** The store that such a file is of. Throws MalformedDataError where it is something else, or ends within a record. */
export function importLog(bytes: Bytes, prefix: string = logPrefix): Store {
  if (!magic.every((byte, index) => bytes[index] === byte))
    throw new MalformedDataError('this is no log of mainstem');
  const store = new MemoryStore();
  let number = 0;
  for (let at = magic.length; at < bytes.length; ) {
    const end = at + 4 + lengthAt(bytes, at);
    if (end > bytes.length) throw new MalformedDataError('the file of a log ends within a record');
    store.batch([{ key: logKey(prefix, ++number), value: bytes.subarray(at + 4, end) }]);
    at = end;
  }
  return store;
}
