import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import { valuesToBytes } from '../protocol/tensorBytes.ts';
import type { ValueRuns } from '../protocol/valueRuns.ts';
import { changedRuns } from '../protocol/valueRuns.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A main on its way to the children: its bytes are made once for all who want the same. */
export class PublishedMain {
  readonly version: number;
  readonly layout: ParameterLayout;
  readonly #main: ModelParameters;
  /** The one that was published before. */
  readonly #before: ModelParameters | undefined;
  readonly #bytes = new Map<DataType, Bytes>();
  readonly #changes = new Map<DataType, ValueRuns | undefined>();

  /** The parameters must not change any more. */
  constructor(main: ModelParameters, before?: PublishedMain) {
    this.#main = main;
    this.version = main.baseVersion ?? 0;
    this.layout = main.layout;
    const isAlike = before !== undefined && before.layout.fingerprint === main.layout.fingerprint;
    this.#before = isAlike ? before.#main : undefined;
  }

  /** About what sending it to one child costs. */
  get bytes(): number {
    // A message costs about what 4 KiB do.
    return this.#main.values.byteLength + 4_096;
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
