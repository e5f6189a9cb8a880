type Bytes = Uint8Array<ArrayBuffer>;

/** Something that waits to be fetched. */
export interface Part {
  readonly bytes: Bytes;
  /** What it is, for requests that wait for one thing; undefined where nobody can tell. */
  readonly key?: string;
  /** Whoever waits for something else may wait in vain: this is answered at once. */
  readonly isUrgent?: boolean;
  /** It makes an earlier one with its key worthless. */
  readonly isLatestOnly?: boolean;
}

/** What an answer says besides its parts. */
export interface AnswerHead {
  /** Only of the answer to a connect: the name of the new connection. */
  readonly connection?: string;
  /** With it: after so many milliseconds without a request the connection is given up. */
  readonly idleTimeoutMs?: number;
  /** Number of the last part. */
  readonly after: number;
  /** The coordinator has closed the connection, and this is the last of it. */
  readonly isClosed: boolean;
}

/** How the bodies of one connection are written: there is one for each, and it may remember what has come. */
export interface BodyFormat {
  readonly contentType: string;
  /** Whether compression makes its bodies much shorter. */
  readonly isCompressible: boolean;
  /** The frames of a request. Throws MainstemError where it makes no sense; then it is as if it had not come. */
  read(body: Bytes): Bytes[];
  /** What goes into an answer for a frame; undefined for what the other end need not see. */
  take(frame: Bytes): Part | undefined;
  /** The body of an answer; undefined where there is nothing to say. */
  join(parts: readonly Part[], head: AnswerHead): Bytes | undefined;
  /** A request without a body has come: what tells a link that somebody is there. */
  sign(): Bytes | undefined;
}

/** Parts one behind the other. */
export function concatenate(parts: readonly Part[]): Bytes {
  let length = 0;
  for (const { bytes } of parts) length += bytes.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const { bytes } of parts) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}
