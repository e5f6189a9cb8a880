import { InvalidOptionError } from './errors.ts';
import { show } from './show.ts';

/** Throws InvalidOptionError unless the options are an object with no other names than these. */
export function refuseUnknownOptions(options: unknown, known: readonly string[], what: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError(`options of ${what} are ${show(options)}, expected an object`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new InvalidOptionError(`${what} has no option ${unknown}; options are ${known.join(', ')}`);
}
