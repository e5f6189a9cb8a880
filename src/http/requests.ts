import { isMainstemError, MalformedDataError } from '../errors.ts';
import { frameLimits } from '../limits.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { NestedArray } from '../parameters/nestedArrays.ts';
import { flattenInto, shapeOf } from '../parameters/nestedArrays.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { createValues } from '../parameters/values.ts';
import { packMessage, unpackMessage } from '../protocol/codec.ts';
import type { Hello, Leave, Message, ReportMessage, UpdateMessage } from '../protocol/messages.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { valuesToBytes } from '../protocol/tensorBytes.ts';
import { platformRandom, randomName } from '../random.ts';
import { show } from '../show.ts';
import { requireObject } from '../strictJson.ts';

/** An update, and the layout that it will have a number for. */
export interface UpdateRequest {
  readonly message: Omit<UpdateMessage, 'layout'>;
  readonly layout: ParameterLayout;
}

/** A message of a child, read and checked. */
export type Request =
  | UpdateRequest
  | { readonly message: Hello | ReportMessage | Leave; readonly layout?: undefined };

/** What a request is read with. */
export interface RequestContext {
  /** Of an update that has no number of its own. */
  readonly sequence: number;
  /** The child is in. */
  readonly isWelcome: boolean;
  /** Of the last main: tables of many engines have no order, so this one's counts. */
  readonly mainLayout: ParameterLayout | undefined;
}

type Json = { readonly [key: string]: unknown };

/** Reads a message that a stranger may have written, with defaults for what it leaves out. Throws MainstemError. */
export function readRequest(given: unknown, context: RequestContext): Request {
  const json = requireObject(given, 'a message');
  const { type } = json;
  if (type === 'hello') return { message: checked<Hello>({ ...helloDefaults(), ...json }) };
  if (type === 'leave') return { message: { type } };
  if (type !== 'report' && type !== 'update')
    throw new MalformedDataError(`a child sends hello, update, report or leave, got ${show(type)}`);
  if (!context.isWelcome)
    throw new MalformedDataError(`wait for the welcome before the first ${type}; say hello first`);
  if (type === 'report') return { message: checked<ReportMessage>({ version: null, ...json }) };
  return readUpdate(json, context);
}

function readUpdate(json: Json, context: RequestContext): UpdateRequest {
  const tensors = readTensors(requireObject(json.tensors, 'update.tensors'), context.mainLayout);
  const { sequence = context.sequence, sampleCount = null, baseVersion = null } = json;
  const head = { type: 'update', layout: 0, dtype: 'float64', sequence, sampleCount, baseVersion };
  const payload = valuesToBytes(tensors.values);
  const message = checked<UpdateMessage>({ ...head, isPacked: false, payload });
  return { message, layout: tensors.layout };
}

/** Nested arrays by name: those that main has in its order, and then the others. */
function readTensors(given: Json, mainLayout: ParameterLayout | undefined): ModelParameters {
  const mains = mainLayout?.tensors.map(({ name }) => name) ?? [];
  const names = new Set([...mains.filter((name) => Object.hasOwn(given, name)), ...Object.keys(given)]);
  const arrays = [...names].map((name) => ({ name, nested: given[name] as NestedArray }));
  const layout = new ParameterLayout(
    arrays.map(({ name, nested }) => ({ name, shape: shapeOf(nested, name) })),
  );
  const values = createValues('float64', layout.length);
  layout.tensors.forEach(({ name, shape, offset }, index) => {
    flattenInto(values, offset, arrays[index]?.nested as NestedArray, shape, name);
  });
  const tensors = new ModelParameters(layout, values);
  // JSON has no word for infinity, but 1e999 is read as it.
  tensors.assertFinite('the tensors of an update');
  return tensors;
}

function helloDefaults(): Omit<Hello, 'childId'> {
  return {
    type: 'hello',
    protocolMin: protocolVersion,
    protocolMax: protocolVersion,
    federation: 'default',
    session: randomName(platformRandom()),
    instance: '',
    epoch: 0,
    version: 0,
    layout: null,
    token: null,
    dtypes: ['float64', 'float32'],
    codecs: ['none'],
  };
}

/** The message as it will be read at the other end of the frame, which checks every field. */
function checked<T extends Message>(message: object): T {
  try {
    const { kind, metadata, payload } = packMessage(message as T);
    if (metadata.length > frameLimits.metadataBytesMax)
      throw new MalformedDataError(`a message has ${metadata.length} bytes besides its tensors`);
    return unpackMessage(kind, metadata, payload) as T;
  } catch (thrown) {
    if (isMainstemError(thrown)) throw thrown;
    // What cannot even be written down has a field of another kind.
    throw new MalformedDataError(`a message is ${show(message)}, which is not legal`, { cause: thrown });
  }
}
