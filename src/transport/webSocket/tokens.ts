import { createHash, timingSafeEqual } from 'node:crypto';

/** Who a token belongs to: anybody (one token for all), one child, or nobody. */
export type TokenOwner = { readonly childId: string | undefined } | undefined;

/**
 * Looks a token up in a time that depends neither on the token nor on whether it is known: hashes are compared, with all
 * that there are.
 */
export function createTokenCheck(
  tokens: string | Readonly<Record<string, string>>,
): (token: string) => TokenOwner {
  const known: [Buffer, string | undefined][] =
    typeof tokens === 'string'
      ? [[hash(tokens), undefined]]
      : Object.entries(tokens).map(([childId, token]) => [hash(token), childId]);
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
