import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';
import { refuseUnknownOptions } from '../../unknownOptions.ts';
import { webSocketLimits } from '../limits.ts';

/** Options of WebSocketTransport. */
export interface WebSocketTransportOptions {
  /** Where the coordinator listens: `ws://host:port/path` or `wss://…`. */
  url: string;
  /** Says who this is: `Authorization: Bearer …`, in browsers a subprotocol. None unless given. */
  token?: string;
  /** Node only: further headers of the request. */
  headers?: Readonly<Record<string, string>>;
  /**
   * Node only, false unless given: mask with zeros, which costs nothing. Masks keep intermediaries that do not know
   * WebSockets from being fooled: only for a link of your own with none in between.
   */
  zeroMask?: boolean;
  /** A connection that is not open by then has failed, in milliseconds; 10,000. */
  connectTimeoutMs?: number;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
}

const names = ['url', 'token', 'headers', 'zeroMask', 'connectTimeoutMs', 'clock'];

/** Fills the defaults in. Throws InvalidOptionError. */
export function resolveClientOptions(
  given: string | WebSocketTransportOptions,
): Required<Omit<WebSocketTransportOptions, 'token'>> & { token: string | undefined } {
  const options = typeof given === 'string' ? { url: given } : given;
  refuseUnknownOptions(options, names, 'WebSocketTransport');
  const { url, token, headers = {}, zeroMask = false, clock = systemClock } = options;
  const { connectTimeoutMs = webSocketLimits.connectTimeoutMs } = options;
  if (typeof url !== 'string' || !/^wss?:\/\//.test(url) || !URL.canParse(url) || url.includes('#'))
    throw new InvalidOptionError(`url is ${show(url)}, expected ws://host:port or wss://host:port`);
  if (token !== undefined && typeof token !== 'string')
    throw new InvalidOptionError(`token is ${show(token)}, expected some text`);
  if (!(connectTimeoutMs > 0))
    throw new InvalidOptionError(`connectTimeoutMs is ${connectTimeoutMs}, expected milliseconds above 0`);
  return { url, token, headers, zeroMask, connectTimeoutMs, clock };
}
