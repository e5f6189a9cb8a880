import type { MainstemError } from '../../errors.ts';
import { toError, toMainstemError } from '../../errors.ts';

/** A request that is answered with a status of HTTP that says why. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The answer to a request that failed: what the child did wrong, unless it says something else itself. */
export function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown;
  const error: MainstemError = toMainstemError(toError(thrown));
  const statuses: Readonly<Record<string, number>> = { CONNECTION_BROKEN: 409, LIMIT_EXCEEDED: 413 };
  return new HttpError(statuses[error.code] ?? 400, error.code, error.message);
}
