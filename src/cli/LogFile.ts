import { appendFile, writeFile } from 'node:fs/promises';
import type { Store, StoreOperation } from 'mainstem';
import { StoreError } from 'mainstem';
import { packLogRecord, startOfLog } from 'mainstem/replay';

/** A file that records of a log are appended to, as `exportLog` writes them. Not to be read through. */
export class LogFile implements Store {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Begins it anew. */
  static async create(path: string): Promise<LogFile> {
    await writeFile(path, startOfLog());
    return new LogFile(path);
  }

  async batch(operations: readonly StoreOperation[]): Promise<void> {
    for (const { value } of operations)
      if (value !== undefined) await appendFile(this.#path, packLogRecord(value));
  }

  get(): never {
    throw new StoreError('a log that is being written is not read');
  }

  keys(): string[] {
    return [];
  }

  close(): void {}
}
