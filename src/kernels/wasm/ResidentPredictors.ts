import type { WasmBuild } from './compile.ts';
import { KernelMemory } from './KernelMemory.ts';
import type { NetworkShape } from './networkShape.ts';
import { predictorBytes, WasmPredictor } from './WasmPredictor.ts';

/** The memory for small predictors at first. */
const sharedBytes = 2 ** 18;

/**
 * The predictors of a thread that keep their parameters in the memory of the kernels from one call to the next: as many
 * as have room in so many bytes, those that were used last. They go sooner where their owner is collected.
 */
export class ResidentPredictors {
  readonly #bytesMax: number;
  readonly #residents = new Set<WasmPredictor>();
  readonly #shared = new Map<WasmBuild, KernelMemory>();
  readonly #owners = new FinalizationRegistry<WasmPredictor>((predictor) => {
    this.release(predictor);
  });
  #bytes = 0;
  #uses = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that the predictors which stay take. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#residents.size;
  }

  /** A predictor that stays until others take its place; undefined where it is too large for that, or where there is no room. */
  create(build: WasmBuild, shape: NetworkShape, rows: number, owner: object): WasmPredictor | undefined {
    const bytes = predictorBytes(shape, rows);
    if (bytes > this.#bytesMax) return undefined;
    this.#makeRoom(bytes);
    const predictor = this.createPassing(build, shape, rows);
    if (predictor === undefined) return undefined;
    this.#residents.add(predictor);
    this.#bytes += predictor.bytes;
    this.#owners.register(owner, predictor, predictor);
    this.use(predictor);
    return predictor;
  }

  /** A predictor that the caller has to release. */
  createPassing(build: WasmBuild, shape: NetworkShape, rows: number): WasmPredictor | undefined {
    const shared = this.#sharedMemory(build);
    if (shared === undefined) return undefined;
    const predictor = WasmPredictor.create(build, shape, rows, shared);
    if (predictor !== undefined) return predictor;
    // Room enough, but in pieces.
    this.#makeRoom(this.#bytesMax);
    return WasmPredictor.create(build, shape, rows, shared);
  }

  /** Says that a predictor is in use: it is the last to go. */
  use(predictor: WasmPredictor): void {
    predictor.lastUse = ++this.#uses;
  }

  release(predictor: WasmPredictor): void {
    if (!this.#residents.delete(predictor)) return;
    this.#bytes -= predictor.bytes;
    this.#owners.unregister(predictor);
    predictor.release();
  }

  /** Lets the longest unused ones go; a quarter at once, since to find them all are looked at. */
  #makeRoom(bytes: number): void {
    if (this.#bytes + bytes <= this.#bytesMax) return;
    const idle = [...this.#residents].filter(({ isBusy }) => !isBusy);
    idle.sort((a, b) => a.lastUse - b.lastUse);
    const enough = Math.min(this.#bytesMax - bytes, 0.75 * this.#bytesMax);
    for (const predictor of idle) {
      if (this.#bytes <= enough) return;
      this.release(predictor);
    }
  }

  /** Undefined where the engine has no memory left. */
  #sharedMemory(build: WasmBuild): KernelMemory | undefined {
    const known = this.#shared.get(build);
    if (known !== undefined) return known;
    try {
      // Twice the room, since it falls to pieces where predictors of all sizes come and go.
      const memory = new KernelMemory(build, sharedBytes, 2 * this.#bytesMax);
      this.#shared.set(build, memory);
      return memory;
    } catch {
      return undefined;
    }
  }
}
