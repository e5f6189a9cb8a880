// Peers are installed apart, by one command, and left out of the tables where they are not.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** What installs the peers that come from npm. */
export const installCommand = 'npm run bench:peers';

const requireOfPeers = createRequire(new URL('../peers/package.json', import.meta.url));
const said = new Set<string>();

/** A package that is a peer; undefined, and said once, where it is not installed. `file` is a module inside it. */
export function loadPeer<T>(name: string, file: string = name): T | undefined {
  if (versionOfPeer(name) !== undefined) return requireOfPeers(file) as T;
  sayMissing(name, installCommand);
  return undefined;
}

/** The version of an installed peer, else undefined. */
export function versionOfPeer(name: string): string | undefined {
  // Only here: mathjs is among the development dependencies too, perhaps in another version.
  const file = new URL(`../peers/node_modules/${name}/package.json`, import.meta.url);
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Says that a peer is missing. It goes to the errors, so that the tables can be piped on. */
export function sayMissing(name: string, command: string): void {
  if (said.has(name)) return;
  said.add(name);
  console.error(`!!! ${name} IS NOT INSTALLED AND LEFT OUT OF THE TABLE. To measure it: ${command}`);
}
