/** Headers of answers, where a binary body has no room for it. */
export const answerHeaders: Readonly<{ connection: string; first: string; after: string; closed: string }> =
  Object.freeze({
    /** Name of a new connection. */
    connection: 'mainstem-connection',
    /** Number of the first part. */
    first: 'mainstem-first',
    /** Number of the last part: what the next request says as `after`. */
    after: 'mainstem-after',
    /** The connection is closed, and this is the last of it. */
    closed: 'mainstem-closed',
  });
