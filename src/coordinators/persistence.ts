import { MalformedDataError } from '../errors.ts';
import type { OptimizerState, OptimizerStateJson } from '../optimizers/Optimizer.ts';
import type { Architecture, JsonValue } from '../parameters/architecture.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { TensorShape } from '../parameters/ParameterLayout.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import { checkDataType } from '../parameters/values.ts';
import { bytesToValues, valuesToBytes } from '../protocol/tensorBytes.ts';
import type { Member, StoredMember } from './Membership.ts';
import { decodeRecord, encodeRecord, encodeRecordText } from './record.ts';
import type { SequenceWindowJson } from './SequenceWindow.ts';
import { SequenceWindow } from './SequenceWindow.ts';

/** Kinds of records, kept apart from each other and from messages. */
const tensorsKind = 200;
const memberKind = 201;
const optimizerKind = 202;
const stateKind = 203;

interface StoredLayout {
  readonly tensors: readonly TensorShape[];
  readonly architecture: Architecture | null;
}

interface StoredTensors extends StoredLayout {
  readonly dtype: DataType;
  /** dtype that main has for others; its values are stored as float64. */
  readonly outerDtype: DataType;
  readonly version: number;
  readonly sampleCount: number | null;
}

/** Bytes of named tensors. */
export function encodeTensors(
  layout: ParameterLayout,
  values: Values,
  info: { version: number; outerDtype: DataType; sampleCount?: number | undefined },
): Uint8Array {
  const more: Omit<StoredTensors, keyof StoredLayout> = {
    dtype: values instanceof Float32Array ? 'float32' : 'float64',
    outerDtype: info.outerDtype,
    version: info.version,
    sampleCount: info.sampleCount ?? null,
  };
  const json = `${layoutJson(layout).slice(0, -1)},${JSON.stringify(more).slice(1)}`;
  return encodeRecordText(tensorsKind, json, valuesToBytes(values));
}

/** The part of the metadata that is the same for every main of a layout, as JSON. */
function layoutJson(layout: ParameterLayout): string {
  let json = layoutJsons.get(layout);
  if (json === undefined) {
    const stored: StoredLayout = {
      tensors: layout.tensors.map(({ name, shape }) => ({ name, shape })),
      architecture: layout.architecture ?? null,
    };
    json = JSON.stringify(stored);
    layoutJsons.set(layout, json);
  }
  return json;
}

/** Writing a layout down costs more than the rest of a small main, and it never changes. */
const layoutJsons = new WeakMap<ParameterLayout, string>();

/** Reads what encodeTensors wrote. */
export function decodeTensors(bytes: Uint8Array): {
  parameters: ModelParameters;
  outerDtype: DataType;
  version: number;
} {
  const frame = decodeRecord(bytes.slice());
  if (frame.kind !== tensorsKind)
    throw new MalformedDataError(`a stored record is of kind ${frame.kind}, expected tensors`);
  const stored = frame.metadata as StoredTensors;
  const layout = new ParameterLayout(stored.tensors, stored.architecture ?? undefined);
  const values = bytesToValues(frame.payload, checkDataType(stored.dtype), layout.length);
  const parameters = new ModelParameters(layout, values, { sampleCount: stored.sampleCount ?? undefined });
  return { parameters, outerDtype: checkDataType(stored.outerDtype), version: stored.version };
}

/** The float64 values at the end of stored tensors whose layout is known. */
export function storedValues(bytes: Uint8Array, layout: ParameterLayout): Values {
  const { length } = layout;
  // A store's bytes may lie in any kind of buffer: they are only read.
  const payload = bytes.subarray(bytes.length - 8 * length) as Uint8Array<ArrayBuffer>;
  return bytesToValues(payload, 'float64', length);
}

/** Bytes of what is known of a child's updates. */
export function encodeMember({ index, epoch, session, window }: Member): Uint8Array {
  const json = `{"index":${index},"epoch":${epoch},"session":${JSON.stringify(session)},"window":${window.stringify()}}`;
  return encodeRecordText(memberKind, json, new Uint8Array(0));
}

/** Reads what encodeMember wrote. */
export function decodeMember(bytes: Uint8Array): StoredMember {
  const { kind, metadata } = decodeRecord(bytes.slice());
  if (kind !== memberKind)
    throw new MalformedDataError(`a stored record is of kind ${kind}, expected a child`);
  const { index, epoch, session, window } = metadata as Omit<StoredMember, 'window'> & {
    window: SequenceWindowJson;
  };
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(epoch) || typeof session !== 'string') {
    throw new MalformedDataError('a stored child is damaged');
  }
  return { index, epoch, session, window: SequenceWindow.fromJSON(window) };
}

/** Bytes of an optimizer's state. */
export function encodeOptimizerState(optimizer: string, { steps, slots }: OptimizerState): Uint8Array {
  const length = slots[0]?.length ?? 0;
  const all = new Float64Array(slots.length * length);
  slots.forEach((slot, index) => {
    all.set(slot, index * length);
  });
  return encodeRecord(optimizerKind, { optimizer, steps, slots: slots.length }, valuesToBytes(all));
}

/** Reads what encodeOptimizerState wrote. */
export function decodeOptimizerState(bytes: Uint8Array): OptimizerStateJson {
  const { kind, metadata, payload } = decodeRecord(bytes.slice());
  if (kind !== optimizerKind)
    throw new MalformedDataError(`a stored record is of kind ${kind}, expected optimizer state`);
  const { optimizer, steps, slots } = metadata as { optimizer: string; steps: number; slots: number };
  const all = bytesToValues(payload, 'float64', payload.length / 8);
  const length = slots === 0 ? 0 : all.length / slots;
  const parts = Array.from({ length: slots }, (_, i) =>
    Array.from(all.subarray(i * length, (i + 1) * length)),
  );
  return { optimizer, steps, slots: parts };
}

/** Bytes of plain JSON, of any length that a frame may have. */
export function encodeState(state: JsonValue): Uint8Array {
  const text: string | undefined = JSON.stringify(state);
  if (text === undefined) throw new MalformedDataError('the memory of a plugin is no JSON');
  return encodeRecord(stateKind, null, new TextEncoder().encode(text));
}

/** Reads what encodeState wrote. */
export function decodeState(bytes: Uint8Array): JsonValue {
  const { kind, payload } = decodeRecord(bytes.slice());
  if (kind !== stateKind)
    throw new MalformedDataError(`a stored record is of kind ${kind}, expected the memory of a plugin`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as JsonValue;
  } catch (cause) {
    throw new MalformedDataError('a stored memory is not JSON', { cause });
  }
}
