import { DistributedGradientsCoordinator } from '../coordinators/DistributedGradientsCoordinator.ts';
import type { Receipt } from '../coordinators/receipts.ts';
import { InvalidOptionError, MalformedDataError } from '../errors.ts';
import { Gradients } from '../parameters/Gradients.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { show } from '../show.ts';
import type { Store } from '../storage/Store.ts';
import { TickClock } from '../TickClock.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { CoordinatorDescription, RecordedCoordinator } from './description.ts';
import { createCoordinator, setMain, withoutWaiting } from './description.ts';
import type { LogRecord } from './records.ts';
import {
  decodeLogRecord,
  logFormat,
  logPrefix,
  peekLogRecord,
  readLayout,
  requireLayout,
} from './records.ts';

/** A main of a replay. */
export interface ReplayedMain {
  /** That main had when it was recorded. */
  readonly version: number;
  /** When that was, in milliseconds of the recorded clock; undefined for a main that was set. */
  readonly at: number | undefined;
  /** Number of the last update that is in it, from 1; 0 where there is none. */
  readonly update: number;
  /** Children whose updates were added since the main before. */
  readonly children: readonly string[];
  readonly main: ModelParameters;
}

/** Options of `replayLog`. */
export interface ReplayOptions {
  /** Number of the last update that is replayed; all unless given. */
  until?: number;
  /** Children that are left out, as if they had never been there. */
  without?: readonly string[];
  /** Called before all else, with what the log says of itself: to select its kernel, say. */
  onStart?: (start: { readonly kernel: string; readonly coordinator: CoordinatorDescription }) => void;
  /** Called with each main, in their order; returning false ends the replay. */
  onMain?: (main: ReplayedMain) => boolean | undefined | void;
  /** What the keys in the store begin with. `'log/'`. */
  prefix?: string;
}

/** What came of a replay. */
export interface Replay {
  /** Main as it was in the end. Throws NoMainParametersError where there is none. */
  getModelParameters(): ModelParameters;
  /** Updates that were replayed. */
  readonly updates: number;
  /** Kernel that the log was recorded with: main has the same bits only with that one. */
  readonly kernel: string;
}

/**
 * Makes main again of what an UpdateRecorder has written: the same coordinator, the same updates in the same order. With the
 * reference kernel main has the same bits on every machine. Throws MalformedDataError for what is no log, has a hole, or
 * does not replay.
 */
export async function replayLog(store: Store, options: ReplayOptions = {}): Promise<Replay> {
  refuseUnknownOptions(options, ['until', 'without', 'onStart', 'onMain', 'prefix'], 'replayLog');
  const { until = Infinity, without = [], onStart, onMain = () => {}, prefix = logPrefix } = options;
  if (!(until >= 0))
    throw new InvalidOptionError(`until is ${show(until)}, expected the number of an update`);
  const keys = await store.keys(prefix);
  const wanted = { until, without: new Set(without), onMain, onStart };
  const player = await LogPlayer.start(store, keys, wanted);
  for (const key of keys.slice(1)) if (!player.play(await player.read(key))) break;
  return player;
}

type Wanted = Required<Pick<ReplayOptions, 'until' | 'onMain'>> & {
  readonly without: ReadonlySet<string>;
  readonly onStart: ReplayOptions['onStart'];
};

class LogPlayer implements Replay {
  readonly kernel: string;
  readonly #store: Store;
  readonly #wanted: Wanted;
  readonly #coordinator: RecordedCoordinator;
  readonly #layouts = new Map<string, ParameterLayout>();
  /** Updates that were given up later: as if they had never been. */
  readonly #rejected = new Set<number>();
  /** Version of main now, by that which it had. */
  readonly #versions = new Map<number, number>();
  #updates = 0;
  #last = 0;
  /** Version of the coordinator that `onMain` has seen. */
  #told = 0;
  #children: string[] = [];

  private constructor(store: Store, start: LogRecord & { readonly type: 'start' }, wanted: Wanted) {
    this.#store = store;
    this.#wanted = wanted;
    this.kernel = start.kernel;
    // Time stands still: a round ends where it ended.
    const clock = new TickClock();
    this.#coordinator = createCoordinator(withoutWaiting(start.coordinator), { clock, roundClock: clock });
  }

  /** Reads what has to be known before the first update. */
  static async start(store: Store, keys: readonly string[], wanted: Wanted): Promise<LogPlayer> {
    const [first] = keys;
    const bytes = first === undefined ? undefined : await store.get(first);
    if (bytes === undefined) throw new MalformedDataError('there is no log in this store');
    const start = decodeLogRecord(new Uint8Array(bytes), new Map());
    if (start.type !== 'start' || start.format !== logFormat)
      throw new MalformedDataError(
        `a log begins with ${logFormat}, got ${show((start as { format?: string }).format)}`,
      );
    const { kernel, coordinator } = start;
    wanted.onStart?.({ kernel, coordinator });
    const player = new LogPlayer(store, start, wanted);
    for (const key of keys.slice(1)) {
      const { record } = peekLogRecord(await player.#bytes(key));
      if (record.type === 'rejected') player.#rejected.add(record.update);
    }
    return player;
  }

  get updates(): number {
    return this.#updates;
  }

  getModelParameters(): ModelParameters {
    return this.#coordinator.getModelParameters();
  }

  async read(key: string): Promise<LogRecord> {
    return decodeLogRecord(await this.#bytes(key), this.#layouts);
  }

  async #bytes(key: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#store.get(key);
    if (bytes === undefined) throw new MalformedDataError(`record ${key} of the log is missing`);
    return new Uint8Array(bytes);
  }

  /** False where the replay is over. */
  play(record: LogRecord): boolean {
    switch (record.type) {
      case 'layout':
        this.#layouts.set(record.fingerprint, readLayout(record));
        return true;
      case 'main':
        return this.#setMain(record);
      case 'update':
        return this.#add(record);
      case 'merged':
        return this.#endRound(record);
      case 'left':
        this.#coordinator.removeChild(record.childId);
        return true;
      case 'gap':
        throw new MalformedDataError(
          `the log has a hole behind update ${this.#last}: its store was too slow, or failed`,
        );
      default:
        return true;
    }
  }

  #setMain({ version, tensors }: LogRecord & { readonly type: 'main' }): boolean {
    const main = new ModelParameters(requireLayout(this.#layouts, tensors.layout), tensors.values);
    setMain(this.#coordinator, main);
    this.#versions.set(version, this.#coordinator.version);
    return this.#tell(version, undefined, []);
  }

  #add(record: LogRecord & { readonly type: 'update' }): boolean {
    const { update, childId } = record;
    if (update > this.#wanted.until) return false;
    this.#last = update;
    if (this.#rejected.has(update) || this.#wanted.without.has(childId)) return true;
    const { status, reason } = this.#submit(record);
    // With others left out a round may be another one.
    if (status !== 'applied' && status !== 'accepted' && this.#wanted.without.size === 0)
      throw new MalformedDataError(`update ${update} of the log was taken in, and its replay is not`, {
        cause: reason,
      });
    this.#updates++;
    this.#children.push(childId);
    return true;
  }

  #submit({ childId, sampleCount, baseVersion, tensors }: LogRecord & { readonly type: 'update' }): Receipt {
    const layout = requireLayout(this.#layouts, tensors.layout);
    const base = baseVersion === null ? undefined : (this.#versions.get(baseVersion) ?? baseVersion);
    const info = { sampleCount: sampleCount ?? undefined, baseVersion: base };
    const coordinator = this.#coordinator;
    if (coordinator instanceof DistributedGradientsCoordinator) {
      const gradients = new Gradients(layout, tensors.values, { ...info, sampleCount: sampleCount ?? 0 });
      return coordinator.addGradients(gradients, { childId });
    }
    return coordinator.addModelParameters(new ModelParameters(layout, tensors.values, info), { childId });
  }

  #endRound({ version, at }: LogRecord & { readonly type: 'merged' }): boolean {
    this.#coordinator.endRound();
    this.#versions.set(version, this.#coordinator.version);
    // Of those that are left out alone there is no main.
    if (this.#coordinator.version === this.#told) return true;
    const children = this.#children;
    this.#children = [];
    return this.#tell(version, at, children);
  }

  #tell(version: number, at: number | undefined, children: readonly string[]): boolean {
    this.#told = this.#coordinator.version;
    const main = this.#coordinator.getModelParameters();
    return this.#wanted.onMain({ version, at, update: this.#last, children, main }) !== false;
  }
}
