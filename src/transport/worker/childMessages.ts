import { isMainstemError, RemoteError, toError } from '../../errors.ts';

/** What a worker that runs a child's module is told. */
export type ChildRequest =
  | { readonly mainstem: 'run'; readonly module: string; readonly data: unknown }
  | { readonly mainstem: 'abort'; readonly reason: unknown };

/** What it answers. */
export type ChildAnswer =
  | { readonly mainstem: 'done'; readonly result: unknown }
  | { readonly mainstem: 'failed'; readonly error: ErrorDescription };

/** An error on its way to another thread: a copy of an Error loses its code, and sometimes its name. */
export interface ErrorDescription {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
}

export function describeError(thrown: unknown): ErrorDescription {
  const { name, message, stack } = toError(thrown);
  return { name, message, stack, code: isMainstemError(thrown) ? thrown.code : undefined };
}

/** The error as the other thread had it: with its name, message and stack; a RemoteError where it had a code. */
export function describedError({ name, message, stack, code }: ErrorDescription): Error {
  const error = code === undefined ? new Error(message) : new RemoteError(code, message);
  if (code === undefined) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
