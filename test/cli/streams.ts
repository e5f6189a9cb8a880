import { Writable } from 'node:stream';

/** A stream that keeps what is written to it. */
export class Sink extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;

  constructor(isTTY = false) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  /** As a colour terminal answers, for `isTTY`. */
  getColorDepth(): number {
    return 8;
  }

  /** As node:readline asks a terminal to. */
  cursorTo(): boolean {
    return true;
  }
}
