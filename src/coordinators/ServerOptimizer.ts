import type { Compression } from '../compression/Compression.ts';
import { InvalidOptionError } from '../errors.ts';
import type { OptimizerOption } from '../optimizers/createOptimizer.ts';
import { createOptimizer } from '../optimizers/createOptimizer.ts';
import type { ScheduleOption } from '../optimizers/createSchedule.ts';
import { createSchedule } from '../optimizers/createSchedule.ts';
import { inSlices } from '../steps.ts';
import type { StoreOperation } from '../storage/Store.ts';
import type { ReadRecord } from './Ledger.ts';
import { MainOptimizer } from './MainOptimizer.ts';
import type { MainState } from './MainState.ts';

/** How main moves towards what a round has merged. */
export interface ServerOptimizerOptions {
  /**
   * Takes main − merged as a gradient (Reddi et al. 2021): `'momentum'` is FedAvgM, `'adaGrad'` FedAdagrad, `'adam'` FedAdam,
   * `'yogi'` FedYogi, `'nesterov'` the outer step of DiLoCo. Main becomes what was merged unless given.
   */
  serverOptimizer?: OptimizerOption;
  /** Its step size, above 0: 1 unless given, and main is what was merged for `'gradientDescent'` then. */
  serverLearningRate?: number;
  /** How the step size changes with the rounds; `'constant'` unless given. */
  serverLearningRateSchedule?: ScheduleOption;
}

/** The names of these options. */
export const serverOptimizerOptions: readonly string[] = [
  'serverOptimizer',
  'serverLearningRate',
  'serverLearningRateSchedule',
];

const key = 'optimizer';

/** Moves main towards what a round has merged; without an optimizer it goes there at once. */
export class ServerOptimizer {
  readonly #main: MainState;
  readonly #optimizer: MainOptimizer | undefined;
  readonly #learningRate: number;
  #difference = new Float64Array(0);
  #hasStepped = false;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: ServerOptimizerOptions & { compression?: Compression }, main: MainState) {
    const { serverOptimizer, serverLearningRate = 1, serverLearningRateSchedule = 'constant' } = options;
    if (!(Number.isFinite(serverLearningRate) && serverLearningRate > 0))
      throw new InvalidOptionError(
        `serverLearningRate is ${serverLearningRate}, expected a finite number above 0`,
      );
    const schedule = createSchedule(serverLearningRateSchedule);
    const others = ['serverLearningRate', 'serverLearningRateSchedule'] as const;
    const other = others.find((name) => options[name] !== undefined);
    if (serverOptimizer === undefined && other !== undefined)
      throw new InvalidOptionError(`${other} is for a serverOptimizer, and none is given`);
    this.#main = main;
    this.#learningRate = serverLearningRate;
    this.#optimizer =
      serverOptimizer === undefined
        ? undefined
        : new MainOptimizer(createOptimizer(serverOptimizer), schedule, options.compression);
  }

  get isSet(): boolean {
    return this.#optimizer !== undefined;
  }

  /** Starts afresh, for a main of this length. */
  reset(length: number): void {
    this.#optimizer?.reset(length);
  }

  /** Puts into `merged` where main goes from here. Before there is a main that is what was merged. */
  *step(merged: Float64Array<ArrayBuffer>): Generator<undefined, void> {
    this.#hasStepped = false;
    const { values, dtype, version } = this.#main;
    if (this.#optimizer === undefined) return;
    if (version === 0) return this.reset(merged.length);
    const { length } = merged;
    if (this.#difference.length !== length) this.#difference = new Float64Array(length);
    const difference = this.#difference;
    const step = this.#optimizer.begin({ values, dtype }, merged, {
      base: this.#learningRate,
      round: version,
    });
    this.#hasStepped = true;
    yield* inSlices(length, (start, end) => {
      for (let i = start; i < end; i++) difference[i] = (values[i] as number) - (merged[i] as number);
      step(difference.subarray(start, end), start, end);
    });
  }

  /** Makes the state of the last step the state. */
  adopt(): void {
    if (this.#hasStepped) this.#optimizer?.adopt();
    this.#hasStepped = false;
  }

  /** What a commit keeps of it. */
  stored(): StoreOperation[] {
    return this.#optimizer === undefined ? [] : [{ key, value: this.#optimizer.encode() }];
  }

  /** Reads what `stored` wrote, for a main of this length; the function returned puts it back. */
  async load(read: ReadRecord, length: number): Promise<() => void> {
    const optimizer = this.#optimizer;
    if (optimizer === undefined) return () => {};
    const bytes = await read(key);
    const state = bytes === undefined ? undefined : optimizer.decode(bytes, length);
    return () => optimizer.reset(length, state);
  }
}
