import { MalformedDataError } from '../../errors.ts';
import type { JsonValue } from '../../parameters/architecture.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import { checkCount } from '../options.ts';
import type { Plugin, PluginHost, Update } from './Plugin.ts';

/** One line of an UpdateLog. */
export interface UpdateLogEntry {
  /** From 1, without gaps: a reader sees what has been dropped. */
  readonly number: number;
  readonly event: 'joined' | 'left' | 'received' | 'rejected' | 'main';
  /** Version of main at that moment. */
  readonly version: number;
  readonly childId?: string;
  readonly sequence?: number;
  /** Of what was received: the Euclidean norm of its values, and its rows. */
  readonly norm?: number;
  readonly sampleCount?: number;
  /** Why an update was rejected. */
  readonly code?: string;
  readonly message?: string;
  /** Children whose updates went into a new main. */
  readonly children?: readonly string[];
}

/** Options of UpdateLog. */
export interface UpdateLogOptions {
  /** Entries that are kept, 1,000 unless given; the oldest are dropped. */
  entriesMax?: number;
  /** Called with each entry: to write it to a file, say. What it throws refuses no update. */
  onEntry?: (entry: UpdateLogEntry) => void;
}

/**
 * Remembers the last things that happened to a coordinator: who came, what was sent, what became of it. With a durable
 * store all entries are written with each new main: keep few there, and use `onEntry` for a long log.
 */
export class UpdateLog implements Plugin {
  readonly name: string = 'updateLog';
  readonly #entriesMax: number;
  readonly #onEntry: ((entry: UpdateLogEntry) => void) | undefined;
  readonly #stops: (() => void)[] = [];
  #entries: UpdateLogEntry[] = [];
  #count = 0;
  #host: PluginHost | undefined;
  /** What onUpdate has seen and updateReceived will name; they follow each other at once. */
  #seen: { norm: number; sampleCount: number | undefined } | undefined;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: UpdateLogOptions = {}) {
    refuseUnknownOptions(options, ['entriesMax', 'onEntry'], 'UpdateLog');
    const { entriesMax = 1_000, onEntry } = options;
    this.#entriesMax = checkCount(entriesMax, 'entriesMax');
    this.#onEntry = onEntry;
  }

  /** What is kept, the oldest first. */
  get entries(): readonly UpdateLogEntry[] {
    return this.#entries.slice(-this.#entriesMax);
  }

  setup(host: PluginHost): void {
    this.#host = host;
    this.#stops.push(
      host.on('childJoined', ({ childId }) => this.#add({ event: 'joined', childId })),
      host.on('childLeft', ({ childId }) => this.#add({ event: 'left', childId })),
      host.on('updateReceived', ({ childId, sequence }) =>
        this.#add({ event: 'received', childId, sequence, ...this.#seen }),
      ),
      host.on('updateRejected', ({ childId, sequence, reason: { code, message } }) =>
        this.#add({ event: 'rejected', childId, sequence, code, message }),
      ),
      host.on('mainUpdated', ({ children }) => this.#add({ event: 'main', children })),
    );
  }

  onUpdate({ content }: Update): void {
    this.#seen = { norm: content.norm(), sampleCount: content.sampleCount };
  }

  save(): JsonValue {
    return { count: this.#count, entries: this.entries.map((entry) => ({ ...entry }) as JsonValue) };
  }

  load(state: JsonValue): void {
    const { count, entries } = (state ?? {}) as { count?: unknown; entries?: unknown };
    if (!Number.isSafeInteger(count) || !Array.isArray(entries)) {
      throw new MalformedDataError('the memory of an update log has count and entries');
    }
    this.#count = count as number;
    this.#entries = entries as UpdateLogEntry[];
  }

  dispose(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #add(
    what: {
      [Key in keyof Omit<UpdateLogEntry, 'number' | 'version'>]: UpdateLogEntry[Key] | undefined;
    },
  ): void {
    const given = Object.entries(what).filter(([, value]) => value !== undefined);
    const entry = {
      number: ++this.#count,
      version: this.#host?.version ?? 0,
      ...Object.fromEntries(given),
    } as UpdateLogEntry;
    this.#entries.push(entry);
    // Cut off in one go now and then: removing from the front one by one is quadratic.
    if (this.#entries.length >= 2 * this.#entriesMax) this.#entries = this.#entries.slice(-this.#entriesMax);
    this.#onEntry?.(entry);
  }
}
