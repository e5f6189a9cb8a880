import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { Compression } from '../compression/Compression.ts';
import { requireCompression } from '../compression/Compression.ts';
import { InvalidOptionError } from '../errors.ts';
import type { CoordinatorLimits } from '../limits.ts';
import { defaultCoordinatorLimits, resumeMsDefault } from '../limits.ts';
import type { Logger } from '../logger.ts';
import { guardedLogger, silentLogger } from '../logger.ts';
import type { Random } from '../random.ts';
import { platformRandom } from '../random.ts';
import { show } from '../show.ts';
import { noStore } from '../storage/noStore.ts';
import type { Store } from '../storage/Store.ts';

/** Who does the work: the call that adds an update, a loop that calls `tick`, or timers after `start`. */
export type Drive = 'immediate' | 'tick' | 'timers';

/** What a child says of itself when it wants to join. */
export interface JoinRequest {
  readonly federation: string;
  readonly childId: string;
  /** What the option `token` of the child is, or null. */
  readonly token: string | null;
  /** Who is at the other end, as its transport says. */
  readonly peer: string;
}

/** True lets a child in. What it throws, or rejects with, keeps it out and is reported. */
export type Authenticate = (request: JoinRequest) => boolean | Promise<boolean>;

/** How a coordinator closes. */
export interface CloseOptions {
  /** Children may come back after so many milliseconds; not at all unless given. */
  returnAfterMs?: number | null;
}

/** Options of every coordinator. */
export interface CoordinatorOptions {
  /** `'immediate'` unless given. */
  drive?: Drive;
  /** Name that children join by, and prefix of the keys in the store; `'default'` unless given. */
  federation?: string;
  /**
   * Number of this layout of the federation's parameters, 0 unless given: a part of the keys in the store. See
   * CoordinatorHost.
   */
  generation?: number;
  /**
   * Tensors that are federated, as names or beginnings of names followed by `*`; the rest stays with each child. All
   * unless given.
   */
  sharedTensors?: readonly string[];
  /** What survives a crash; nothing does unless given. */
  store?: Store;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
  /** Where errors go that nobody listens to; silent unless given. */
  logger?: Logger;
  /** Changes to the default limits. */
  limits?: Partial<CoordinatorLimits>;
  /** How long a child whose connection broke counts as there and may come back, in milliseconds; 60,000. */
  resumeMs?: number;
  /** Whether a child that wants to join is who it says; asked before anything is remembered of it. All, unless given. */
  authenticate?: Authenticate;
  /** Where the names of sessions come from; the platform unless given. */
  random?: Random;
  /** How updates and main are packed on their way over connections: see mainstem/compression. Not at all unless given. */
  compression?: Compression;
  /** With `drive: 'timers'`: milliseconds between turns, 10, and the longest turn, 4. */
  timers?: { intervalMs?: number; budgetMs?: number };
}

/** Options with every default in place. */
export type ResolvedCoordinatorOptions = Required<
  Omit<CoordinatorOptions, 'limits' | 'timers' | 'sharedTensors' | 'authenticate' | 'compression'>
> & {
  readonly authenticate: Authenticate | undefined;
  readonly compression: Compression | undefined;
  readonly sharedTensors: readonly string[] | undefined;
  readonly limits: CoordinatorLimits;
  readonly timers: { intervalMs: number; budgetMs: number };
};

const names = [
  'drive',
  'federation',
  'generation',
  'sharedTensors',
  'store',
  'clock',
  'logger',
  'limits',
  'resumeMs',
  'authenticate',
  'random',
  'compression',
  'timers',
];

/** Fills the defaults in. Throws InvalidOptionError for an illegal value and for a name that is no option. */
export function resolveCoordinatorOptions(
  options: CoordinatorOptions,
  own: readonly string[],
): ResolvedCoordinatorOptions {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(`options are ${show(options)}, expected an object`);
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name) || own.includes(name)) continue;
    throw new InvalidOptionError(`there is no option ${name}; options are ${[...own, ...names].join(', ')}`);
  }
  const { drive = 'immediate', federation = 'default', generation = 0, timers = {} } = options;
  if (drive !== 'immediate' && drive !== 'tick' && drive !== 'timers') {
    throw new InvalidOptionError(`drive is ${show(drive)}, expected 'immediate', 'tick' or 'timers'`);
  }
  if (typeof federation !== 'string' || federation === '' || /\p{Surrogate}/u.test(federation)) {
    throw new InvalidOptionError(`federation is ${show(federation)}, expected a name`);
  }
  if (!(Number.isSafeInteger(generation) && generation >= 0)) {
    throw new InvalidOptionError(`generation is ${show(generation)}, expected a whole number, 0 or more`);
  }
  const limits = { ...defaultCoordinatorLimits, ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(defaultCoordinatorLimits, name))
      throw new InvalidOptionError(`there is no limit ${name}`);
    if (!(value >= 0))
      throw new InvalidOptionError(`limit ${name} is ${value}, expected a number, 0 or more`);
  }
  const { resumeMs = resumeMsDefault, authenticate, random = platformRandom() } = options;
  if (!(resumeMs >= 0))
    throw new InvalidOptionError(`resumeMs is ${resumeMs}, expected milliseconds, 0 or more`);
  if (authenticate !== undefined && typeof authenticate !== 'function')
    throw new InvalidOptionError(`authenticate is ${show(authenticate)}, expected a function`);
  const { compression } = options;
  if (compression !== undefined) requireCompression(compression);
  const { sharedTensors, store = noStore, clock = systemClock, logger = silentLogger } = options;
  requireMethods(store, ['get', 'keys', 'batch', 'close'], 'store');
  requireClock(clock, 'clock');
  requireMethods(logger, ['debug', 'info', 'warn', 'error'], 'logger');
  const { intervalMs = 10, budgetMs = 4, ...others } = timers;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw new InvalidOptionError(`timers have no ${unknown}; they have intervalMs, budgetMs`);
  if (!(intervalMs >= 0 && budgetMs > 0)) {
    throw new InvalidOptionError(
      `timers are every ${intervalMs} ms for ${budgetMs} ms, expected 0 or more and above 0`,
    );
  }
  return {
    drive,
    federation,
    generation,
    sharedTensors,
    store,
    clock,
    logger: guardedLogger(logger),
    limits,
    resumeMs,
    authenticate,
    random,
    compression,
    timers: { intervalMs, budgetMs },
  };
}

/** Throws InvalidOptionError unless the value is a whole number, 1 or more. */
export function checkCount(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidOptionError(`${name} is ${value}, expected a whole number, 1 or more`);
}

/** Throws InvalidOptionError unless the value is a clock. */
export function requireClock(clock: Clock, name: string): Clock {
  requireMethods(clock, ['now', 'schedule', 'yieldTurn'], name);
  return clock;
}

/** Throws InvalidOptionError unless a part of the user's own has what its contract asks for. */
export function requireMethods(part: object, methods: readonly string[], name: string): void {
  const missing = methods.find((method) => typeof (part as Record<string, unknown>)?.[method] !== 'function');
  if (missing === undefined) return;
  throw new InvalidOptionError(`${name} has no method ${missing}; it needs ${methods.join(', ')}`);
}
