/** Lets errors be recognised across copies of the package, where `instanceof` cannot. */
const brand = Symbol.for('mainstem.error');

/** The root of every error that mainstem raises. `code` is stable; messages say what was got and expected. */
export class MainstemError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for any MainstemError, also one made by another copy of the package. */
export function isMainstemError(value: unknown): value is MainstemError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** An option has a value that is not allowed, or options contradict each other. */
export class InvalidOptionError extends MainstemError {
  constructor(message: string) {
    super('INVALID_OPTION', message);
  }
}

/** Features or labels are empty, ragged, not finite, or do not fit each other or the model. */
export class InvalidDataError extends MainstemError {
  constructor(message: string) {
    super('INVALID_DATA', message);
  }
}

/** A label is not among the model's classes. */
export class UnknownLabelError extends MainstemError {
  constructor(message: string) {
    super('UNKNOWN_LABEL', message);
  }
}

/** Two sets of named tensors differ in names, shapes or number of values. */
export class LayoutMismatchError extends MainstemError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('LAYOUT_MISMATCH', message, options);
  }
}

/** The tensors have equal shapes, but the models behind them differ (activation, loss, classes …). */
export class ArchitectureMismatchError extends MainstemError {
  constructor(message: string) {
    super('ARCHITECTURE_MISMATCH', message);
  }
}

/** NaN or Infinity where a finite number is needed. */
export class NonFiniteError extends MainstemError {
  constructor(message: string) {
    super('NON_FINITE', message);
  }
}

/** The model has no parameters yet. */
export class NotTrainedError extends MainstemError {
  constructor(message: string) {
    super('NOT_TRAINED', message);
  }
}

/** `getGradients` was called, but no training has saved any. */
export class NoGradientsError extends MainstemError {
  constructor(message: string) {
    super('NO_GRADIENTS', message);
  }
}

/** A training is under way: it must end before this call. */
export class ModelBusyError extends MainstemError {
  constructor(message: string) {
    super('MODEL_BUSY', message);
  }
}

/** The cost or the parameters stopped being finite during training. The model is as it was before. */
export class DivergedError extends MainstemError {
  readonly iteration: number;

  constructor(iteration: number, message: string) {
    super('DIVERGED', message);
    this.iteration = iteration;
  }
}

/** Messages went on changing; `residual` is by how much in the last round. */
export class DidNotConvergeError extends MainstemError {
  readonly residual: number;

  constructor(residual: number, message: string) {
    super('DID_NOT_CONVERGE', message);
    this.residual = residual;
  }
}

/** A linear system has no unique solution. */
export class SingularMatrixError extends MainstemError {
  constructor(message: string) {
    super('SINGULAR_MATRIX', message);
  }
}

/** Training was stopped by its signal. What was learnt until then is kept. */
export class AbortedError extends MainstemError {
  constructor(message: string, cause?: unknown) {
    super('ABORTED', message, { cause });
  }
}

/** A coordinator was asked for main parameters, or to change them, before it had any. */
export class NoMainParametersError extends MainstemError {
  constructor(message: string) {
    super('NO_MAIN_PARAMETERS', message);
  }
}

/** The weights of a merge add up to 0, or one is negative or not finite. */
export class InvalidWeightError extends MainstemError {
  constructor(message: string) {
    super('INVALID_WEIGHT', message);
  }
}

/** An update with this sequence number was folded in before. */
export class DuplicateUpdateError extends MainstemError {
  constructor(message: string) {
    super('DUPLICATE_UPDATE', message);
  }
}

/** An update comes from an older session of the child than the newest one known. */
export class StaleSessionError extends MainstemError {
  constructor(message: string) {
    super('STALE_SESSION', message);
  }
}

/** A child gave a second update to a round that takes one from each child. */
export class AlreadyContributedError extends MainstemError {
  constructor(message: string) {
    super('ALREADY_CONTRIBUTED', message);
  }
}

/** An update started from a main that is too old for the coordinator's mode. */
export class StaleUpdateError extends MainstemError {
  constructor(message: string) {
    super('STALE_UPDATE', message);
  }
}

/** A round asks other children than this one. */
export class NotSelectedError extends MainstemError {
  constructor(message: string) {
    super('NOT_SELECTED', message);
  }
}

/** A child has given as many updates more than the slowest one as it may. */
export class TooFarAheadError extends MainstemError {
  constructor(message: string) {
    super('TOO_FAR_AHEAD', message);
  }
}

/** Thrown by a plugin's hook to refuse a child, an update or a merge. */
export class UpdateRefusedError extends MainstemError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('UPDATE_REFUSED', message, options);
  }
}

/** The update was taken in, but given up before it reached main (`reset`, `clearGradients`, `close`). */
export class UpdateDiscardedError extends MainstemError {
  constructor(message: string) {
    super('UPDATE_DISCARDED', message);
  }
}

/** A hook of a plugin failed; `cause` is what it threw. */
export class PluginError extends MainstemError {
  /** Name of the plugin. */
  readonly plugin: string;
  readonly hook: string;

  constructor(plugin: string, hook: string, message: string, cause?: unknown) {
    super('PLUGIN_FAILED', message, { cause });
    this.plugin = plugin;
    this.hook = hook;
  }
}

/** A stated limit (see limits.ts) was reached. */
export class LimitExceededError extends MainstemError {
  constructor(message: string) {
    super('LIMIT_EXCEEDED', message);
  }
}

/** Stored or received JSON or bytes do not have the form that was expected. */
export class MalformedDataError extends MainstemError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('MALFORMED_DATA', message, options);
  }
}

/** A file format, or the part of it that mainstem writes, has no way to say what this model computes. */
export class UnsupportedModelError extends MainstemError {
  constructor(message: string) {
    super('UNSUPPORTED_MODEL', message);
  }
}

/** The store refused a read or a commit. */
export class StoreError extends MainstemError {
  constructor(message: string, cause?: unknown) {
    super('STORE_FAILED', message, { cause });
  }
}

/** The connection or the transport is closed. */
export class ConnectionClosedError extends MainstemError {
  constructor(message: string) {
    super('CONNECTION_CLOSED', message);
  }
}

/** Frames were lost, or nothing has come for too long: the connection is given up, and the child comes back. */
export class BrokenConnectionError extends MainstemError {
  constructor(message: string) {
    super('CONNECTION_BROKEN', message);
  }
}

/** A checksum does not fit: bytes were changed on their way. */
export class CorruptFrameError extends MainstemError {
  constructor(message: string) {
    super('CORRUPT_FRAME', message);
  }
}

/**
 * The coordinator knows nothing of the session any more: updates that were sent and not acknowledged may be part of
 * main, or not.
 */
export class SessionLostError extends MainstemError {
  constructor(message: string) {
    super('SESSION_LOST', message);
  }
}

/** Who asks is not who may. */
export class AuthenticationError extends MainstemError {
  constructor(message: string) {
    super('AUTHENTICATION_FAILED', message);
  }
}

/** Nobody listens where a child wants to connect, or the coordinator refused the handshake. */
export class ConnectionRefusedError extends MainstemError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('CONNECTION_REFUSED', message, options);
  }
}

/** The other side answered with an error; `code` is the code that it gave. */
export class RemoteError extends MainstemError {}

/** A part written by a user does not keep its contract (see mainstem/testing). */
export class ContractViolationError extends MainstemError {
  constructor(message: string) {
    super('CONTRACT_VIOLATED', message);
  }
}

/** A simulation failed (see mainstem/testing). `seed` replays it; `cause` is what failed. */
export class SimulationError extends MainstemError {
  readonly seed: number;

  constructor(seed: number, message: string, cause: unknown) {
    super('SIMULATION_FAILED', message, { cause });
    this.seed = seed;
  }
}

/** A formula is not one: `column`, from 1, is where it breaks. */
export class FormulaError extends MainstemError {
  readonly column: number;

  constructor(column: number, message: string, options?: { cause?: unknown }) {
    super('INVALID_FORMULA', message, options);
    this.column = column;
  }
}

/** A thread of mainstem/threads could not be started, or failed. All of its kind were ended. */
export class ThreadFailedError extends MainstemError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('THREAD_FAILED', message, options);
  }
}

/** The threads of mainstem/threads were closed, before the call or during it. */
export class ThreadsClosedError extends MainstemError {
  constructor(message: string) {
    super('THREADS_CLOSED', message);
  }
}

/** A worker that ran a child's module could not be started, or failed; `cause` is what happened in it. */
export class WorkerFailedError extends MainstemError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('WORKER_FAILED', message, options);
  }
}

/** Makes whatever was thrown an Error, for places that must report it. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  try {
    return new Error(String(thrown));
  } catch {
    return new Error('something that cannot be written as text was thrown');
  }
}

/** Errors of mainstem pass; anything else that a user's code threw is wrapped, so that it has a code. */
export function toMainstemError(thrown: unknown): MainstemError {
  if (isMainstemError(thrown)) return thrown;
  return new MainstemError('FAILED', toError(thrown).message, { cause: thrown });
}
