import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { httpLimits } from '../limits.ts';
import type { AnswerHead, BodyFormat } from './BodyFormat.ts';
import type { HttpError } from './HttpError.ts';
import { answerHeaders } from './headers.ts';
import type { Outgoing } from './Outbox.ts';

const zip = promisify(gzip);
const fastest = { level: 1 };

/** An answer on its way: to whom, and in which form. */
export interface Answering {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly format: BodyFormat;
}

/** Answers with parts, or with 204 where there is nothing to say. Resolves when it has gone. */
export async function answerParts(
  { request, response, format }: Answering,
  { parts, first, last }: Outgoing,
  head: Omit<AnswerHead, 'after'>,
): Promise<void> {
  const { connection, isClosed } = head;
  const headers: Record<string, string> = {
    [answerHeaders.first]: String(first),
    [answerHeaders.after]: String(last),
    ...(connection === undefined ? {} : { [answerHeaders.connection]: connection }),
    ...(isClosed ? { [answerHeaders.closed]: '1' } : {}),
  };
  const body = format.join(parts, { ...head, after: last });
  const status = connection === undefined ? 200 : 201;
  if (body === undefined) {
    await write(response, status === 200 ? 204 : status, headers, undefined);
    return;
  }
  headers['content-type'] = format.contentType;
  const isLong = body.length >= httpLimits.compressedBytesMin;
  const isCompressed = format.isCompressible && isLong && accepts(request, 'gzip');
  if (isCompressed) headers['content-encoding'] = 'gzip';
  const bytes = isCompressed ? await zip(body, fastest) : body;
  await write(response, status, headers, bytes);
}

/** Another request is answered in the place of this one, or nothing is to be said. */
export function answerNothing({ response }: Pick<Answering, 'response'>): Promise<void> {
  return write(response, 204, {}, undefined);
}

/** Says why a request failed. What was not read of it is not read any more. */
export function answerError(
  { request, response }: Pick<Answering, 'request' | 'response'>,
  { status, code, message }: HttpError,
): Promise<void> {
  const body = Buffer.from(JSON.stringify({ error: { code, message } }));
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (status === 503) headers['retry-after'] = '1';
  if (!request.complete) headers.connection = 'close';
  return write(response, status, headers, body);
}

function accepts({ headers }: IncomingMessage, encoding: string): boolean {
  const offers = (headers['accept-encoding'] ?? '').toString().split(',');
  return offers.some((offer) => {
    const [name, ...parameters] = offer.split(';').map((part) => part.trim());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

function write(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed || response.headersSent) {
      resolve();
      return;
    }
    response.once('close', resolve);
    const length = status === 204 ? {} : { 'content-length': String(body?.length ?? 0) };
    response.writeHead(status, { 'cache-control': 'no-store', ...headers, ...length });
    response.end(body);
  });
}
