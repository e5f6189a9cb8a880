import type { Compression, Compressor } from '../compression/Compression.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { Random } from '../random.ts';
import type { PackedStep } from './PublishedMain.ts';
import { PublishedMain } from './PublishedMain.ts';

/** Steps that are kept, so that a child which is some mains behind need not be sent all of it. */
const stepsMax = 16;

/** What mains are published from, and how. */
export interface PublishedMainsOptions {
  /** Main as children may see it; its parameters do not change any more. */
  main(): ModelParameters | undefined;
  readonly compression: Compression | undefined;
  readonly random: Random;
  /** Mains that are kept as what packed parameters may start from; 0: none. */
  basesMax(): number;
}

/**
 * The mains of one coordinator as its children get them. Where main is compressed, all children have the same numbers, which
 * follow main: each step is packed from how far main is from them.
 */
export class PublishedMains {
  readonly #options: PublishedMainsOptions;
  /** The newest that was made, and whether main has changed since. */
  #latest: PublishedMain | undefined;
  #isLatest = false;
  #compressor: { readonly layout: ParameterLayout; readonly compressor: Compressor } | undefined;
  #steps: readonly PackedStep[] = [];
  readonly #bases = new Map<number, ModelParameters>();

  constructor(options: PublishedMainsOptions) {
    this.#options = options;
  }

  /** Main has changed. */
  changed(): void {
    this.#isLatest = false;
  }

  /** The newest main that children may see. */
  latest(): PublishedMain | undefined {
    if (!this.#isLatest) {
      const main = this.#options.main();
      // A version is one set of numbers: its step is made once.
      if (main === undefined || main.baseVersion !== this.#latest?.version) {
        this.#latest = main && this.#publish(main);
      }
      this.#isLatest = true;
    }
    return this.#latest;
  }

  /** Main of a version that was published, as the coordinator has it; undefined where it is not kept. */
  base(version: number): ModelParameters | undefined {
    return this.#bases.get(version);
  }

  #publish(main: ModelParameters): PublishedMain {
    const basesMax = this.#options.basesMax();
    if (basesMax > 0) {
      const oldest = this.#bases.keys().next().value;
      if (this.#bases.size >= basesMax && oldest !== undefined) this.#bases.delete(oldest);
      this.#bases.set(main.baseVersion ?? 0, main);
    }
    const before = this.#latest;
    const compressor = this.#compressorFor(main.layout);
    if (compressor === undefined) return new PublishedMain(main, before);
    const view = before === undefined ? undefined : this.#follow(main, before, compressor);
    if (view !== undefined) return new PublishedMain(view, before, this.#steps);
    this.#steps = [];
    const values = Float32Array.from(main.values);
    // What a float cannot hold is sent as it is.
    if (findNonFinite(values) >= 0) return new PublishedMain(main);
    return new PublishedMain(new ModelParameters(main.layout, values, main));
  }

  /** The compressor of this layout; a new one starts from a main that is sent whole. */
  #compressorFor(layout: ParameterLayout): Compressor | undefined {
    const { compression, random } = this.#options;
    if (compression === undefined) return undefined;
    if (this.#compressor?.layout.fingerprint !== layout.fingerprint) {
      const compressor = compression.compressMain(layout, random);
      this.#compressor = compressor && { layout, compressor };
    }
    return this.#compressor?.compressor;
  }

  /** What children have, one packed step nearer to main; undefined where no step leads there. */
  #follow(main: ModelParameters, before: PublishedMain, compressor: Compressor): ModelParameters | undefined {
    const from = before.values;
    if (before.layout.fingerprint !== main.layout.fingerprint || !(from instanceof Float32Array))
      return undefined;
    const difference = new Float64Array(from.length);
    for (let i = 0; i < from.length; i++) difference[i] = (main.values[i] as number) - (from[i] as number);
    if (findNonFinite(Float32Array.from(difference)) >= 0) return undefined;
    const { payload, sent, adopt } = compressor.compress(difference);
    const values = addStep(from, sent);
    if (findNonFinite(values) >= 0) return undefined;
    adopt();
    const step = { base: before.version, version: main.baseVersion ?? 0, payload };
    this.#steps = [...this.#steps.slice(1 - stepsMax), step];
    return new ModelParameters(main.layout, values, main);
  }
}

/** In float32, so that both ends get the same bits. */
function addStep(from: Float32Array, step: Float32Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(from.length);
  for (let i = 0; i < values.length; i++) values[i] = (from[i] as number) + (step[i] as number);
  return values;
}
