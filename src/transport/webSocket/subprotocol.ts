/** The WebSocket subprotocol of mainstem. */
export const subprotocol = 'mainstem.v1';

const tokenPrefix = 'mainstem.token.';

/** A token as a subprotocol: browsers let a page set no other header. Base64url of its UTF-8, without padding. */
export function tokenSubprotocol(token: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(token));
  return tokenPrefix + btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The token among these subprotocols; undefined where there is none, or it is no text. */
export function tokenOf(protocols: Iterable<string>): string | undefined {
  for (const protocol of protocols) {
    if (!protocol.startsWith(tokenPrefix)) continue;
    try {
      const text = protocol.slice(tokenPrefix.length).replaceAll('-', '+').replaceAll('_', '/');
      const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return undefined;
    }
  }
  return undefined;
}
