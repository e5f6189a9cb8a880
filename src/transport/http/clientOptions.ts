import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import { httpLimits } from '../limits.ts';

/** Options of HttpTransport. */
export interface HttpTransportOptions {
  /** Where the coordinator listens: `http://host:port/mainstem` or `https://…`. */
  url: string;
  /** Says who this is: `Authorization: Bearer …`. None unless given. */
  token?: string;
  /** How requests are sent; the platform's own `fetch` unless given. */
  fetch?: typeof fetch;
  /** How long a request waits for news before the next is sent, in milliseconds; 25,000, at most 55,000. */
  waitMs?: number;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
}

const names = ['url', 'token', 'fetch', 'waitMs', 'clock'];

/** Options with every default in place. */
export type ResolvedHttpOptions = Required<Omit<HttpTransportOptions, 'token'>> & {
  readonly token: string | undefined;
};

/** Fills the defaults in. Throws InvalidOptionError. */
export function resolveHttpOptions(given: string | HttpTransportOptions): ResolvedHttpOptions {
  const options = typeof given === 'string' ? { url: given } : given;
  refuseUnknownOptions(options, names, 'HttpTransport');
  const { url, token, waitMs = httpLimits.waitMsDefault, clock = systemClock } = options;
  if (typeof url !== 'string' || !/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new InvalidOptionError(`url is ${show(url)}, expected http://host:port/mainstem or https://…`);
  if (!(waitMs >= 1_000 && waitMs <= httpLimits.waitMsMax))
    throw new InvalidOptionError(`waitMs is ${waitMs}, expected 1,000 to ${httpLimits.waitMsMax}`);
  // A browser's own wants to be called as a function of the window.
  const { fetch: send = (...request) => fetch(...request) } = options;
  return { url: url.replace(/\/+$/, ''), token, fetch: send, waitMs, clock };
}
