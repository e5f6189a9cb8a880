import { LayoutMismatchError, MalformedDataError, NonFiniteError } from '../errors.ts';
import { show } from '../show.ts';
import type { Architecture } from './architecture.ts';
import type { NestedArray } from './nestedArrays.ts';
import { flattenInto, nest, shapeOf } from './nestedArrays.ts';
import type { TensorShape } from './ParameterLayout.ts';
import { ParameterLayout } from './ParameterLayout.ts';
import type { DataType, Values } from './values.ts';
import { checkDataType, createValues, dataTypeOf, findNonFinite } from './values.ts';

/**
 * Identifies the model instance that a set of tensors came from, by object identity: a coordinator in the same
 * process knows the child by it. It does not travel.
 */
export type Origin = object;

/** What is known of a set of tensors besides its numbers. */
export interface TensorsInfo {
  /** Rows that it was trained on. */
  readonly sampleCount?: number | undefined;
  /** Version of main that it is, or that its training started from. */
  readonly baseVersion?: number | undefined;
  /** The model instance that it came from. */
  readonly origin?: Origin | undefined;
}

/** Nested arrays by tensor name. */
export type TensorArrays = { readonly [name: string]: NestedArray };

/** The JSON form of named tensors. `values` are flat, row-major. */
export interface NamedTensorsJson {
  readonly format: string;
  readonly dtype: DataType;
  readonly architecture: Architecture | null;
  readonly sampleCount: number | null;
  readonly baseVersion: number | null;
  readonly tensors: readonly { name: string; shape: readonly number[]; values: readonly number[] }[];
}

/** Named tensors over one flat array: what ModelParameters and Gradients have in common. */
export abstract class NamedTensors {
  /** Order, names and shapes. */
  readonly layout: ParameterLayout;
  /** All the numbers, live: writing here changes the tensors. */
  readonly values: Values;
  readonly sampleCount: number | undefined;
  readonly baseVersion: number | undefined;
  readonly origin: Origin | undefined;

  /** Throws LayoutMismatchError unless `values` is as long as the layout. Takes the array, does not copy it. */
  constructor(layout: ParameterLayout, values: Values, info: TensorsInfo = {}) {
    if (values.length !== layout.length) {
      throw new LayoutMismatchError(`got ${values.length} values, the layout has ${layout.length}`);
    }
    checkInfo(info);
    this.layout = layout;
    this.values = values;
    this.sampleCount = info.sampleCount;
    this.baseVersion = info.baseVersion;
    this.origin = info.origin;
  }

  /** `'float32'` or `'float64'`. */
  get dtype(): DataType {
    return dataTypeOf(this.values);
  }

  /** A live view of one tensor, flat and row-major. Throws LayoutMismatchError for an unknown name. */
  get(name: string): Values {
    const slot = this.layout.find(name);
    if (slot === undefined) {
      const names = this.layout.tensors.map((tensor) => tensor.name).join(', ');
      throw new LayoutMismatchError(`there is no tensor ${show(name)}, there are ${names}`);
    }
    return this.values.subarray(slot.offset, slot.offset + slot.size);
  }

  /** Nested arrays by tensor name: `{ weights: [[…]], bias: […] }`. A copy. */
  toArrays(): { [name: string]: NestedArray } {
    const entries = this.layout.tensors.map(
      (slot) => [slot.name, nest(this.values, slot.offset, slot.shape)] as const,
    );
    return Object.fromEntries(entries);
  }

  /** The Euclidean norm of all values together. */
  norm(): number {
    let sum = 0;
    for (const value of this.values) sum += value * value;
    return Math.sqrt(sum);
  }

  /** Throws NonFiniteError, naming the tensor and the place, where a value is NaN or infinite. */
  assertFinite(what: string): void {
    const index = findNonFinite(this.values);
    if (index >= 0) throw nonFiniteAt(this, index, what);
  }

  /** Plain JSON. Throws NonFiniteError where a value is NaN or infinite: JSON has no word for them. */
  toJSON(): NamedTensorsJson {
    this.assertFinite('tensors to write as JSON');
    return {
      format: this.format,
      dtype: this.dtype,
      architecture: this.layout.architecture ?? null,
      sampleCount: this.sampleCount ?? null,
      baseVersion: this.baseVersion ?? null,
      tensors: this.layout.tensors.map(({ name, shape, offset, size }) => ({
        name,
        shape,
        values: Array.from(this.values.subarray(offset, offset + size)),
      })),
    };
  }

  /** Name and version of the JSON form. */
  protected abstract readonly format: string;
}

function checkInfo({ sampleCount, baseVersion }: TensorsInfo): void {
  if (sampleCount !== undefined && !(Number.isFinite(sampleCount) && sampleCount >= 0)) {
    throw new MalformedDataError(`sampleCount is ${sampleCount}, expected a number of rows, 0 or more`);
  }
  if (baseVersion !== undefined && !(Number.isSafeInteger(baseVersion) && baseVersion >= 0)) {
    throw new MalformedDataError(`baseVersion is ${baseVersion}, expected a whole number, 0 or more`);
  }
}

/** The error for a value that is not finite: it names the tensor and the index in it. */
export function nonFiniteAt(tensors: NamedTensors, index: number, what: string): NonFiniteError {
  const slot = tensors.layout.tensors.find(({ offset, size }) => index >= offset && index < offset + size);
  const place = slot === undefined ? `value ${index}` : `${slot.name}[${index - slot.offset}]`;
  return new NonFiniteError(`${what} have ${tensors.values[index]} at ${place}, expected finite numbers`);
}

/** Layout and values of nested arrays: the work behind `fromArrays`. */
export function readArrays(
  arrays: TensorArrays,
  options: { dtype?: DataType; architecture?: Architecture },
): { layout: ParameterLayout; values: Values } {
  if (typeof arrays !== 'object' || arrays === null || Array.isArray(arrays)) {
    throw new MalformedDataError(
      'expected an object of nested arrays by tensor name: { weights: [[…]], bias: […] }',
    );
  }
  const entries = Object.entries(arrays);
  const shapes = entries.map(([name, nested]) => ({ name, shape: shapeOf(nested, name) }));
  const layout = new ParameterLayout(shapes, options.architecture);
  const values = createValues(checkDataType(options.dtype ?? 'float64'), layout.length);
  entries.forEach(([name, nested], index) => {
    const slot = layout.tensors[index];
    if (slot !== undefined) flattenInto(values, slot.offset, nested, slot.shape, name);
  });
  return { layout, values };
}

/** Layout, values and info of a parsed JSON form; throws MalformedDataError where it is not one. */
export function readJson(
  json: unknown,
  format: string,
): { layout: ParameterLayout; values: Values; info: TensorsInfo } {
  const form = json as Partial<NamedTensorsJson> | null;
  if (typeof form !== 'object' || form === null || form.format !== format || !Array.isArray(form.tensors)) {
    const got = typeof form === 'object' && form !== null ? show(form.format) : typeof json;
    throw new MalformedDataError(`expected JSON of format ${format}, got ${got}`);
  }
  const tensors = form.tensors as readonly (TensorShape & { values: readonly number[] })[];
  const architecture = form.architecture ?? undefined;
  if (architecture !== undefined && (typeof architecture !== 'object' || Array.isArray(architecture))) {
    throw new MalformedDataError('architecture must be an object or null');
  }
  for (const tensor of tensors) {
    if (typeof tensor !== 'object' || tensor === null)
      throw new MalformedDataError('a tensor must be an object');
  }
  if (form.dtype !== 'float32' && form.dtype !== 'float64') {
    throw new MalformedDataError(`dtype is ${show(form.dtype)}, expected 'float32' or 'float64'`);
  }
  const layout = new ParameterLayout(tensors, architecture);
  const values = createValues(form.dtype, layout.length);
  layout.tensors.forEach((slot, index) => {
    const numbers = tensors[index]?.values;
    const legal =
      Array.isArray(numbers) && numbers.length === slot.size && numbers.every((n) => Number.isFinite(n));
    if (!legal) throw new MalformedDataError(`tensor ${slot.name} must have ${slot.size} finite numbers`);
    values.set(numbers, slot.offset);
    if (findNonFinite(values, slot.offset, slot.offset + slot.size) >= 0) {
      throw new MalformedDataError(`tensor ${slot.name} has numbers beyond ${form.dtype}`);
    }
  });
  const info = { sampleCount: form.sampleCount ?? undefined, baseVersion: form.baseVersion ?? undefined };
  return { layout, values, info };
}

/** What a value is, for messages: its class where it has one. */
export function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  if (value instanceof NamedTensors) return `a ${value.constructor.name.replace(/^_/, '')}`;
  if ('getModelParameters' in value) return 'a model; model.getModelParameters() gives its parameters';
  const format: unknown = Object.hasOwn(value, 'format') ? (value as { format: unknown }).format : undefined;
  if (typeof format === 'string' && format.startsWith('mainstem/'))
    return `the JSON of ${format}, which fromJSON reads`;
  const name = value.constructor?.name;
  if (name === 'Promise') return 'a promise; await it';
  return name === undefined || name === 'Object' ? 'an object' : `a ${name}`;
}
