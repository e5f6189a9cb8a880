import { createHash, randomBytes } from 'node:crypto';
import type { UpgradeRequest } from 'mainstem/websocket';

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** Whose token it is. It keeps hashes alone: who reads it learns no token. */
export class TokenBook {
  readonly #owners = new Map<string, string>();

  /** A new token of a child. Older ones hold until they are taken back. */
  issue(childId: string): string {
    const token = randomBytes(32).toString('base64url');
    this.#owners.set(hashOf(token), childId);
    return token;
  }

  /** Takes tokens of a child back: all, but for the one that stays. */
  revoke(childId: string, keep = ''): void {
    for (const [hash, owner] of this.#owners)
      if (owner === childId && hash !== hashOf(keep)) this.#owners.delete(hash);
  }

  /** For `authenticate` of a transport: the only child that may speak on this connection, or nobody. */
  readonly authenticate = ({ token = '' }: Pick<UpgradeRequest, 'token'>): false | { childId: string } => {
    const childId = this.#owners.get(hashOf(token));
    return childId === undefined ? false : { childId };
  };
}
