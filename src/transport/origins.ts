/** What a server knows about who may connect, and so whether a page has to be asked for its origin. */
export interface OriginRules {
  /** Pages that may connect, `'*'` for all. */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly tokens?: unknown;
  readonly authenticate?: unknown;
  /** A server of the user's own, which may have pages. */
  readonly server?: unknown;
}

const thisMachine = /^(localhost|[^/]*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Whether a page of this origin may connect, by the headers of its request. Any page that somebody visits can reach a port of
 * their machine. Where there is neither a list nor anything else that a page has to prove, only pages of this machine may,
 * and those of the host that was asked, on a server that may have pages. A port of its own has none: a page that says so has
 * had its name moved here since it was loaded (DNS rebinding).
 */
export function isOriginAllowed(origin: string, host: string | undefined, rules: OriginRules): boolean {
  const { allowedOrigins, tokens, authenticate, server } = rules;
  if (allowedOrigins !== undefined) return allowedOrigins.includes('*') || allowedOrigins.includes(origin);
  if (tokens !== undefined || authenticate !== undefined) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  const isOfThisServer = server !== undefined && from.host === host?.toLowerCase();
  return isOfThisServer || thisMachine.test(from.hostname);
}
