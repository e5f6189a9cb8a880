import { MalformedDataError } from '../errors.ts';
import { idLengthMax } from '../limits.ts';
import { show } from '../show.ts';
import { decodeFrame, encodeFrame } from '../transport/frame.ts';
import type { Message } from './messages.ts';

/** Checks one field; false refuses the message. */
type FieldCheck = (value: unknown) => boolean;

const isCount: FieldCheck = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isId: FieldCheck = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= idLengthMax;
const isDataType: FieldCheck = (value) => value === 'float32' || value === 'float64';
const isObject: FieldCheck = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isError: FieldCheck = (value) => {
  const error = value as { code?: unknown; message?: unknown };
  return isObject(value) && typeof error.code === 'string' && typeof error.message === 'string';
};
const isTexts: FieldCheck = (value) =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string');
const orNull =
  (check: FieldCheck): FieldCheck =>
  (value) =>
    value === null || check(value);
const oneOf =
  (...values: readonly string[]): FieldCheck =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const isLayout: FieldCheck = (value) => {
  const form = value as { tensors?: unknown; architecture?: unknown };
  return isObject(value) && Array.isArray(form.tensors) && orNull(isObject)(form.architecture);
};
const isSampleCount: FieldCheck = (value) => Number.isFinite(value) && (value as number) >= 0;

interface MessageForm {
  readonly kind: number;
  readonly fields: Readonly<Record<string, FieldCheck>>;
  readonly hasPayload: boolean;
}

/** The number and the fields of each message. Unknown fields are skipped. */
const forms: Readonly<Record<Message['type'], MessageForm>> = {
  hello: {
    kind: 1,
    hasPayload: false,
    fields: { protocol: isCount, federation: isId, childId: isId, layout: orNull(isLayout) },
  },
  welcome: {
    kind: 2,
    hasPayload: false,
    fields: {
      kind: oneOf('gradients', 'parameters'),
      version: isCount,
      epoch: isCount,
      sharedTensors: orNull(isTexts),
    },
  },
  refusal: { kind: 3, hasPayload: false, fields: { error: isError } },
  layout: {
    kind: 4,
    hasPayload: false,
    fields: { fingerprint: isId, tensors: Array.isArray, architecture: orNull(isObject) },
  },
  update: {
    kind: 5,
    hasPayload: true,
    fields: {
      fingerprint: isId,
      dtype: isDataType,
      sequence: isCount,
      sampleCount: orNull(isSampleCount),
      baseVersion: orNull(isCount),
    },
  },
  receipt: {
    kind: 6,
    hasPayload: false,
    fields: {
      sequence: isCount,
      status: oneOf('applied', 'accepted', 'duplicate', 'stale', 'refused'),
      version: isCount,
      error: orNull(isError),
    },
  },
  committed: { kind: 7, hasPayload: false, fields: { sequence: isCount } },
  rejected: { kind: 8, hasPayload: false, fields: { sequence: isCount, error: isError } },
  main: { kind: 9, hasPayload: true, fields: { fingerprint: isId, dtype: isDataType, version: isCount } },
  leave: { kind: 10, hasPayload: false, fields: {} },
  report: {
    kind: 11,
    hasPayload: false,
    fields: {
      number: isCount,
      subject: oneOf('evaluation', 'featureStatistics'),
      version: orNull(isCount),
      content: isObject,
    },
  },
  reported: { kind: 12, hasPayload: false, fields: { number: isCount, error: orNull(isError) } },
};

const types = new Map(Object.entries(forms).map(([type, { kind }]) => [kind, type as Message['type']]));

/** The frame of a message. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const { type, ...fields } = message;
  if (!('payload' in fields)) return encodeFrame(forms[type].kind, fields);
  const { payload, ...metadata } = fields;
  return encodeFrame(forms[type].kind, metadata, payload);
}

/** Reads a frame that a stranger may have made. Throws MalformedDataError or LimitExceededError. */
export function decodeMessage(bytes: Uint8Array<ArrayBuffer>): Message {
  const frame = decodeFrame(bytes);
  const type = types.get(frame.kind);
  if (type === undefined) throw new MalformedDataError(`message kind ${frame.kind} is unknown`);
  if (!isObject(frame.metadata)) throw new MalformedDataError(`the metadata of a ${type} is no object`);
  const { fields, hasPayload } = forms[type];
  const message: Record<string, unknown> = { type };
  for (const [name, isLegal] of Object.entries(fields)) {
    const value = Object.hasOwn(frame.metadata as object, name)
      ? (frame.metadata as Record<string, unknown>)[name]
      : undefined;
    if (!isLegal(value))
      throw new MalformedDataError(`${type}.${name} is ${show(value)}, which is not legal`);
    message[name] = value;
  }
  if (hasPayload) message.payload = frame.payload;
  else if (frame.payload.length > 0)
    throw new MalformedDataError(`a ${type} carries no payload, got ${frame.payload.length} bytes`);
  return message as unknown as Message;
}
