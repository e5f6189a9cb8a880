import { Decoder, Encoder } from '@msgpack/msgpack';
import { MalformedDataError } from '../errors.ts';
import { frameLimits, idLengthMax, wireMetadataLimits } from '../limits.ts';
import type { JsonValue } from '../parameters/architecture.ts';
import { show } from '../show.ts';
import { Slab } from '../transport/Slab.ts';
import type { Message } from './messages.ts';
import { checkJsonNesting, checkListNesting } from './nesting.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** How one field travels: checked when it is read. */
interface Field {
  readonly isLegal: (value: unknown) => boolean;
  /** What an older sender, which does not know the field, would have said; without it the field is required. */
  readonly absent?: unknown;
  /** Where it is what it would be without being there, and so are those behind it, it is not sent. */
  readonly isOmitted?: boolean;
  /** To and from what travels, where that is something else. */
  readonly pack?: (value: never) => unknown;
  readonly unpack?: (value: unknown) => unknown;
}

const field = (isLegal: (value: unknown) => boolean): Field => ({ isLegal });
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): boolean => typeof value === 'string';
const isShortText = (value: unknown): boolean => typeof value === 'string' && value.length <= idLengthMax;
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const orNull =
  (isLegal: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || isLegal(value);
const listOf =
  (isLegal: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(isLegal);

const count = field(isCount);
const countOrNull = field(orNull(isCount));
const shortText = field(isShortText);
const id = field((value) => isShortText(value) && value !== '');
const sampleCount = field(orNull((value) => Number.isFinite(value) && (value as number) >= 0));

/** One of a fixed list of words, which travels as its place in it. */
function word(...words: readonly string[]): Field {
  return {
    isLegal: (value) => words.includes(value as string),
    pack: (value: string) => words.indexOf(value),
    // Nothing but a number: a list of one number would be taken for its text, and that for a place.
    unpack: (value) => (typeof value === 'number' ? words[value] : undefined),
  };
}

/** An error: its code and its message. */
const error: Field = {
  isLegal: orNull((value) => {
    const { code, message } = value as { code: unknown; message: unknown };
    return isText(code) && isText(message);
  }),
  pack: (value: { code: string; message: string } | null) => value && [value.code, value.message],
  unpack: (value) => (Array.isArray(value) ? { code: value[0], message: value[1] } : value),
};
const requiredError: Field = { ...error, isLegal: (value) => value !== null && error.isLegal(value) };

/** An object of any form, which travels as JSON: its own reader knows what it may hold. */
const json: Field = {
  isLegal: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  pack: (value: JsonValue) => JSON.stringify(value),
  unpack: parseJson,
};
const jsonOrNull: Field = {
  isLegal: orNull(json.isLegal),
  pack: (value: JsonValue | null) => value && JSON.stringify(value),
  unpack: (value) => (value === null ? null : parseJson(value)),
};

/** Names and shapes of tensors. */
const tensors: Field = {
  isLegal: listOf((value) => {
    const { name, shape } = value as { name: unknown; shape: unknown };
    return isText(name) && listOf(isCount)(shape);
  }),
  pack: (value: readonly { name: string; shape: readonly number[] }[]) =>
    value.map(({ name, shape }) => [name, shape]),
  unpack: (value) =>
    Array.isArray(value)
      ? value.map((entry: unknown) =>
          Array.isArray(entry) ? { name: entry[0], shape: entry[1] } : { name: undefined, shape: undefined },
        )
      : value,
};

/** A layout inside another message. */
const layout: Field = {
  isLegal: orNull((value) => {
    const form = value as { tensors: unknown; architecture: unknown };
    return tensors.isLegal(form.tensors) && jsonOrNull.isLegal(form.architecture);
  }),
  pack: (value: { tensors: never; architecture: never } | null) =>
    value && [tensors.pack?.(value.tensors), jsonOrNull.pack?.(value.architecture)],
  unpack: (value) =>
    Array.isArray(value)
      ? { tensors: tensors.unpack?.(value[0]), architecture: jsonOrNull.unpack?.(value[1] ?? null) }
      : value,
};

/** Absent in a main that is whole. */
const runs: Field = { isLegal: orNull(listOf(isCount)), absent: null };
const isPacked: Field = { isLegal: isBoolean, absent: false, isOmitted: true };
const compression: Field = {
  isLegal: orNull(
    (value) => isText(value) && (value as string).length <= wireMetadataLimits.compressionLengthMax,
  ),
  absent: null,
  isOmitted: true,
};

const dtype = word('float32', 'float64');

interface MessageForm {
  readonly kind: number;
  readonly hasPayload?: boolean;
  /** In the order in which they travel. New ones come last, with what they are when they are absent. */
  readonly fields: Readonly<Record<string, Field>>;
}

const forms: Readonly<Record<Message['type'], MessageForm>> = {
  hello: {
    kind: 16,
    fields: {
      protocolMin: count,
      protocolMax: count,
      federation: id,
      childId: id,
      session: id,
      instance: shortText,
      epoch: count,
      version: count,
      layout,
      token: field(
        orNull((value) => isText(value) && (value as string).length <= wireMetadataLimits.tokenLengthMax),
      ),
      dtypes: field(listOf(isShortText)),
      codecs: field(listOf(isShortText)),
    },
  },
  welcome: {
    kind: 17,
    fields: {
      protocol: count,
      kind: word('gradients', 'parameters', 'messages'),
      instance: id,
      epoch: count,
      isResumed: field(isBoolean),
      version: count,
      sharedTensors: field(orNull(listOf(isText))),
      codec: id,
      compression,
    },
  },
  refusal: { kind: 18, fields: { error: requiredError } },
  layout: { kind: 19, fields: { index: count, fingerprint: id, tensors, architecture: jsonOrNull } },
  update: {
    kind: 20,
    hasPayload: true,
    fields: { layout: count, dtype, sequence: count, sampleCount, baseVersion: countOrNull, isPacked },
  },
  receipt: {
    kind: 21,
    fields: {
      first: count,
      last: count,
      status: word('applied', 'accepted', 'duplicate', 'stale', 'refused'),
      version: count,
      error,
    },
  },
  committed: { kind: 22, fields: { first: count, last: count } },
  rejected: { kind: 23, fields: { sequence: count, error: requiredError } },
  main: {
    kind: 24,
    hasPayload: true,
    fields: { layout: count, dtype, version: count, base: countOrNull, runs, isPacked },
  },
  leave: { kind: 25, fields: {} },
  report: {
    kind: 26,
    fields: {
      number: count,
      subject: word('evaluation', 'featureStatistics'),
      version: countOrNull,
      content: json,
    },
  },
  reported: { kind: 27, fields: { number: count, error } },
  goodbye: { kind: 28, fields: { returnAfterMs: countOrNull } },
  asked: { kind: 29, fields: { version: count } },
};

/** A form with its fields as a list. */
interface CompiledForm {
  readonly type: Message['type'];
  readonly kind: number;
  readonly hasPayload: boolean;
  readonly names: readonly string[];
  readonly fields: readonly Field[];
}

const compiled = Object.entries(forms).map(
  ([type, { kind, hasPayload = false, fields }]): CompiledForm => ({
    type: type as Message['type'],
    kind,
    hasPayload,
    names: Object.keys(fields),
    fields: Object.values(fields),
  }),
);
const byType = new Map(compiled.map((form) => [form.type, form]));
const byKind = new Map(compiled.map((form) => [form.kind, form]));

const encoder = new Encoder();
const packed = new Slab();
const { listLengthMax, listDepthMax, jsonDepthMax } = wireMetadataLimits;
/** Metadata are lists of plain values: nothing else may be in them. */
function createDecoder(): Decoder {
  return new Decoder({
    maxStrLength: frameLimits.metadataBytesMax,
    maxBinLength: 0,
    maxArrayLength: listLengthMax,
    maxMapLength: 0,
    maxExtLength: 0,
  });
}
const decoder = createDecoder();
const smallMetadataBytes = 1_024;
const nothing: Bytes = new Uint8Array(0);

/** What a message travels as: the kind of its frame, the fields in MessagePack, and the payload. */
export interface PackedMessage {
  readonly kind: number;
  readonly metadata: Bytes;
  readonly payload: Bytes;
}

/** Packs a message. */
export function packMessage(message: Message): PackedMessage {
  const { kind, names, fields } = byType.get(message.type) as CompiledForm;
  const content = message as unknown as Record<string, unknown>;
  let count = names.length;
  while (isOmitted(fields[count - 1], content[names[count - 1] as string])) count--;
  const values: unknown[] = new Array(count);
  for (let i = 0; i < count; i++) {
    const value = content[names[i] as string];
    const pack = (fields[i] as Field).pack;
    values[i] = pack === undefined ? value : pack(value as never);
  }
  const payload = 'payload' in message ? message.payload : nothing;
  return { kind, metadata: packed.copy(encoder.encodeSharedRef(values)), payload };
}

function isOmitted(last: Field | undefined, value: unknown): boolean {
  return last?.isOmitted === true && value === last.absent;
}

/**
 * Reads what a stranger may have sent; undefined for a kind that this version does not know, which is skipped. Throws
 * MalformedDataError. The payload is the one given, not a copy.
 */
export function unpackMessage(kind: number, metadata: Bytes, payload: Bytes): Message | undefined {
  const form = byKind.get(kind);
  if (form === undefined) return undefined;
  const { type, names, fields, hasPayload } = form;
  const values = decodeList(type, metadata);
  const message: Record<string, unknown> = { type };
  for (let i = 0; i < names.length; i++) {
    const { isLegal, absent, unpack } = fields[i] as Field;
    let value = i < values.length ? values[i] : absent;
    if (unpack !== undefined && i < values.length) value = unpack(value);
    if (value === undefined || !isLegal(value))
      throw new MalformedDataError(`${type}.${names[i]} is ${show(value)}, which is not legal`);
    message[names[i] as string] = value;
  }
  if (hasPayload) message.payload = payload;
  else if (payload.length > 0)
    throw new MalformedDataError(`a ${type} carries no payload, got ${payload.length} bytes`);
  return message as unknown as Message;
}

function decodeList(type: string, metadata: Bytes): readonly unknown[] {
  let values: unknown;
  try {
    // What is short cannot be deep enough to cost anything; and a decoder keeps a place for each level that it has
    // seen: a stranger must not fill the lasting one.
    if (metadata.length <= smallMetadataBytes) values = decoder.decode(metadata);
    else {
      checkListNesting(metadata, listDepthMax);
      values = createDecoder().decode(metadata);
    }
  } catch (cause) {
    throw new MalformedDataError(`the metadata of a ${type} is no MessagePack that is allowed here`, {
      cause,
    });
  }
  if (Array.isArray(values)) return values;
  throw new MalformedDataError(`the metadata of a ${type} is ${show(values)}, expected a list`);
}

function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  checkJsonNesting(text, jsonDepthMax);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedDataError('a text that should be JSON is none', { cause });
  }
}
