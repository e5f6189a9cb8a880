import { hostname } from 'node:os';
import type { ParseArgsConfig } from 'node:util';
import { parseArgs } from 'node:util';
import type { Place } from './crews.ts';
import type { JoinRequest } from './join.ts';
import type { ReplayRequest } from './replay.ts';
import type { ServeRequest } from './serve.ts';
import type { usages } from './usage.ts';

/** A command line that cannot be understood. The message is for whoever typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** The command whose help is of use. */
  readonly command: string;

  constructor(message: string, command: string, options?: ErrorOptions) {
    super(message, options);
    this.command = command;
  }
}

/** What `mainstem demo` is asked for. */
export interface DemoRequest {
  readonly seed: number;
  readonly children: number;
  /** Where the children are. */
  readonly place: Place;
  readonly json: boolean;
}

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'help'; readonly of: keyof typeof usages }
  | { readonly kind: 'version' }
  | ({ readonly kind: 'demo' } & DemoRequest)
  | { readonly kind: 'inspect'; readonly file: string; readonly json: boolean }
  | ({ readonly kind: 'serve' } & ServeRequest)
  | ({ readonly kind: 'join' } & JoinRequest)
  | ({ readonly kind: 'replay'; readonly json: boolean } & ReplayRequest);

const defaultSeed = 1;
const seedMax = 2 ** 32 - 1;
const defaultChildren = 8;
const childrenMin = 2;
const childrenMax = 64;

/** Reads a command line, without node and the script. Throws UsageError. */
export function readArguments(words: readonly string[]): Request {
  const [command, ...rest] = words;
  if (command === 'demo') return readDemo(rest);
  if (command === 'inspect') return readInspect(rest);
  if (command === 'serve') return readServe(rest);
  if (command === 'join') return readJoin(rest);
  if (command === 'replay') return readReplay(rest);
  if (command === undefined || command === 'help') return { kind: 'help', of: 'mainstem' };
  if (!command.startsWith('-')) {
    throw new UsageError(
      `there is no command ${JSON.stringify(command)}; commands are: demo, inspect, serve, join, replay`,
      'mainstem',
    );
  }
  const { version } = read('mainstem', words, {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'v' },
  });
  return version === true ? { kind: 'version' } : { kind: 'help', of: 'mainstem' };
}

function readDemo(words: readonly string[]): Request {
  const {
    seed,
    children,
    json,
    help,
    processes,
    'in-process': inProcess,
  } = read('mainstem demo', words, {
    seed: { type: 'string' },
    children: { type: 'string' },
    processes: { type: 'boolean' },
    'in-process': { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (help === true) return { kind: 'help', of: 'demo' };
  if (processes === true && inProcess === true)
    throw new UsageError('expected --processes or --in-process, got both', 'mainstem demo');
  return {
    kind: 'demo',
    seed: readCount('--seed', seed, { unless: defaultSeed, min: 0, max: seedMax }),
    children: readCount('--children', children, {
      unless: defaultChildren,
      min: childrenMin,
      max: childrenMax,
    }),
    place: processes === true ? 'processes' : inProcess === true ? 'in-process' : 'threads',
    json: json === true,
  };
}

function readInspect(words: readonly string[]): Request {
  const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  const { json, help, positionals } = read('mainstem inspect', words, options, true);
  if (help === true) return { kind: 'help', of: 'inspect' };
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    const got = file === undefined ? 'none' : positionals.map((word) => JSON.stringify(word)).join(', ');
    throw new UsageError(`expected one file, got ${got}`, 'mainstem inspect');
  }
  return { kind: 'inspect', file, json: json === true };
}

function readServe(words: readonly string[]): Request {
  const command = 'mainstem serve';
  const { help, port, host, token, merge, save, log } = read(command, words, {
    port: { type: 'string' },
    host: { type: 'string' },
    token: { type: 'string' },
    merge: { type: 'string' },
    save: { type: 'string' },
    log: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (help === true) return { kind: 'help', of: 'serve' };
  return {
    kind: 'serve',
    port: readCount('--port', port, { unless: 7070, min: 0, max: 65_535, command }),
    host: textOf(host) ?? '127.0.0.1',
    token: textOf(token),
    updatesPerMerge: readCount('--merge', merge, { unless: 0, min: 0, max: 16_384, command }),
    save: textOf(save),
    log: textOf(log),
  };
}

function readReplay(words: readonly string[]): Request {
  const command = 'mainstem replay';
  const options = {
    until: { type: 'string' },
    without: { type: 'string', multiple: true },
    data: { type: 'string' },
    label: { type: 'string' },
    save: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { help, json, until, without, data, label, save, positionals } = read(command, words, options, true);
  if (help === true) return { kind: 'help', of: 'replay' };
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    throw new UsageError(`expected one file, got ${positionals.join(' ') || 'none'}`, command);
  if ((data === undefined) !== (label === undefined))
    throw new UsageError('expected --data <file> and --label <column>, or neither', command);
  const max = Number.MAX_SAFE_INTEGER;
  return {
    kind: 'replay',
    file,
    until: readCount('--until', until, { unless: Infinity, min: 0, max, command }),
    without: Array.isArray(without) ? without : [],
    rows: data === undefined ? undefined : { data: String(data), label: String(label) },
    save: textOf(save),
    json: json === true,
  };
}

function readJoin(words: readonly string[]): Request {
  const command = 'mainstem join';
  const names = ['data', 'label', 'classes', 'id', 'token', 'units', 'rounds', 'epochs', 'seed'];
  const options: Options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  const given = read(command, words, { ...options, help: { type: 'boolean', short: 'h' } }, true);
  if (given.help === true) return { kind: 'help', of: 'join' };
  const [url, ...more] = given.positionals;
  if (url === undefined || more.length > 0 || !/^wss?:\/\//.test(url))
    throw new UsageError(
      `expected one url that begins with ws:// or wss://, got ${given.positionals.join(' ') || 'none'}`,
      command,
    );
  const { data, label } = given;
  if (typeof data !== 'string' || typeof label !== 'string')
    throw new UsageError('expected --data <file> and --label <column>', command);
  const count = (name: string, unless: number, min: number, max: number): number =>
    readCount(`--${name}`, given[name], { unless, min, max, command });
  return {
    kind: 'join',
    url,
    data,
    label,
    classes: textOf(given.classes)?.split(','),
    id: textOf(given.id) ?? `${hostname()}-${process.pid}`,
    token: textOf(given.token),
    units: count('units', 32, 1, 4_096),
    rounds: count('rounds', 20, 1, 1_000_000),
    epochs: count('epochs', 2, 1, 10_000),
    seed: count('seed', defaultSeed, 0, seedMax),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

type Options = NonNullable<ParseArgsConfig['options']>;

/** Strict: what is not among the options is an error, and so is anything that is no option. */
function read(
  command: string,
  words: readonly string[],
  options: Options,
  allowPositionals = false,
): { readonly [name: string]: unknown; readonly positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, strict: true, allowPositionals });
    return { ...values, positionals };
  } catch (thrown) {
    // Its first sentence says what is wrong; the others explain what few people need.
    const [sentence] = (thrown instanceof Error ? thrown.message : String(thrown)).split(/\. |\n/);
    throw new UsageError(sentence ?? 'cannot be understood', command, { cause: thrown });
  }
}

interface CountOptions {
  readonly unless: number;
  readonly min: number;
  readonly max: number;
  readonly command?: string;
}

function readCount(
  name: string,
  value: unknown,
  { unless, min, max, command = 'mainstem demo' }: CountOptions,
): number {
  if (value === undefined) return unless;
  const count = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (count >= min && count <= max) return count;
  throw new UsageError(
    `${name} is ${JSON.stringify(value)}, expected a whole number, ${min} to ${max}`,
    command,
  );
}
