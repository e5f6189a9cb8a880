import { InvalidOptionError } from '../errors.ts';
import { show } from '../show.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';

/** How a child comes back when its connection breaks. */
export interface ReconnectOptions {
  /** The first wait is anything up to this, in milliseconds, 500; the next ones up to twice as much each time … */
  initialMs?: number;
  /** … up to this, 30,000. */
  maxMs?: number;
  /** A child that found nobody for so long gives up, 600,000. */
  giveUpAfterMs?: number;
}

/** Fills the defaults in; undefined for a child that does not come back. Throws InvalidOptionError. */
export function resolveReconnect(
  reconnect: boolean | ReconnectOptions,
): Required<ReconnectOptions> | undefined {
  if (reconnect === false) return undefined;
  const given = reconnect === true ? {} : reconnect;
  refuseUnknownOptions(given, ['initialMs', 'maxMs', 'giveUpAfterMs'], 'reconnect');
  const { initialMs = 500, maxMs = 30_000, giveUpAfterMs = 600_000 } = given;
  for (const [name, value] of Object.entries({ initialMs, maxMs, giveUpAfterMs })) {
    if (!(value >= 0))
      throw new InvalidOptionError(`reconnect.${name} is ${show(value)}, expected 0 or more`);
  }
  return { initialMs, maxMs, giveUpAfterMs };
}
