import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { requireMethods } from '../coordinators/options.ts';
import type { Plugin, PluginHost, Update } from '../coordinators/plugins/Plugin.ts';
import { StoreError, toError } from '../errors.ts';
import { kernels } from '../kernels/selection.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { show } from '../show.ts';
import type { Store } from '../storage/Store.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { CoordinatorDescription } from './description.ts';
import { checkDescription } from './description.ts';
import type { LogRecord } from './records.ts';
import { encodeLogRecord, layoutRecord, logFormat, logKey, logPrefix, tensorsOf } from './records.ts';

/** Options of UpdateRecorder. */
export interface UpdateRecorderOptions {
  /** Where the log goes; it may be the coordinator's own store. */
  store: Store;
  /** What its coordinator is, so that a replay can make another one. */
  coordinator: CoordinatorDescription;
  /** What the keys in the store begin with, of this log alone. `'log/'`. */
  prefix?: string;
  /** What time it is in the records; the platform unless given. */
  clock?: Clock;
  /** Bytes that wait for the store; what is beyond is lost, and the log says so. 256 MiB. */
  pendingBytesMax?: number;
  /** Hears of a store that fails or is too slow; nobody unless given. */
  onError?: (error: Error) => void;
}

/** An update that may still be refused; its record is ready. */
interface SeenUpdate {
  readonly layout: ParameterLayout;
  readonly taken: Taken;
  readonly value: Uint8Array;
}

/** An update that was taken in, and is not part of a main yet. */
interface Taken {
  readonly update: number;
  readonly childId: string;
}

const defaultPendingBytesMax = 256 * 2 ** 20;
const names = ['store', 'coordinator', 'prefix', 'clock', 'pendingBytesMax', 'onError'];

/**
 * A plugin that writes down all that main is made of: every main that was set, every update that was taken in, in their
 * order, and which main came of them. `replayLog` makes main of it again. Use it last, on a new coordinator, so that it
 * sees updates as other plugins leave them. It never holds the coordinator up: what the store has not taken waits.
 */
export class UpdateRecorder implements Plugin {
  readonly name: string = 'updateRecorder';
  readonly #store: Store;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #pendingBytesMax: number;
  readonly #onError: (error: Error) => void;
  readonly #stops: (() => void)[] = [];
  readonly #layouts = new Set<string>();
  #host: PluginHost | undefined;
  /** Of records, and of updates. */
  #records = 0;
  #updates = 0;
  /** The update that the plugins see, and that which is being folded in and may still be refused. */
  #seen: SeenUpdate | undefined;
  #folding: SeenUpdate | undefined;
  #open: Taken[] = [];
  #pendingBytes = 0;
  #hasGap = false;
  /** What is under this prefix is not this log. */
  #isOther = false;
  #writing: Promise<void>;

  /** Throws InvalidOptionError for an illegal option, or a coordinator that is not described in plain JSON. */
  constructor(options: UpdateRecorderOptions) {
    refuseUnknownOptions(options, names, 'UpdateRecorder');
    const { store, coordinator, prefix = logPrefix, clock = systemClock } = options;
    const { pendingBytesMax = defaultPendingBytesMax, onError = () => {} } = options;
    requireMethods(store, ['get', 'keys', 'batch', 'close'], 'store');
    this.#store = store;
    this.#prefix = prefix;
    this.#clock = clock;
    this.#pendingBytesMax = pendingBytesMax;
    this.#onError = onError;
    this.#writing = this.#assertEmpty();
    const description = checkDescription(coordinator);
    this.#write({ type: 'start', format: logFormat, coordinator: description, kernel: kernels.name });
  }

  setup(host: PluginHost): void {
    this.#host = host;
    if (host.version > 0) this.#mainWasSet(host.version);
    this.#stops.push(
      host.on('mainUpdated', ({ version, children }) => {
        if (children.length === 0) this.#mainWasSet(version);
        else this.#merged(version, children.length);
      }),
      host.on('updateReceived', () => {
        this.#folding = this.#seen;
      }),
      host.on('updateRejected', ({ childId, wasReceived }) => {
        if (wasReceived) this.#rejected(childId);
      }),
      host.on('childLeft', ({ childId }) => {
        this.#settle();
        this.#write({ type: 'left', childId });
      }),
    );
  }

  onUpdate({ childId, content }: Update): void {
    this.#settle();
    const { sampleCount = null, baseVersion = null, layout } = content;
    // It is the next one, unless it is refused.
    const update = this.#updates + 1;
    const value = encodeLogRecord({
      ...{ type: 'update', update, childId, sampleCount, baseVersion },
      ...{ at: this.#clock.now(), tensors: tensorsOf(content) },
    });
    this.#seen = { layout, taken: { update, childId }, value };
  }

  dispose(): void {
    this.#settle();
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** Resolves when all that has happened so far is in the store. Rejects where the store refuses. */
  async flush(): Promise<void> {
    this.#settle();
    await this.#writing;
    if (this.#hasGap) throw new StoreError('records of the log were lost: the store failed, or was too slow');
  }

  /** The update that was being folded in was not refused. */
  #settle(): void {
    const folding = this.#folding;
    if (folding === undefined) return;
    this.#folding = undefined;
    this.#updates++;
    this.#open.push(folding.taken);
    this.#nameOnce(folding.layout);
    this.#writeEncoded(folding.value);
  }

  #rejected(childId: string | undefined): void {
    if (this.#folding?.taken.childId === childId) {
      this.#folding = undefined;
      return;
    }
    const index = this.#open.findLastIndex((taken) => taken.childId === childId);
    const [taken] = index < 0 ? [] : this.#open.splice(index, 1);
    if (taken !== undefined) this.#write({ type: 'rejected', update: taken.update });
  }

  #merged(version: number, updates: number): void {
    this.#settle();
    this.#open = [];
    this.#write({ type: 'merged', version, at: this.#clock.now(), updates });
  }

  #mainWasSet(version: number): void {
    this.#settle();
    const main = this.#host?.getModelParameters();
    if (main === undefined) return;
    this.#nameOnce(main.layout);
    this.#write({ type: 'main', version, tensors: tensorsOf(main) });
  }

  #nameOnce(layout: ParameterLayout): void {
    if (this.#layouts.has(layout.fingerprint)) return;
    this.#layouts.add(layout.fingerprint);
    this.#write(layoutRecord(layout));
  }

  #write(record: LogRecord): void {
    this.#writeEncoded(encodeLogRecord(record));
  }

  #writeEncoded(value: Uint8Array): void {
    if (this.#hasGap) return;
    if (this.#pendingBytes + value.length > this.#pendingBytesMax) {
      this.#lose(
        new StoreError(`the log has ${this.#pendingBytes} bytes that wait for the store; it ends here`),
      );
      return;
    }
    this.#append(value);
  }

  #append(value: Uint8Array): void {
    const key = logKey(this.#prefix, ++this.#records);
    this.#pendingBytes += value.length;
    this.#writing = this.#writing.then(async () => {
      try {
        if (this.#isOther) return;
        await this.#store.batch([{ key, value }]);
      } catch (thrown) {
        this.#lose(toError(thrown));
      } finally {
        this.#pendingBytes -= value.length;
      }
    });
  }

  /** A log that is there already, of an earlier life of the coordinator say, must not be mixed with this one. */
  async #assertEmpty(): Promise<void> {
    try {
      const { length } = await this.#store.keys(this.#prefix);
      if (length > 0)
        throw new StoreError(
          `there is a log under ${show(this.#prefix)} already; give this one another prefix`,
        );
    } catch (thrown) {
      this.#isOther = true;
      this.#lose(toError(thrown));
    }
  }

  /** A log with a hole in it is worth nothing from there on. */
  #lose(error: Error): void {
    if (this.#hasGap) return;
    this.#hasGap = true;
    this.#append(encodeLogRecord({ type: 'gap' }));
    this.#onError(error);
  }
}
