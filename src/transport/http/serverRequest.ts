import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Clock } from '../../clock.ts';
import type { ByteBudget } from '../ByteBudget.ts';
import { httpLimits } from '../limits.ts';
import { HttpError } from './HttpError.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const unzip = promisify(gunzip);

/** What a body may cost. */
export interface BodyLimits {
  readonly bodyBytesMax: number;
  /** For all bodies that are being read. */
  readonly budget: ByteBudget;
  readonly clock: Clock;
}

/**
 * The body of a request, decompressed. What it announces is looked at before anything is read, and nothing is kept beyond the
 * limits. Rejects with HttpError.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Bytes> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new HttpError(415, 'MALFORMED_DATA', `content-encoding is ${encoding}, expected gzip or none`);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limits.bodyBytesMax) throw tooLong(announced, limits);
  const body = await collect(request, limits);
  return encoding === 'gzip' ? inflate(body, limits) : body;
}

function tooLong(bytes: number, { bodyBytesMax }: BodyLimits): HttpError {
  const reason = `the body has ${bytes} bytes or more, at most ${bodyBytesMax} are allowed`;
  return new HttpError(413, 'LIMIT_EXCEEDED', reason);
}

function noRoom(): HttpError {
  return new HttpError(503, 'LIMIT_EXCEEDED', 'too many requests are being read, come again later');
}

function collect(request: IncomingMessage, limits: BodyLimits): Promise<Bytes> {
  const { bodyBytesMax, budget, clock } = limits;
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise<Bytes>((resolve, reject) => {
    let isFinished = false;
    const finish = (error: Error | undefined): void => {
      if (isFinished) return;
      isFinished = true;
      cancel();
      request.removeAllListeners('data');
      budget.give(length);
      if (error === undefined) resolve(joined(chunks, length));
      else {
        request.pause();
        reject(error);
      }
    };
    const cancel = clock.schedule(
      () => finish(new HttpError(408, 'MALFORMED_DATA', 'the body did not come in time')),
      httpLimits.bodyTimeoutMs,
      { isBackground: true },
    );
    request.on('data', (chunk: Buffer) => {
      if (length + chunk.length > bodyBytesMax) finish(tooLong(length + chunk.length, limits));
      else if (!budget.take(chunk.length)) finish(noRoom());
      else {
        length += chunk.length;
        chunks.push(chunk);
      }
    });
    request.once('end', () => finish(undefined));
    request.once('close', () => finish(new HttpError(400, 'MALFORMED_DATA', 'the body broke off')));
    request.once('error', () => {});
  });
}

/** Its own memory: chunks are views of a pool that Node uses again. */
function joined(chunks: readonly Buffer[], length: number): Bytes {
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

async function inflate(body: Bytes, { bodyBytesMax, budget }: BodyLimits): Promise<Bytes> {
  const most = Math.min(bodyBytesMax, body.length * httpLimits.inflationMax);
  if (!budget.take(most)) throw noRoom();
  try {
    const inflated = await unzip(body, { maxOutputLength: bodyBytesMax });
    return new Uint8Array(inflated.buffer as ArrayBuffer, inflated.byteOffset, inflated.length);
  } catch (thrown) {
    const isTooLong = (thrown as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
    if (isTooLong) throw tooLong(bodyBytesMax, { bodyBytesMax } as BodyLimits);
    throw new HttpError(400, 'MALFORMED_DATA', 'the body is not the gzip that its content-encoding says');
  } finally {
    budget.give(most);
  }
}

/** What the query of a request says. */
export interface Query {
  /** Of a push. */
  readonly number: number | undefined;
  /** The last part that the child has. */
  readonly after: number | undefined;
  /** How long the answer may wait for news, and for which. */
  readonly waitMs: number;
  readonly key: string | undefined;
}

/** Reads the query. Throws HttpError where it makes no sense. */
export function readQuery({ url = '' }: IncomingMessage): Query {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const number = queryNumber(query, 'n', 1);
  const after = queryNumber(query, 'after', 0);
  const waitMs = Math.min(1_000 * (queryNumber(query, 'wait', 0) ?? 0), httpLimits.waitMsMax);
  return { number, after, waitMs, key: query.get('for') ?? undefined };
}

/** A whole number of the query, at least `minimum`; undefined where it is not there. Throws HttpError. */
function queryNumber(query: URLSearchParams, name: string, minimum: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= minimum) return value;
  throw new HttpError(400, 'MALFORMED_DATA', `${name}=${text.slice(0, 40)}, expected a whole number`);
}
