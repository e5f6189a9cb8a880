import { InvalidOptionError } from '../errors.ts';
import type { Architecture } from '../parameters/architecture.ts';
import { canonicalJson } from '../parameters/architecture.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { show } from '../show.ts';
import { SafetensorsError } from './SafetensorsError.ts';

/** Name and version of what mainstem says in `__metadata__`. */
const format = 'mainstem/model-parameters@1';

/** The keys of `__metadata__` that mainstem writes, and nobody else may. */
const ownKeys = ['format', 'architecture', 'sampleCount', 'baseVersion', 'tensors'];

/**
 * What parameters are, as strings by key, sorted: `format`; `architecture`, `sampleCount` and `baseVersion` where
 * they are known; `tensors`, their names in the order of the model, since the file has its own order; all but the
 * first as JSON. Throws InvalidOptionError for a key among `extra` that is one of these, or a value that is no string.
 */
export function metadataOf(
  parameters: ModelParameters,
  extra: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const { layout, sampleCount, baseVersion } = parameters;
  const metadata = new Map<string, string>(Object.entries(extra));
  for (const [key, value] of metadata) {
    if (ownKeys.includes(key)) {
      throw new InvalidOptionError(`metadata has the key ${key}, which mainstem writes itself`);
    }
    if (typeof value !== 'string') {
      throw new InvalidOptionError(`metadata has ${show(value)} at ${show(key)}, expected a string`);
    }
  }
  metadata.set('format', format);
  metadata.set('tensors', JSON.stringify(layout.tensors.map(({ name }) => name)));
  if (layout.architecture !== undefined) metadata.set('architecture', canonicalJson(layout.architecture));
  if (sampleCount !== undefined) metadata.set('sampleCount', JSON.stringify(sampleCount));
  if (baseVersion !== undefined) metadata.set('baseVersion', JSON.stringify(baseVersion));
  return new Map([...metadata].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The tensors in the order of the model, its architecture, and what else is known. Metadata of others says nothing
 * of the kind: the tensors stay as they are. Throws SafetensorsError where mainstem's own are damaged.
 */
export function describedBy<Tensor extends { readonly name: string }>(
  metadata: ReadonlyMap<string, string>,
  tensors: readonly Tensor[],
): {
  tensors: readonly Tensor[];
  architecture: Architecture | undefined;
  sampleCount: number | undefined;
  baseVersion: number | undefined;
} {
  const given = metadata.get('format');
  if (given?.startsWith('mainstem/') !== true) {
    return { tensors, architecture: undefined, sampleCount: undefined, baseVersion: undefined };
  }
  if (given !== format) {
    throw new SafetensorsError('INVALID_METADATA', `the format is ${show(given)}, expected ${format}`);
  }
  const architecture = parse(metadata, 'architecture');
  if (architecture !== undefined && !isPlainObject(architecture)) {
    throw wrong('architecture', architecture, 'an object');
  }
  return {
    tensors: inOrder(tensors, parse(metadata, 'tensors')),
    architecture: architecture as Architecture | undefined,
    sampleCount: numberOf(metadata, 'sampleCount'),
    baseVersion: numberOf(metadata, 'baseVersion'),
  };
}

function inOrder<Tensor extends { readonly name: string }>(
  tensors: readonly Tensor[],
  names: unknown,
): readonly Tensor[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const ordered = Array.isArray(names) ? names.map((name) => byName.get(name as string)) : [undefined];
  const isOnce = new Set(ordered).size === ordered.length && ordered.length === tensors.length;
  if (!isOnce || ordered.includes(undefined)) {
    throw wrong('tensors', names, 'the name of each tensor once');
  }
  return ordered as Tensor[];
}

function numberOf(metadata: ReadonlyMap<string, string>, key: string): number | undefined {
  const value = parse(metadata, key);
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0))
    return value;
  throw wrong(key, value, 'a number, 0 or more');
}

function parse(metadata: ReadonlyMap<string, string>, key: string): unknown {
  const text = metadata.get(key);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(key, text, 'JSON');
  }
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(key: string, got: unknown, expected: string): SafetensorsError {
  return new SafetensorsError(
    'INVALID_METADATA',
    `${key} in the metadata is ${show(got)}, expected ${expected}`,
  );
}
