import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { valuesToBytes } from '../protocol/tensorBytes.ts';
import type { ValueRuns } from '../protocol/valueRuns.ts';
import { changedRuns } from '../protocol/valueRuns.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** From one published main to the next, packed. */
export interface PackedStep {
  readonly base: number;
  readonly version: number;
  readonly payload: Bytes;
}

/** A main on its way to the children: its bytes are made once for all who want the same. */
export class PublishedMain {
  readonly version: number;
  readonly layout: ParameterLayout;
  readonly #main: ModelParameters;
  /** The one that was published before. */
  readonly #before: ModelParameters | undefined;
  /** The latest steps on the way here, the last one last. */
  readonly #steps: readonly PackedStep[];
  readonly #bytes = new Map<DataType, Bytes>();
  readonly #changes = new Map<DataType, ValueRuns | undefined>();

  /** The parameters must not change any more. */
  constructor(main: ModelParameters, before?: PublishedMain, steps: readonly PackedStep[] = []) {
    this.#main = main;
    this.#steps = steps;
    this.version = main.baseVersion ?? 0;
    this.layout = main.layout;
    const isAlike = before !== undefined && before.layout.fingerprint === main.layout.fingerprint;
    this.#before = isAlike ? before.#main : undefined;
  }

  /** About what sending it to one child costs. */
  get bytes(): number {
    // A message costs about what 4 KiB do.
    return (this.#steps.at(-1)?.payload.length ?? this.#main.values.byteLength) + 4_096;
  }

  /** Not a copy. */
  get values(): Values {
    return this.#main.values;
  }

  /** The steps from this version to here, where they are known and together shorter than all of it. */
  stepsSince(version: number): readonly PackedStep[] | undefined {
    const first = this.#steps.findIndex(({ base }) => base === version);
    if (first < 0) return undefined;
    const steps = this.#steps.slice(first);
    const bytes = steps.reduce((sum, { payload }) => sum + payload.length, 0);
    return bytes < this.#main.values.byteLength ? steps : undefined;
  }

  /** Its own type of numbers, or another where a child cannot read that. */
  dtypeFor(readable: readonly DataType[]): DataType {
    const { dtype } = this.#main;
    return readable.includes(dtype) ? dtype : (readable[0] ?? dtype);
  }

  /** The values as little-endian bytes. */
  payload(dtype: DataType): Bytes {
    let bytes = this.#bytes.get(dtype);
    if (bytes === undefined) {
      bytes = valuesToBytes(inDtype(this.#main, dtype).values);
      this.#bytes.set(dtype, bytes);
    }
    return bytes;
  }

  /** What has changed since this version, where that is known, and much less than all. */
  changesSince(version: number, dtype: DataType): ValueRuns | undefined {
    const before = this.#before;
    if (before === undefined || before.baseVersion !== version) return undefined;
    if (!this.#changes.has(dtype)) {
      const changes = changedRuns(inDtype(before, dtype).values, inDtype(this.#main, dtype).values);
      this.#changes.set(dtype, changes);
    }
    return this.#changes.get(dtype);
  }
}

function inDtype(main: ModelParameters, dtype: DataType): ModelParameters {
  return dtype === main.dtype ? main : main.toDataType(dtype);
}
