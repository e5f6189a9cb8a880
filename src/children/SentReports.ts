import type { MainstemError } from '../errors.ts';

/** The reports of a child that the coordinator has not answered yet, by number. */
export class SentReports {
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #number = 0;

  /** Sends under the next number, from 1; resolves when the coordinator has taken it. Where `send` throws, nothing is kept. */
  async open(send: (number: number) => void): Promise<void> {
    const number = ++this.#number;
    send(number);
    return new Promise<void>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
    });
  }

  answer(number: number, error: MainstemError | undefined): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(error);
  }

  /** The connection is gone: nothing more will come for any of them. */
  close(error: MainstemError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
