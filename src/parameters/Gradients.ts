import { MalformedDataError } from '../errors.ts';
import type { Architecture } from './architecture.ts';
import type { TensorArrays, TensorsInfo } from './NamedTensors.ts';
import { NamedTensors, nameOf, readArrays, readJson } from './NamedTensors.ts';
import type { ParameterLayout } from './ParameterLayout.ts';
import type { DataType, Values } from './values.ts';

const brand = Symbol.for('mainstem.Gradients');
const format = 'mainstem/gradients@1';

/** What gradients must and may carry besides their numbers. */
export interface GradientsInfo extends TensorsInfo {
  /** Rows that the gradient is the mean over. */
  readonly sampleCount: number;
}

/** The gradient of a mean cost, with no learning rate in it, in the layout of the parameters it belongs to. */
export class Gradients extends NamedTensors {
  protected readonly format: string = format;
  declare readonly sampleCount: number;

  static {
    // On the prototype: defining it on each object costs more than all the rest of making one.
    Object.defineProperty(Gradients.prototype, brand, { value: true });
  }

  /** Throws MalformedDataError without a sample count: gradients are averaged by it. */
  constructor(layout: ParameterLayout, values: Values, info: GradientsInfo) {
    if (info?.sampleCount === undefined) {
      throw new MalformedDataError(
        'gradients need a sampleCount: the number of rows that they are the mean over',
      );
    }
    super(layout, values, info);
  }

  /** True for Gradients, also of another copy of the package. */
  static isGradients(value: unknown): value is Gradients {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Gradients from nested arrays by tensor name. Throws MalformedDataError where an array is ragged. */
  static fromArrays(
    arrays: TensorArrays,
    options: { dtype?: DataType; architecture?: Architecture } & GradientsInfo,
  ): Gradients {
    const { layout, values } = readArrays(arrays, options ?? {});
    return new Gradients(layout, values, options);
  }

  /** Reads what `toJSON` wrote, parsed. Throws MalformedDataError where it is something else. */
  static fromJSON(json: unknown): Gradients {
    const { layout, values, info } = readJson(json, format);
    return new Gradients(layout, values, info as GradientsInfo);
  }

  /** A copy that shares nothing; `info` replaces what is known of it. */
  clone(info: TensorsInfo = {}): Gradients {
    const { sampleCount = this.sampleCount, baseVersion = this.baseVersion, origin = this.origin } = info;
    return new Gradients(this.layout, this.values.slice(), { sampleCount, baseVersion, origin });
  }
}

/** Throws MalformedDataError unless the value is Gradients: for borders that plain JavaScript calls. */
export function requireGradients(value: unknown): Gradients {
  if (Gradients.isGradients(value)) return value;
  throw new MalformedDataError(`expected Gradients, got ${nameOf(value)}; model.getGradients() gives them`);
}
