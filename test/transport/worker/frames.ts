// For workers too, which know no 'mainstem'.
import { decodeFrame, encodeFrame } from '../../../src/transport/frame.ts';
import type { Connection } from '../../../src/transport/Transport.ts';

/** Resolves when the condition holds; the runner's own limit of time ends what never will. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A frame with this payload. */
export function frameWith(payload: Uint8Array, number = 0): Uint8Array<ArrayBuffer> {
  const head = { kind: 16, flags: 0, channel: 0, number, totalLength: payload.length };
  return encodeFrame(head, new Uint8Array(0), payload);
}

/** What a connection has received. */
export interface Heard {
  readonly payloads: Uint8Array[];
  readonly closes: (Error | undefined)[];
  drains: number;
}

/** Receives from now on; `first` is called at the first frame. */
export function record(connection: Connection, first = (): void => {}): Heard {
  const heard: Heard = { payloads: [], closes: [], drains: 0 };
  connection.receive({
    frame: (bytes) => {
      heard.payloads.push(decodeFrame(bytes).payload);
      if (heard.payloads.length === 1) first();
    },
    drained: () => {
      heard.drains++;
    },
    closed: (error) => heard.closes.push(error),
  });
  return heard;
}
