import { MalformedDataError } from '../errors.ts';
import type { Architecture } from '../parameters/architecture.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { NestedArray } from '../parameters/nestedArrays.ts';
import { flattenInto, shapeOf } from '../parameters/nestedArrays.ts';
import type { TensorShape } from '../parameters/ParameterLayout.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import { createValues, findNonFinite } from '../parameters/values.ts';
import { show } from '../show.ts';
import type { ParametersSource } from './parametersOf.ts';
import { parametersOf } from './parametersOf.ts';

const format = 'mainstem/nested@1';

/** Parameters as JSON whose tensors are nested arrays, as engines read them that speak nothing else. */
export interface NestedJson {
  readonly format: string;
  readonly dtype: DataType;
  /** What the numbers mean; null for parameters made by hand. */
  readonly architecture: Architecture | null;
  readonly sampleCount: number | null;
  readonly baseVersion: number | null;
  /** Names in the order of the model, and shapes: many readers of JSON keep no order, and [] has no second axis. */
  readonly layout: readonly TensorShape[];
  /** Row-major: `weights[input][output]`. */
  readonly tensors: { readonly [name: string]: NestedArray };
}

const keys = ['format', 'dtype', 'architecture', 'sampleCount', 'baseVersion', 'layout', 'tensors'];

/** A model or its parameters as JSON with nested arrays. Throws NonFiniteError: JSON has no NaN and no Infinity. */
export function toNestedJson(source: ParametersSource): NestedJson {
  const parameters = parametersOf(source);
  parameters.assertFinite('parameters to write as JSON');
  const { layout, dtype, sampleCount, baseVersion } = parameters;
  return {
    format,
    dtype,
    architecture: layout.architecture ?? null,
    sampleCount: sampleCount ?? null,
    baseVersion: baseVersion ?? null,
    layout: layout.tensors.map(({ name, shape }) => ({ name, shape })),
    tensors: parameters.toArrays(),
  };
}

/**
 * Reads what `toNestedJson` wrote, parsed. Whoever writes it elsewhere may leave out all but `format` and
 * `tensors`: the layout is then read from the arrays, and numbers are float64. Throws MalformedDataError for
 * anything else, also for keys that it does not know, and LimitExceededError for layouts that are too large.
 */
export function fromNestedJson(json: unknown): ModelParameters {
  const form = readForm(json);
  const dtype = form.dtype ?? 'float64';
  if (dtype !== 'float32' && dtype !== 'float64') {
    throw new MalformedDataError(`dtype is ${show(dtype)}, expected 'float32' or 'float64'`);
  }
  const architecture = form.architecture ?? undefined;
  if (architecture !== undefined && !isObject(architecture)) {
    throw new MalformedDataError(`architecture is ${show(architecture)}, expected an object or null`);
  }
  const tensors = readTensors(form.tensors);
  const layout = new ParameterLayout(
    readShapes(form.layout, tensors),
    architecture as Architecture | undefined,
  );
  const values = createValues(dtype, layout.length);
  for (const { name, shape, offset, size } of layout.tensors) {
    flattenInto(values, offset, tensors.get(name) as NestedArray, shape, name);
    if (findNonFinite(values, offset, offset + size) >= 0) {
      throw new MalformedDataError(`tensor ${name} has numbers beyond ${dtype}`);
    }
  }
  return new ModelParameters(layout, values, {
    sampleCount: numberOf(form, 'sampleCount'),
    baseVersion: numberOf(form, 'baseVersion'),
  });
}

/** The JSON form, none of whose parts is checked yet. */
type Form = Partial<Record<keyof NestedJson, unknown>>;

function readForm(json: unknown): Form {
  // Only what the JSON itself holds: a prototype must not add to it.
  const form: Form = isObject(json) ? Object.fromEntries(Object.entries(json)) : {};
  if (form.format !== format) {
    const got = isObject(json) ? show(form.format) : show(json);
    throw new MalformedDataError(`expected JSON of format ${format}, got ${got}`);
  }
  const unknown = Object.keys(form).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new MalformedDataError(
      `there is no key ${show(unknown)} in ${format}; keys are ${keys.join(', ')}`,
    );
  }
  return form;
}

/** A Map: a tensor may be called `__proto__`. */
function readTensors(tensors: unknown): ReadonlyMap<string, NestedArray> {
  if (!isObject(tensors)) {
    throw new MalformedDataError(`tensors are ${show(tensors)}, expected nested arrays by name`);
  }
  return new Map(Object.entries(tensors) as [string, NestedArray][]);
}

function readShapes(layout: unknown, tensors: ReadonlyMap<string, NestedArray>): readonly TensorShape[] {
  if (layout === undefined || layout === null) {
    return Array.from(tensors, ([name, nested]) => ({ name, shape: shapeOf(nested, name) }));
  }
  if (!Array.isArray(layout) || !layout.every(isObject)) {
    throw new MalformedDataError(`layout is ${show(layout)}, expected a list of { name, shape }`);
  }
  const shapes = layout as readonly TensorShape[];
  const missing = shapes.find(({ name }) => !tensors.has(name));
  if (missing !== undefined || shapes.length !== tensors.size) {
    throw new MalformedDataError(
      missing === undefined
        ? `the layout names ${shapes.length} tensors, there are ${tensors.size}`
        : `the layout names ${show(missing.name)}, which is not among the tensors`,
    );
  }
  return shapes;
}

function numberOf(form: Form, key: 'sampleCount' | 'baseVersion'): number | undefined {
  const value = form[key] ?? undefined;
  if (value === undefined || typeof value === 'number') return value;
  throw new MalformedDataError(`${key} is ${show(value)}, expected a number or null`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
