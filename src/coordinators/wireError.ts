import { toMainstemError } from '../errors.ts';
import { wireMessageLengthMax } from '../limits.ts';
import type { WireError } from '../protocol/messages.ts';

/** An error as it travels. */
export function toWireError(error: Error): WireError {
  const { code, message } = toMainstemError(error);
  return { code, message: message.slice(0, wireMessageLengthMax) };
}
