import type { Clock } from '../clock.ts';
import type { Compression } from '../compression/Compression.ts';
import { requireCompression } from '../compression/Compression.ts';
import { InvalidOptionError } from '../errors.ts';
import { idLengthMax } from '../limits.ts';
import type { Logger } from '../logger.ts';
import type { Model } from '../models/Model.ts';
import type { Random } from '../random.ts';
import { show } from '../show.ts';
import type { ClientTransport } from '../transport/Transport.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { ReconnectOptions } from './reconnectOptions.ts';

/** Options of `Child.connect`. */
export interface ChildOptions {
  /** The way to the coordinator; a SharedConnection where many children share one. */
  transport: ClientTransport;
  /** The model that this child trains. */
  model: Model;
  /** Its name, unique among the children of a coordinator. */
  childId: string;
  /** Which coordinator; `'default'` unless given. */
  federation?: string;
  /** Proves to the coordinator's `authenticate` who this is; none unless given. */
  token?: string;
  /** How it comes back when its connection breaks, and true unless given; false: it does not. */
  reconnect?: boolean | ReconnectOptions;
  /** A connection without a welcome by then has failed, in milliseconds; 30,000. */
  connectTimeoutMs?: number;
  /**
   * How long a training may take that holds this thread up (`train` of a model without `trainAsync`), in milliseconds;
   * 600,000. The coordinator waits so long for signs of life.
   */
  busyMs?: number;
  /** How updates are packed: `compression()` of mainstem/compression. Updates are sent as they are, unless given. */
  compression?: Compression;
  /** What `saveState` of an earlier child with this id gave; nothing unless given. */
  savedState?: Uint8Array<ArrayBuffer>;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
  /** Where the name of the session and the waits between connections come from; the platform unless given. */
  random?: Random;
  /** Where errors go that nobody listens to; silent unless given. */
  logger?: Logger;
}

const childOptionNames = [
  'transport',
  'model',
  'childId',
  'federation',
  'token',
  'reconnect',
  'connectTimeoutMs',
  'busyMs',
  'compression',
  'savedState',
  'clock',
  'random',
  'logger',
];

/** Throws InvalidOptionError unless there is all that a child needs. */
export function checkChildOptions(options: ChildOptions): void {
  refuseUnknownOptions(options, childOptionNames, 'Child.connect');
  const { transport, model, childId } = options;
  if (typeof transport?.connect !== 'function') {
    throw new InvalidOptionError(
      'Child.connect needs a transport: Child.connect({ transport, model, childId })',
    );
  }
  if (typeof model?.getModelParameters !== 'function') {
    throw new InvalidOptionError('Child.connect needs a model: Child.connect({ transport, model, childId })');
  }
  if (options.compression !== undefined) requireCompression(options.compression);
  if (options.savedState !== undefined && !(options.savedState instanceof Uint8Array)) {
    throw new InvalidOptionError(`savedState is ${show(options.savedState)}, expected what saveState gave`);
  }
  if (typeof childId !== 'string' || childId.length === 0 || childId.length > idLengthMax) {
    throw new InvalidOptionError(`childId is ${show(childId)}, expected 1 to ${idLengthMax} characters`);
  }
}
