import { decodeRecord, encodeRecord } from '../coordinators/record.ts';
import { MalformedDataError } from '../errors.ts';
import type { Architecture } from '../parameters/architecture.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { bytesToValues, valuesToBytes } from '../protocol/tensorBytes.ts';
import type { CoordinatorDescription } from './description.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What the keys of a log begin with, unless its owner says otherwise. */
export const logPrefix = 'log/';

/** Of the log, in its first record. */
export const logFormat = 'mainstem/log@1';

/** Tensors in a record; the layout is in a record of its own, once. */
export interface RecordedTensors {
  readonly layout: string;
  readonly dtype: DataType;
  readonly values: Values;
}

/** One record of a log, but for its number. */
export type LogRecord =
  | {
      readonly type: 'start';
      readonly format: string;
      readonly coordinator: CoordinatorDescription;
      readonly kernel: string;
    }
  | {
      readonly type: 'layout';
      readonly fingerprint: string;
      readonly tensors: readonly (readonly [string, readonly number[]])[];
      readonly architecture: Architecture | null;
    }
  /** Main was set. */
  | { readonly type: 'main'; readonly version: number; readonly tensors: RecordedTensors }
  | {
      readonly type: 'update';
      /** From 1. */
      readonly update: number;
      readonly childId: string;
      readonly sampleCount: number | null;
      readonly baseVersion: number | null;
      /** Milliseconds of the coordinator's clock. */
      readonly at: number;
      readonly tensors: RecordedTensors;
    }
  /** A new main was made of updates. */
  | { readonly type: 'merged'; readonly version: number; readonly at: number; readonly updates: number }
  /** An update that had been taken in was given up. */
  | { readonly type: 'rejected'; readonly update: number }
  | { readonly type: 'left'; readonly childId: string }
  /** Records were lost here: the store was too slow. */
  | { readonly type: 'gap' };

const types = ['start', 'layout', 'main', 'update', 'merged', 'rejected', 'left', 'gap'] as const;

/** Where a record is: numbers sort as text. */
export function logKey(prefix: string, number: number): string {
  return `${prefix}${String(number).padStart(15, '0')}`;
}

export function encodeLogRecord(record: LogRecord): Bytes {
  const kind = types.indexOf(record.type);
  if (!('tensors' in record) || record.type === 'layout') return encodeRecord(kind, record);
  const { tensors, ...rest } = record;
  const { values, ...described } = tensors;
  return encodeRecord(kind, { ...rest, tensors: described }, valuesToBytes(values));
}

/** A record, but for the values of its tensors. Throws MalformedDataError for what is no record of a log. */
export function peekLogRecord(bytes: Bytes): { readonly record: LogRecord; readonly payload: Bytes } {
  const { kind, metadata, payload } = decodeRecord(bytes);
  const record = metadata as LogRecord;
  if (types[kind] === undefined || record?.type !== types[kind])
    throw new MalformedDataError(`a record of a log has kind ${kind} and type ${record?.type}`);
  return { record, payload };
}

/** Throws MalformedDataError for what is no record of a log. */
export function decodeLogRecord(bytes: Bytes, layouts: ReadonlyMap<string, ParameterLayout>): LogRecord {
  const { record, payload } = peekLogRecord(bytes);
  if (record.type !== 'main' && record.type !== 'update') return record;
  const { layout, dtype } = record.tensors;
  const { length } = requireLayout(layouts, layout);
  return { ...record, tensors: { layout, dtype, values: bytesToValues(payload, dtype, length) } };
}

/** Throws MalformedDataError where the log has not named it. */
export function requireLayout(
  layouts: ReadonlyMap<string, ParameterLayout>,
  fingerprint: string,
): ParameterLayout {
  const layout = layouts.get(fingerprint);
  if (layout !== undefined) return layout;
  throw new MalformedDataError(`the log has tensors of layout ${fingerprint}, which it does not name`);
}

export function layoutRecord({ fingerprint, tensors, architecture }: ParameterLayout): LogRecord {
  const shapes = tensors.map(({ name, shape }) => [name, shape] as const);
  return { type: 'layout', fingerprint, tensors: shapes, architecture: architecture ?? null };
}

export function readLayout(record: LogRecord & { readonly type: 'layout' }): ParameterLayout {
  const tensors = record.tensors.map(([name, shape]) => ({ name, shape }));
  return new ParameterLayout(tensors, record.architecture ?? undefined);
}

/** Not a copy: it is to be encoded at once. */
export function tensorsOf({ layout, dtype, values }: Gradients | ModelParameters): RecordedTensors {
  return { layout: layout.fingerprint, dtype, values };
}
