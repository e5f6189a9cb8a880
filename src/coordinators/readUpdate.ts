import { LayoutMismatchError, MalformedDataError } from '../errors.ts';
import { Gradients } from '../parameters/Gradients.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Values } from '../parameters/values.ts';
import { createValues } from '../parameters/values.ts';
import type { UpdateMessage } from '../protocol/messages.ts';
import { bytesToValues } from '../protocol/tensorBytes.ts';
import type { ChildServer } from './ChildServer.ts';

/** An update that has been read. */
export interface ReadUpdate {
  readonly content: Gradients | ModelParameters;
  /** It is a difference to a main that is not kept: its content is of no use. */
  readonly isAdrift: boolean;
}

/** Content that cannot be read breaks the protocol and ends the conversation: MalformedDataError. */
export function readUpdate(message: UpdateMessage, layout: ParameterLayout, server: ChildServer): ReadUpdate {
  const sampleCount = message.sampleCount ?? undefined;
  const baseVersion = message.baseVersion ?? undefined;
  const isParameters = server.coordinator.terms.kind !== 'gradients';
  const base = isParameters && message.isPacked ? server.baseMain(baseVersion ?? 0) : undefined;
  const values = message.isPacked
    ? readPackedValues(message, layout, server, base)
    : bytesToValues(message.payload, message.dtype, layout.length, server.buffers);
  if (isParameters) {
    const content = new ModelParameters(layout, values, { sampleCount, baseVersion });
    return { content, isAdrift: message.isPacked && base === undefined };
  }
  if (sampleCount === undefined) throw new MalformedDataError('gradients need a sampleCount');
  return { content: new Gradients(layout, values, { sampleCount, baseVersion }), isAdrift: false };
}

/** What is packed, on top of the main that it is a difference to. */
function readPackedValues(
  { payload }: UpdateMessage,
  layout: ParameterLayout,
  { compression, buffers }: ChildServer,
  base: ModelParameters | undefined,
): Values {
  if (compression === undefined)
    throw new MalformedDataError('an update is packed, and this coordinator has not asked for that');
  const { length } = layout;
  const floats = new Float32Array(buffers.take(4 * length).buffer, 0, length);
  compression.read(payload, floats);
  if (base === undefined) return floats;
  if (base.values.length !== length)
    throw new LayoutMismatchError(`a packed update has ${length} values, main had ${base.values.length}`);
  const values = base.dtype === 'float32' ? floats : createValues(base.dtype, length);
  for (let i = 0; i < length; i++) values[i] = (base.values[i] as number) + (floats[i] as number);
  return values;
}
