import type { Compression, Compressor } from '../compression/Compression.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { NamedTensors } from '../parameters/NamedTensors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { createValues, dataTypeOf } from '../parameters/values.ts';
import type { UpdateKind } from '../protocol/messages.ts';
import { valuesToBytes } from '../protocol/tensorBytes.ts';
import type { Random } from '../random.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The values of an update as they travel. */
export interface PackedUpdate {
  readonly dtype: DataType;
  readonly isPacked: boolean;
  readonly payload: Bytes;
  /** The same without anything packed, for whoever does not have the main that it is a difference to. */
  whole?(): { readonly dtype: DataType; readonly payload: Bytes };
  /** It goes out. */
  adopt?(): void;
}

/** Turns updates into bytes: packed, where child and coordinator both can, else as they are. */
export class UpdatePacker {
  readonly #compression: Compression | undefined;
  readonly #random: Random;
  /** How the coordinator would have them packed; undefined where it cannot read that. */
  #terms: string | undefined;
  #current:
    | {
        readonly terms: string;
        readonly layout: ParameterLayout;
        readonly compressor: Compressor | undefined;
      }
    | undefined;
  /** Of an earlier life of the child, until it is needed. */
  #saved: Bytes | undefined;

  constructor(compression: Compression | undefined, random: Random, saved: Bytes | undefined) {
    this.#compression = compression;
    this.#random = random;
    this.#saved = saved;
  }

  /** Names of forms that are understood here, for the hello. */
  get forms(): readonly string[] {
    return this.#compression === undefined ? [] : [this.#compression.form];
  }

  /** Takes the coordinator's terms; null: it reads nothing that is packed. */
  accept(terms: string | null): void {
    this.#terms = this.#compression === undefined ? undefined : (terms ?? undefined);
  }

  /**
   * Parameters are packed as their difference to the main that they started from; without one they are sent whole. Throws
   * NonFiniteError where a value is none that can be packed.
   */
  pack(content: NamedTensors, kind: UpdateKind, base: ModelParameters | undefined): PackedUpdate {
    const { values, dtype, layout } = content;
    const compressor = kind === 'gradients' || base !== undefined ? this.#compressorFor(layout) : undefined;
    if (compressor === undefined) return { dtype, isPacked: false, payload: valuesToBytes(values) };
    if (kind === 'gradients' || base === undefined)
      return { dtype: 'float32', isPacked: true, ...compressor.compress(values) };
    base.layout.assertFits(layout, 'the parameters of the model', 'main');
    const { payload, adopt } = compressor.compress(differenceOf(values, base.values));
    return { dtype: 'float32', isPacked: true, payload, adopt, whole: () => this.#unpack(payload, base) };
  }

  /** So long it took until an update was answered, or has not been for. */
  observe(elapsedMs: number): void {
    this.#current?.compressor?.observe(elapsedMs);
  }

  /** What is not to be lost with the process; empty where there is nothing. */
  save(): Bytes {
    return this.#current?.compressor?.save() ?? this.#saved ?? new Uint8Array(0);
  }

  #compressorFor(layout: ParameterLayout): Compressor | undefined {
    const terms = this.#terms;
    if (terms === undefined || this.#compression === undefined) return undefined;
    const { terms: known, layout: from } = this.#current ?? {};
    if (known === terms && from?.fingerprint === layout.fingerprint) return this.#current?.compressor;
    const compressor = this.#compression.compressUpdates(terms, layout, this.#random);
    // Of the same layout: what has not been sent is not lost by other terms.
    const isSameLayout = from?.fingerprint === layout.fingerprint;
    const memory = isSameLayout ? this.#current?.compressor?.save() : this.#saved;
    if (memory !== undefined && memory.length > 0) compressor?.load(memory);
    this.#current = { terms, layout, compressor };
    this.#saved = undefined;
    return compressor;
  }

  #unpack(payload: Bytes, base: ModelParameters): { dtype: DataType; payload: Bytes } {
    const values = createValues(base.dtype, base.values.length);
    this.#compression?.read(payload, values);
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + (base.values[i] as number);
    return { dtype: dataTypeOf(values), payload: valuesToBytes(values) };
  }
}

function differenceOf(values: Values, base: Values): Float64Array<ArrayBuffer> {
  const difference = new Float64Array(values.length);
  for (let i = 0; i < difference.length; i++) difference[i] = (values[i] as number) - (base[i] as number);
  return difference;
}
