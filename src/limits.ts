/**
 * Every limit, its default, and what happens at it. A coordinator takes changes through its `limits` option.
 */
export interface CoordinatorLimits {
  /** Children known at once. At the limit a new child's update is refused. */
  childrenMax: number;
  /** Children whose latest parameters are kept (a parameters coordinator without `childUpdatesPerMerge`). Refused. */
  keptChildrenMax: number;
  /** Updates without any identity that are kept in the same mode. Refused. */
  keptAnonymousMax: number;
  /** Updates that wait to be folded in (`drive: 'tick'` or `'timers'`). Refused. */
  queuedUpdatesMax: number;
  /** Updates that are in main and wait for the store. At the limit updates are refused. */
  uncommittedUpdatesMax: number;
  /** Rows that one update may claim. Refused, never clamped: a claim is a weight. */
  sampleCountMax: number;
  /** Connections served at once, joined or not. A new one is closed. */
  connectionsMax: number;
  /**
   * Published mains that are kept as what packed parameters may start from (a parameters coordinator with `compression`).
   * An update from an older one is refused (`STALE_UPDATE`).
   */
  keptMainsMax: number;
  /** Updates that one remote child may send in a second, on average over the last one. Refused. */
  updatesPerSecondMax: number;
}

/** The defaults of CoordinatorLimits. */
export const defaultCoordinatorLimits: Readonly<CoordinatorLimits> = Object.freeze({
  childrenMax: 16_384,
  keptChildrenMax: 256,
  keptAnonymousMax: 64,
  queuedUpdatesMax: 1_024,
  uncommittedUpdatesMax: 65_536,
  sampleCountMax: 1e9,
  connectionsMax: 16_384,
  keptMainsMax: 32,
  updatesPerSecondMax: Number.POSITIVE_INFINITY,
});

/** How far behind the newest sequence number of a child an update may arrive and still be told from a duplicate. */
export const sequenceWindow = 1_024;

/** Mains of a posteriors coordinator of which it is known who has said what, while they are not published. Beyond: the oldest is not. */
export const unpublishedMainsMax = 256;

/** Updates that are committed together while commits are held. At the limit they are written all the same. */
export const heldUpdatesMax = 1_024;

/** Limits of a parameter layout. Beyond them: LimitExceededError. */
export const layoutLimits: Readonly<{
  tensorsMax: number;
  nameLengthMax: number;
  nameLengthsMax: number;
  rankMax: number;
  valuesMax: number;
}> = Object.freeze({
  tensorsMax: 4_096,
  nameLengthMax: 256,
  // All names together: a layout must fit into the metadata of a frame.
  nameLengthsMax: 65_536,
  rankMax: 8,
  valuesMax: 2 ** 28,
});

/** Limits of a frame. Beyond them the frame is refused before anything is allocated. */
export const frameLimits: Readonly<{ metadataBytesMax: number; payloadBytesMax: number }> = Object.freeze({
  metadataBytesMax: 1 << 20,
  payloadBytesMax: 2 ** 31,
});

/**
 * Bytes of parameters and buffers that the kernels of a thread keep for predictions from one call to the next, for all
 * models together. At the limit those that were unused longest go, and are copied in again when they are needed; a
 * model that is larger is copied in for each prediction.
 */
export const residentPredictorBytesMax: number = 2 ** 26;

/** How long after a failed commit the store is tried again, in milliseconds. */
export const storeRetryMs = 1_000;

/** How long a plugin may think about whether a main is published, in milliseconds. Then that version is kept back. */
export const publicationWaitMsMax = 30_000;

/** Characters of an architecture as JSON. More: LimitExceededError. */
export const architectureLengthMax = 262_144;

/** Characters of an error's message when it travels; the rest is cut off. */
export const wireMessageLengthMax = 1_000;

/** Length of a child id or a federation name, in UTF-16 units. Longer: refused. */
export const idLengthMax = 256;

/** Layouts that one connection may announce. More: the connection is closed. */
export const layoutsPerConnectionMax = 16;

/** How main is published to remote children. See Publications. */
export const publicationLimits: Readonly<{
  quietMsMax: number;
  sliceMs: number;
  bytesPerMs: number;
  pauseFactor: number;
}> = Object.freeze({
  // So long it waits at most for a turn without updates: a child that uses what it gets has it with its commit anyway.
  quietMsMax: 50,
  // After so long the event loop has its turn.
  sliceMs: 2,
  // It counts as work for as long as it took, or as so many bytes take;
  bytesPerMs: 2 ** 20,
  // and so many times as long the next one waits: a fifth of the time at most is spent on it.
  pauseFactor: 4,
});

/** How long a child whose connection broke counts as there, in milliseconds; then it is counted out. */
export const resumeMsDefault = 60_000;

/** A child that comes back while its coordinator is being restored is asked to come again after so many milliseconds. */
export const restoringAwayMs = 1_000;

/** Ends of updates and reports that a child waits for at once. Beyond: its `send` waits. */
export const unsettledUpdatesMax = 1_024;

/** Numbers that say where a main differs from the one before. More: it is sent whole. */
export const valueRunsMax = 4_094;

/** Limits of the fields of a message. Beyond them: MalformedDataError. */
export const wireMetadataLimits: Readonly<{
  listLengthMax: number;
  listDepthMax: number;
  jsonDepthMax: number;
  tokenLengthMax: number;
  compressionLengthMax: number;
}> = Object.freeze({
  // Tensors of a layout are the longest list,
  listLengthMax: 4_096,
  // and a shape in a layout in a hello is the deepest; a later version may need more.
  listDepthMax: 16,
  // Lists and objects in each other in the JSON of an architecture or a report.
  jsonDepthMax: 64,
  tokenLengthMax: 4_096,
  // How updates are to be packed, as JSON.
  compressionLengthMax: 1_024,
});

/** Limits of a connection and of the conversations on it. */
export const linkLimits: Readonly<{
  chunkBytes: number;
  lowWaterBytes: number;
  highWaterBytes: number;
  queuedMessagesMax: number;
  queuedBytesMax: number;
  unfinishedBytesMax: number;
  channelsMax: number;
  channelNumberMax: number;
  heartbeatMs: number;
  silentBeatsMax: number;
  leaseMsMax: number;
  handshakeMsMax: number;
}> = Object.freeze({
  // A larger payload travels in pieces of so many bytes: a heartbeat waits for one of them at most.
  chunkBytes: 131_072,
  // So little waits on a connection when it counts as drained,
  lowWaterBytes: 65_536,
  // and so much when the link hands it nothing more.
  highWaterBytes: 524_288,
  // Messages and bytes that wait in one channel. Beyond: `send` throws LimitExceededError.
  queuedMessagesMax: 4_096,
  queuedBytesMax: 2 ** 31,
  // Messages of which parts have come, over all connections of a listener. Beyond: that conversation is refused.
  unfinishedBytesMax: 2 ** 29,
  // Conversations on one connection at once. Beyond: the connection is closed.
  channelsMax: 4_096,
  channelNumberMax: 65_535,
  // A connection on which nothing was sent for so long sends a heartbeat;
  heartbeatMs: 10_000,
  // one on which nothing has come for so many of these is given up.
  silentBeatsMax: 3,
  // The longest time for which the other end may say that it is busy. A longer one counts as this.
  leaseMsMax: 3_600_000,
  // A connection on which nobody has said who they are by then is closed.
  handshakeMsMax: 10_000,
});

/** Patterns in one list of tensors. More: InvalidOptionError. */
export const tensorPatternsMax = 4_096;

/** Learning-rate schedules one in another (`linearWarmUp` with `after`). More: InvalidOptionError. */
export const scheduleDepthMax = 8;

/** Threads of one `createThreads`. More: InvalidOptionError. */
export const threadsMax = 64;

/** Limits of a VirtualNetwork (mainstem/testing). */
export const virtualNetworkLimits: Readonly<{
  /** Frames that may be on their way to one end. Beyond: `send` throws LimitExceededError. */
  framesPerEndMax: number;
  /** Bytes that may be on their way to one end. Beyond: `send` throws LimitExceededError. */
  bytesPerEndMax: number;
  /** Open connections. Beyond: `connect` rejects with LimitExceededError. */
  connectionsMax: number;
  /** Links with faults of their own. Beyond: LimitExceededError. */
  linksMax: number;
  /** Partitions at once. Beyond: LimitExceededError. */
  partitionsMax: number;
  /** Events that are remembered; the oldest is forgotten. */
  traceEventsMax: number;
}> = Object.freeze({
  framesPerEndMax: 16_384,
  bytesPerEndMax: 2 ** 28,
  connectionsMax: 16_384,
  linksMax: 65_536,
  partitionsMax: 64,
  traceEventsMax: 1_000,
});

/** Limits of driving virtual time. At each of them it stops and says so. */
export const simulationLimits: Readonly<{
  /** Virtual milliseconds, unless given: an hour. */
  timeLimitMs: number;
  /** Timers that may run, unless given: a loop without delay never reaches a limit of time. */
  timersMax: number;
  /** Turns that the real event loop gets, with nothing left to happen, before `settle` believes it. */
  quietTurnsMax: number;
  /** The same for a simulation whose run has not ended: it may be in `settle`, or its model may train. */
  idleTurnsMax: number;
}> = Object.freeze({ timeLimitMs: 3_600_000, timersMax: 1_000_000, quietTurnsMax: 20, idleTurnsMax: 1_000 });

/** Limits of feature statistics, preprocessing and evaluations. Beyond them: LimitExceededError, MalformedDataError in JSON. */
export const tableLimits: Readonly<{
  columnsMax: number;
  outputsMax: number;
  categoriesMax: number;
  classesMax: number;
  textLengthMax: number;
  rowsMax: number;
}> = Object.freeze({
  // Raw columns, and outputs of a regression.
  columnsMax: 4_096,
  // Columns after one-hot encoding.
  outputsMax: 65_536,
  // Categories of one column.
  categoriesMax: 1_024,
  // Classes of an evaluation: its confusion matrix has the square of them.
  classesMax: 1_024,
  // Length of a category or class, in UTF-16 units.
  textLengthMax: 256,
  // Rows in one set of sums; whatever is added up stays a safe integer.
  rowsMax: 1e12,
});

/** Limits of a formula. At them: FormulaError, or LimitExceededError where a derivative grows beyond them. */
export const formulaLimits: Readonly<{
  textLengthMax: number;
  nestingMax: number;
  depthMax: number;
  operationsMax: number;
  partsMax: number;
  printedPartsMax: number;
  variablesMax: number;
  variableLengthMax: number;
}> = Object.freeze({
  textLengthMax: 2_000,
  // Open parentheses and conditionals at one place: each costs the parser some 25 calls of stack.
  nestingMax: 64,
  // Of the tree: a sum of n terms is n deep, and a derivative two or three times as deep as its formula.
  depthMax: 512,
  // Different operations, which is the cost of one value.
  operationsMax: 4_096,
  // Of the tree, equal ones included: what a derivative of a derivative holds in memory.
  partsMax: 16_384,
  // Numbers, names and operations of a derivative's text, where parts that are worked out once come again and again.
  printedPartsMax: 10_000,
  variablesMax: 64,
  variableLengthMax: 64,
});

/** Limits of a safetensors file. Beyond them it is refused: SafetensorsError. A reader may set lower ones. */
export const safetensorsLimits: Readonly<{ headerBytesMax: number; tensorsMax: number }> = Object.freeze({
  // The limit of the format's own reader.
  headerBytesMax: 100_000_000,
  tensorsMax: 65_536,
});

/** Limits of the inbox in the memory of the kernels, where a parameters coordinator keeps what children sent last. */
export const inboxLimits: Readonly<{
  /** Parameters of fewer values are kept in ordinary arrays: they are copied sooner than a memory is made. */
  valuesMin: number;
  /** Bytes of one coordinator's inbox. Beyond: the parameters of further children are kept in ordinary arrays. */
  bytesMax: number;
}> = Object.freeze({ valuesMin: 65_536, bytesMax: 2 ** 30 });

/** Bytes that are read from a file, or written to one, in one go. */
export const fileChunkBytes: number = 2 ** 20;
