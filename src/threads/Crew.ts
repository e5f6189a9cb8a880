import { ThreadFailedError, ThreadsClosedError } from '../errors.ts';
import type { WasmBuild } from '../kernels/wasm/compile.ts';
import type { SharedKernels } from '../kernels/wasm/sharedModules.ts';
import type { DataType } from '../parameters/values.ts';
import type { ThreadAnswer } from './messages.ts';
import type { StartThread, ThreadHandle } from './startThread.ts';

/** A pass that threads are to do together. */
export interface CrewPass {
  readonly build: WasmBuild;
  readonly dtype: DataType;
  /** Addresses of the threads' records: so many of the crew take part. */
  readonly members: readonly number[];
}

interface RunningPass {
  missing: number;
  end(): void;
}

/**
 * Threads that were started once and do passes. All get the same passes in the same order, so that several trainings
 * may use them at a time: their passes take turns. When one thread fails, the others may wait for it for ever, so all
 * are ended.
 */
export class Crew {
  readonly #threads: ThreadHandle[] = [];
  readonly #running = new Map<number, RunningPass>();
  #passes = 0;
  #failure: ThreadFailedError | ThreadsClosedError | undefined;
  #ready = 0;
  #settleStart: () => void = () => {};
  #ending: Promise<void> | undefined;

  private constructor() {}

  /** Resolves when all threads are ready. Rejects with ThreadFailedError where one cannot be started. */
  static async start(count: number, startThread: StartThread): Promise<Crew> {
    const crew = new Crew();
    const started = new Promise<void>((resolve) => {
      crew.#settleStart = resolve;
    });
    try {
      for (let index = 0; index < count; index++) {
        crew.#threads.push(
          startThread({
            onAnswer: (answer) => crew.#take(answer, count),
            onEnd: (reason) => crew.#fail(index, count, reason),
          }),
        );
      }
    } catch (error) {
      crew.#fail(crew.#threads.length, count, error as Error);
    }
    await started;
    if (crew.#failure !== undefined) {
      await crew.#ending;
      throw crew.#failure;
    }
    crew.#setBusy(false);
    return crew;
  }

  /** Why there are no threads any more, if so. */
  get failure(): ThreadFailedError | ThreadsClosedError | undefined {
    return this.#failure;
  }

  /** Gives all threads a memory to work in. */
  share(build: WasmBuild, kernels: SharedKernels): void {
    for (const thread of this.#threads) thread.send({ kind: 'kernels', build, kernels });
  }

  /** Does a pass. Resolves when no thread works on it any more, also where it failed: see `failure`. */
  run({ build, dtype, members }: CrewPass): Promise<void> {
    if (this.#failure !== undefined) return this.#ending ?? Promise.resolve();
    const pass = this.#passes++;
    return new Promise((resolve) => {
      this.#running.set(pass, { missing: members.length, end: resolve });
      this.#setBusy(true);
      members.forEach((member, index) => {
        (this.#threads[index] as ThreadHandle).send({ kind: 'pass', pass, build, dtype, member });
      });
    });
  }

  /** Ends the threads, wherever they are. */
  async close(): Promise<void> {
    this.#failure ??= new ThreadsClosedError('the threads were closed');
    await this.#end();
  }

  #take(answer: ThreadAnswer, count: number): void {
    if (answer.kind === 'ready') {
      this.#ready++;
      if (this.#ready === count) this.#settleStart();
      return;
    }
    const running = this.#running.get(answer.pass);
    if (running === undefined) return;
    running.missing--;
    if (running.missing > 0) return;
    this.#running.delete(answer.pass);
    if (this.#running.size === 0) this.#setBusy(false);
    running.end();
  }

  #fail(index: number, count: number, reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = new ThreadFailedError(
      `thread ${index + 1} of ${count} failed: ${reason.message}; all were ended, make new ones with createThreads`,
      { cause: reason },
    );
    void this.#end();
  }

  /** Those who wait for a pass go on only when nobody writes into the memory any more. */
  #end(): Promise<void> {
    this.#ending ??= Promise.all(this.#threads.map((thread) => thread.end())).then(() => {
      for (const { end } of this.#running.values()) end();
      this.#running.clear();
      this.#settleStart();
    });
    return this.#ending;
  }

  #setBusy(isBusy: boolean): void {
    for (const thread of this.#threads) thread.setBusy(isBusy);
  }
}
