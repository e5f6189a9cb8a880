import type { MainstemError } from '../errors.ts';
import type { ReportMessage } from '../protocol/messages.ts';

interface Waiting {
  readonly report: ReportMessage;
  resolve(): void;
  reject(error: Error): void;
}

/** The reports of a child that the coordinator has not answered yet, by number. Sent again, they replace themselves. */
export class SentReports {
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;

  /** Sends under the next number, from 1; resolves when the coordinator has it. Where `send` throws, nothing is kept. */
  async open(template: ReportMessage, send: (report: ReportMessage) => void): Promise<void> {
    const report = { ...template, number: ++this.#number };
    send(report);
    return new Promise<void>((resolve, reject) => {
      this.#waiting.set(report.number, { report, resolve, reject });
    });
  }

  /** All that are to be sent after a cut. */
  *again(): Generator<ReportMessage> {
    for (const { report } of this.#waiting.values()) yield report;
  }

  answer(number: number, error: MainstemError | undefined): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(error);
  }

  /** It is over: nothing more will come for any of them. */
  close(error: MainstemError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
