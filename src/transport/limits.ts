/** Limits of WebSocket transports. */
export const webSocketLimits: Readonly<{
  messageBytesMax: number;
  gatheredFrameBytesMax: number;
  gatheredBytesMax: number;
  joinedFrameBytesMax: number;
  clientBufferedBytesMax: number;
  serverBufferedBytesMax: number;
  serverTotalBufferedBytesMax: number;
  unreadBytesMax: number;
  connectionsMax: number;
  connectionsPerAddressMax: number;
  attemptsPerMinuteMax: number;
  addressesMax: number;
  silentMax: number;
  silentPerAddressMax: number;
  connectTimeoutMs: number;
  handshakeTimeoutMs: number;
  closeTimeoutMs: number;
}> = Object.freeze({
  // One frame with the most metadata and the longest piece of a payload. More: the connection is closed.
  messageBytesMax: 1_310_720,
  // Frames up to this length that are sent in one turn travel in one message
  gatheredFrameBytesMax: 4_096,
  // of up to so many bytes. One up to this length goes out at once, in one message with those before it:
  gatheredBytesMax: 65_536,
  // what waits for the end of a turn on ten thousand connections is memory.
  joinedFrameBytesMax: 16_384,
  // Bytes that may wait to be sent on one connection. Beyond: `send` throws LimitExceededError.
  clientBufferedBytesMax: 2 ** 28,
  serverBufferedBytesMax: 2 ** 25,
  // The same on all connections of a server together. Beyond: the one on which most waits is ended.
  serverTotalBufferedBytesMax: 2 ** 29,
  // Bytes that may come before anybody reads a connection. More: it is ended.
  unreadBytesMax: 2 ** 23,
  // Connections at once. More: HTTP 503; of one address: HTTP 429,
  connectionsMax: 16_384,
  connectionsPerAddressMax: 256,
  // which is also the answer to more attempts of one address in a minute than these.
  attemptsPerMinuteMax: 6_000,
  // Addresses of which anything is remembered. Beyond: those without a connection are forgotten.
  addressesMax: 65_536,
  // Sockets, in all and of one address, that may be there without being a WebSocket yet. More: they are ended.
  silentMax: 1_024,
  silentPerAddressMax: 64,
  // How long a client waits for its connection, a server for a request and its authentication, both for the other to close.
  connectTimeoutMs: 10_000,
  handshakeTimeoutMs: 2_000,
  closeTimeoutMs: 2_000,
});

/** Limits of HTTP transports. */
export const httpLimits: Readonly<{
  bodyBytesMax: number;
  bodiesBytesMax: number;
  inflationMax: number;
  answerBytesMax: number;
  compressedBytesMin: number;
  bufferedBytesMax: number;
  bufferedBytesTotalMax: number;
  pushBytesMax: number;
  clientBufferedBytesMax: number;
  clientAnswerBytesMax: number;
  connectionsPerAddressMax: number;
  connectionsMax: number;
  waitMsMax: number;
  waitMsDefault: number;
  idleTimeoutMs: number;
  bodyTimeoutMs: number;
  handshakeTimeoutMs: number;
  closeTimeoutMs: number;
  requestTimeoutMs: number;
  attemptsMax: number;
  retryMs: number;
}> = Object.freeze({
  // Bytes of one request, before and after decompression. More: HTTP 413.
  bodyBytesMax: 2 ** 24,
  // Of all requests that are being read. More: HTTP 503.
  bodiesBytesMax: 2 ** 28,
  // No deflated byte becomes more than so many (RFC 1951: 258 bytes in two bits).
  inflationMax: 1_032,
  // An answer holds one message at least, and no more after that once it is so long.
  answerBytesMax: 2 ** 20,
  // Shorter answers are not compressed.
  compressedBytesMin: 1_024,
  // Bytes that wait for one child to fetch them, and for all children of a server. Beyond: it is disconnected.
  bufferedBytesMax: 2 ** 25,
  bufferedBytesTotalMax: 2 ** 29,
  // A child pushes so much at once, or a single larger frame;
  pushBytesMax: 2 ** 20,
  // so much may wait in it. Beyond: `send` throws LimitExceededError.
  clientBufferedBytesMax: 2 ** 28,
  // It reads no longer answer.
  clientAnswerBytesMax: 2 ** 23,
  // Connections of one address at once. More: HTTP 429.
  connectionsPerAddressMax: 256,
  // Connections of one server at once, those included that are closed and not fetched yet. More: HTTP 503.
  connectionsMax: 20_000,
  // How long a request may wait for news; a longer wish counts as this. What a child of this package asks for.
  waitMsMax: 55_000,
  waitMsDefault: 25_000,
  // A connection without a request for so long is given up.
  idleTimeoutMs: 60_000,
  // A body must have come by then: HTTP 408. Headers and authentication have less time.
  bodyTimeoutMs: 15_000,
  handshakeTimeoutMs: 2_000,
  // How long a listener that closes waits for its children to fetch what waits for them.
  closeTimeoutMs: 2_000,
  // A request that is not answered so long after it may be has failed,
  requestTimeoutMs: 15_000,
  // and is tried so often, after a pause that doubles. Then the connection is given up.
  attemptsMax: 4,
  retryMs: 250,
});

/** Limits of worker transports. */
export const workerLimits: Readonly<{
  gatheredBytesMax: number;
  acknowledgedBytesMin: number;
  bufferedBytesMax: number;
  connectionsPerWorkerMax: number;
  connectTimeoutMs: number;
}> = Object.freeze({
  // Frames that are sent in one turn travel in one message of so many bytes; what exceeds them begins another.
  gatheredBytesMax: 65_536,
  // A receiver says at once when it has taken so many bytes, and of fewer when its turn ends.
  acknowledgedBytesMin: 32_768,
  // Bytes that may wait on one connection. Beyond: `send` throws LimitExceededError.
  bufferedBytesMax: 2 ** 28,
  // Connections of one worker at once. More: ConnectionRefusedError.
  connectionsPerWorkerMax: 1_024,
  // How long a worker waits for an answer to `connect`.
  connectTimeoutMs: 10_000,
});

/** Bytes that may wait on one in-process connection. Beyond: `send` throws LimitExceededError. */
export const inProcessBufferedBytesMax: number = 2 ** 30;
