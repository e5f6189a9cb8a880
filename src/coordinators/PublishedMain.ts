import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import { valuesToBytes } from '../protocol/tensorBytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A main on its way to the children: its bytes are made once for all who want the same. */
export class PublishedMain {
  readonly version: number;
  readonly layout: ParameterLayout;
  readonly #main: ModelParameters;
  readonly #bytes = new Map<DataType, Bytes>();

  /** The parameters must not change any more. */
  constructor(main: ModelParameters) {
    this.#main = main;
    this.version = main.baseVersion ?? 0;
    this.layout = main.layout;
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
      const main = dtype === this.#main.dtype ? this.#main : this.#main.toDataType(dtype);
      bytes = valuesToBytes(main.values);
      this.#bytes.set(dtype, bytes);
    }
    return bytes;
  }
}
