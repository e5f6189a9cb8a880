import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { MainState } from './MainState.ts';
import { storedValues } from './persistence.ts';

/** A main that is durable. */
export interface CommittedMain {
  readonly version: number;
  /** A copy of it, in main's dtype. */
  read(): ModelParameters;
}

/** What a main is besides its values. */
export interface MainInfo {
  readonly layout: ParameterLayout;
  readonly dtype: DataType;
  readonly version: number;
}

/** A main as the bytes that went to the store. */
export class StoredMain implements CommittedMain {
  readonly #bytes: Uint8Array;
  readonly #info: MainInfo;

  constructor(bytes: Uint8Array, info: MainInfo) {
    this.#bytes = bytes;
    this.#info = info;
  }

  get version(): number {
    return this.#info.version;
  }

  read(): ModelParameters {
    const { layout, dtype, version } = this.#info;
    const main = new ModelParameters(layout, storedValues(this.#bytes, layout), { baseVersion: version });
    return dtype === 'float64' ? main : main.toDataType(dtype);
  }
}

/** A main where nothing is stored: it shares main's values as long as they are the newest, and costs no copy then. */
export class SharedMain implements CommittedMain {
  #values: Float64Array<ArrayBuffer>;
  #isShared = true;
  #isKept = false;
  readonly #info: MainInfo;

  constructor(values: Float64Array<ArrayBuffer>, info: MainInfo) {
    this.#values = values;
    this.#info = info;
  }

  get version(): number {
    return this.#info.version;
  }

  /** The values, where they were main's and are this one's alone. */
  get kept(): Float64Array<ArrayBuffer> | undefined {
    return this.#isKept ? this.#values : undefined;
  }

  /** Makes the values its own without a copy: main, which has moved on, takes `spare` for its next change. */
  keep(main: MainState, spare: Float64Array<ArrayBuffer> | undefined): void {
    if (!this.#isShared) return;
    this.#isShared = false;
    this.#isKept = true;
    main.giveUpSpare(this.#values, spare);
  }

  /** Makes the values its own, before they are overwritten. */
  detach(): void {
    if (!this.#isShared) return;
    this.#isShared = false;
    this.#values = this.#values.slice();
  }

  read(): ModelParameters {
    const { layout, dtype, version } = this.#info;
    const values = createValues(dtype, layout.length);
    values.set(this.#values);
    return new ModelParameters(layout, values, { baseVersion: version });
  }
}
