import type { Pass, PassSession } from '../kernels/TrainingSession.ts';
import type { WasmBuild } from '../kernels/wasm/compile.ts';
import type { SharedTraining } from '../kernels/wasm/SharedTraining.ts';
import type { DataType } from '../parameters/values.ts';
import type { Crew } from './Crew.ts';

/** A training whose passes a crew does. */
export class ThreadedSession implements PassSession {
  readonly #crew: Crew;
  readonly #training: SharedTraining;
  readonly #kind: { readonly build: WasmBuild; readonly dtype: DataType };

  constructor(
    crew: Crew,
    training: SharedTraining,
    kind: { readonly build: WasmBuild; readonly dtype: DataType },
  ) {
    this.#crew = crew;
    this.#training = training;
    this.#kind = kind;
  }

  startPass(order: Int32Array | undefined): Pass {
    const crew = this.#crew;
    const training = this.#training;
    training.begin(order);
    const ended = crew.run({ ...this.#kind, members: training.members }).then(() => {
      training.end();
    });
    return {
      ended,
      stop: () => training.stop(),
      cost: () => {
        if (crew.failure !== undefined) throw crew.failure;
        return training.cost;
      },
    };
  }

  sync(): void {
    this.#training.sync();
  }

  release(): void {
    this.#training.release();
  }
}
