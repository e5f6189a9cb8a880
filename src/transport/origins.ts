/** What a server knows about who may connect, and so whether a page has to be asked for its origin. */
export interface OriginRules {
  /** Pages that may connect, `'*'` for all. */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly tokens?: unknown;
  readonly authenticate?: unknown;
}

const thisMachine = /^(localhost|[^/]*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Whether a page of this origin may connect, by the headers of its request. Any page that somebody visits can reach a port of
 * their machine. Where there is neither a list nor anything else that a page has to prove, only pages of this machine
 * and of the host that was asked may.
 */
export function isOriginAllowed(origin: string, host: string | undefined, rules: OriginRules): boolean {
  const { allowedOrigins, tokens, authenticate } = rules;
  if (allowedOrigins !== undefined) return allowedOrigins.includes('*') || allowedOrigins.includes(origin);
  if (tokens !== undefined || authenticate !== undefined) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  return thisMachine.test(from.hostname) || (host !== undefined && from.host === host.toLowerCase());
}
