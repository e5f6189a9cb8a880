// Every optional (platform) dependency that a package names must itself be in the lockfile: otherwise
// `npm ci` works on the machine that wrote the lockfile and stops on the others.
import { readFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const packages = lock.packages;
const problems = [];

/** Resolves a dependency name as Node would: nearest node_modules folder upwards. */
function resolves(fromPath, name) {
  for (let folder = fromPath; ; ) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return true;
    if (folder === '') return false;
    const parent = folder.lastIndexOf('/node_modules/');
    folder = parent < 0 ? '' : folder.slice(0, parent);
  }
}

for (const [path, entry] of Object.entries(packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!resolves(path, name)) problems.push(`${path} names ${name}, which the lockfile lacks`);
  }
  if (path !== '' && entry.link !== true && entry.integrity === undefined) {
    problems.push(`${path} has no integrity hash`);
  }
  // .npmrc leaves these addresses out: the lockfile then works with whatever registry a machine is set to.
  if (typeof entry.resolved === 'string' && entry.link !== true) {
    problems.push(`${path} is pinned to one registry's address`);
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`lockfile: ${Object.keys(packages).length} entries, every platform's packages present`);
