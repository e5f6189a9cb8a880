import { MalformedDataError } from '../errors.ts';
import type { Architecture } from './architecture.ts';
import type { TensorArrays, TensorsInfo } from './NamedTensors.ts';
import { NamedTensors, nameOf, readArrays, readJson } from './NamedTensors.ts';
import type { DataType } from './values.ts';
import { createValues } from './values.ts';

const brand = Symbol.for('mainstem.ModelParameters');
const format = 'mainstem/model-parameters@1';

/**
 * The parameters of a model: named tensors over one flat typed array. The currency of mainstem.
 * Arithmetic returns new parameters and checks that the layouts fit.
 */
export class ModelParameters extends NamedTensors {
  protected readonly format: string = format;

  static {
    // On the prototype: defining it on each object costs more than all the rest of making one.
    Object.defineProperty(ModelParameters.prototype, brand, { value: true });
  }

  /** True for ModelParameters, also of another copy of the package. */
  static isModelParameters(value: unknown): value is ModelParameters {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /**
   * Parameters from nested arrays by tensor name, in the order of the keys: `{ weights: [[1], [2]], bias: [0] }`.
   * Throws MalformedDataError where an array is ragged. They fit any model with these tensors unless an
   * `architecture` is given. `dtype` is `'float64'` unless given.
   */
  static fromArrays(
    arrays: TensorArrays,
    options: { dtype?: DataType; architecture?: Architecture } & TensorsInfo = {},
  ): ModelParameters {
    const { layout, values } = readArrays(arrays, options);
    return new ModelParameters(layout, values, options);
  }

  /** Reads what `toJSON` wrote, parsed. Throws MalformedDataError where it is something else. */
  static fromJSON(json: unknown): ModelParameters {
    const { layout, values, info } = readJson(json, format);
    return new ModelParameters(layout, values, info);
  }

  /** A copy that shares nothing; `info` replaces what is known of it. */
  clone(info: TensorsInfo = {}): ModelParameters {
    return new ModelParameters(this.layout, this.values.slice(), {
      sampleCount: this.sampleCount,
      baseVersion: this.baseVersion,
      origin: this.origin,
      ...info,
    });
  }

  /** A copy with 4 or 8 bytes a number. */
  toDataType(dtype: DataType): ModelParameters {
    const values = createValues(dtype, this.values.length);
    values.set(this.values);
    return new ModelParameters(this.layout, values, this);
  }

  /** this + other. */
  add(other: NamedTensors): ModelParameters {
    return this.addScaled(1, other);
  }

  /** this − other. */
  subtract(other: NamedTensors): ModelParameters {
    return this.addScaled(-1, other);
  }

  /** this + factor · other. */
  addScaled(factor: number, other: NamedTensors): ModelParameters {
    this.layout.assertFits(other.layout, 'the other parameters', 'these');
    const sum = this.clone();
    for (let i = 0; i < sum.values.length; i++) {
      sum.values[i] = (sum.values[i] as number) + factor * (other.values[i] as number);
    }
    return sum;
  }

  /** factor · this. */
  scale(factor: number): ModelParameters {
    const scaled = this.clone();
    for (let i = 0; i < scaled.values.length; i++) scaled.values[i] = (scaled.values[i] as number) * factor;
    return scaled;
  }
}

/** Throws MalformedDataError unless the value is ModelParameters: for borders that plain JavaScript calls. */
export function requireModelParameters(value: unknown): ModelParameters {
  if (ModelParameters.isModelParameters(value)) return value;
  throw new MalformedDataError(
    `expected ModelParameters, got ${nameOf(value)}; ModelParameters.fromArrays makes them from nested arrays`,
  );
}
