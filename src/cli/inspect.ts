import type { FileHandle } from 'node:fs/promises';
import { open, readFile } from 'node:fs/promises';
import type { Architecture } from 'mainstem';
import { ModelParameters, ParameterLayout } from 'mainstem';
import type { SafetensorsFile, SafetensorsTensor } from 'mainstem/files';
import { fromNestedJson, openSafetensors } from 'mainstem/files';
import { printable } from './format.ts';
import type { TensorStatistics } from './tensorStatistics.ts';
import { describeValues } from './tensorStatistics.ts';

/** One tensor of a file. */
export interface TensorReport {
  readonly name: string;
  /** As safetensors names it: F32, BF16. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: number;
  /** Null for types whose numbers cannot be read. */
  readonly statistics: TensorStatistics | null;
}

/** What is in a file; what `--json` prints. */
export interface InspectReport {
  readonly file: string;
  readonly bytes: number;
  /** `'safetensors'`, or the format that the JSON names. */
  readonly format: string;
  readonly architecture: Architecture | null;
  readonly sampleCount: number | null;
  readonly baseVersion: number | null;
  /** The `__metadata__` of a safetensors file. */
  readonly metadata: { readonly [key: string]: string };
  readonly tensors: readonly TensorReport[];
}

type Content = Omit<InspectReport, 'file' | 'bytes'>;

/**
 * Reads a file and describes it, tensor by tensor, until the signal aborts. Rejects with an Error of one line that
 * names the file.
 */
export async function inspectFile(path: string, signal: AbortSignal): Promise<InspectReport> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new Error('is a folder, expected a file');
    const content = (await isSafetensors(path, handle))
      ? await inspectSafetensors(await openSafetensors(handle), signal)
      : inspectJson(parse(await readFile(path, 'utf8')));
    return { file: path, bytes: stat.size, ...content };
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new Error(printable(`${path}: ${reason}`), { cause: thrown });
  } finally {
    await handle?.close();
  }
}

/** By the name where it says so, else by what follows the length: the header of safetensors begins with {. */
async function isSafetensors(path: string, handle: FileHandle): Promise<boolean> {
  if (/\.(safetensors|json)$/i.test(path)) return /s$/i.test(path);
  const { buffer, bytesRead } = await handle.read(new Uint8Array(9), 0, 9, 0);
  return bytesRead === 9 && buffer[8] === 0x7b && buffer[7] === 0;
}

async function inspectSafetensors(file: SafetensorsFile, signal: AbortSignal): Promise<Content> {
  const { tensors, architecture, sampleCount, baseVersion } = file.describe();
  const reports: TensorReport[] = [];
  // One after the other: only one tensor is in memory.
  for (const tensor of tensors) {
    signal.throwIfAborted();
    const { name, dtype, shape } = tensor;
    const values = shape.reduce((product, axis) => product * axis, 1);
    reports.push({ name, dtype, shape, values, statistics: await statisticsOf(file, tensor) });
  }
  return {
    format: 'safetensors',
    architecture: architecture ?? null,
    sampleCount: sampleCount ?? null,
    baseVersion: baseVersion ?? null,
    metadata: Object.fromEntries(file.metadata),
    tensors: reports,
  };
}

async function statisticsOf(
  file: SafetensorsFile,
  { name, dtype }: SafetensorsTensor,
): Promise<TensorStatistics | null> {
  // float32 holds all 16-bit types as they are.
  const wanted = /^(B?F16|[UI](8|16)|F32)$/.test(dtype) ? 'float32' : 'float64';
  try {
    return describeValues(await file.read(name, { dtype: wanted }));
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === 'SAFETENSORS_UNSUPPORTED_DTYPE') return null;
    throw thrown;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`is neither safetensors nor JSON: ${(cause as Error).message}`, { cause });
  }
}

function inspectJson(json: unknown): Content {
  const form = (typeof json === 'object' && json !== null ? json : {}) as {
    readonly format?: unknown;
    readonly model?: unknown;
    readonly parameters?: unknown;
  };
  switch (form.format) {
    case 'mainstem/model-parameters@1':
      return inspectParameters(form.format, ModelParameters.fromJSON(json));
    case 'mainstem/nested@1':
      return inspectParameters(form.format, fromNestedJson(json));
    case 'mainstem/model@1': {
      if (form.parameters !== null)
        return inspectParameters(form.format, ModelParameters.fromJSON(form.parameters));
      const untrained = new ModelParameters(
        new ParameterLayout([], { model: String(form.model) }),
        new Float32Array(),
      );
      return inspectParameters(form.format, untrained);
    }
    default:
      throw new Error(
        `is JSON of format ${JSON.stringify(form.format)}, expected a mainstem model, its parameters or nested arrays`,
      );
  }
}

function inspectParameters(format: string, parameters: ModelParameters): Content {
  const { layout, dtype, sampleCount, baseVersion } = parameters;
  return {
    format,
    architecture: layout.architecture ?? null,
    sampleCount: sampleCount ?? null,
    baseVersion: baseVersion ?? null,
    metadata: {},
    tensors: layout.tensors.map(({ name, shape, size }) => ({
      name,
      dtype: dtype === 'float32' ? 'F32' : 'F64',
      shape,
      values: size,
      statistics: describeValues(parameters.get(name)),
    })),
  };
}
