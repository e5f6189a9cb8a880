import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OriginRules } from '../origins.ts';
import { isOriginAllowed } from '../origins.ts';
import { answerHeaders } from './headers.ts';

const readable = Object.values(answerHeaders).join(', ');

/** Lets a page read the answer, where its origin may connect; false where it may not. Programs have no origin. */
export function allowOrigin(
  { headers: { origin, host } }: IncomingMessage,
  response: ServerResponse,
  rules: OriginRules,
): boolean {
  if (origin === undefined) return true;
  if (!isOriginAllowed(origin, host, rules)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', readable);
  return true;
}

/** A browser asks what a page of another origin may send. */
export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': 'authorization, content-type, content-encoding',
    'access-control-max-age': '86400',
  });
  response.end();
}
