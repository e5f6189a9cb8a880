import { createHash, timingSafeEqual } from 'node:crypto';
import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';

/** Who a token belongs to: anybody (one token for all), one child, or nobody. */
export type TokenOwner = { readonly childId: string | undefined } | undefined;

/**
 * Looks a token up in a time that depends neither on the token nor on whether it is known: hashes are compared, with all
 * that there are. Throws InvalidOptionError where a token is empty, which is what those without one have, or where two
 * children have the same.
 */
export function createTokenCheck(
  tokens: string | Readonly<Record<string, string>>,
): (token: string) => TokenOwner {
  const isOne = typeof tokens === 'string';
  const entries: [string, string][] = isOne ? [['all', tokens]] : Object.entries(tokens);
  for (const [childId, token] of entries) {
    if (typeof token !== 'string' || token === '')
      throw new InvalidOptionError(`the token of ${childId} is ${show(token)}, expected some text`);
  }
  if (new Set(entries.map(([, token]) => token)).size < entries.length)
    throw new InvalidOptionError('two children have the same token, expected one of its own for each');
  const known = entries.map(([childId, token]) => [hash(token), isOne ? undefined : childId] as const);
  return (token) => {
    const given = hash(token);
    let owner: TokenOwner;
    for (const [expected, childId] of known) if (timingSafeEqual(given, expected)) owner = { childId };
    return owner;
  };
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
