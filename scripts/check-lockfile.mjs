// Every optional (platform) dependency that a package names must itself be in the lockfile: otherwise
// `npm ci` works on the machine that wrote the lockfile and stops on the others.
import { readFileSync } from 'node:fs';

const lockfiles = [
  'package-lock.json',
  'test/onnxruntime/package-lock.json',
  'benchmarks/peers/package-lock.json',
];
const problems = [];
let entries = 0;

/** Resolves a dependency name as Node would: nearest node_modules folder upwards. */
function resolves(packages, fromPath, name) {
  for (let folder = fromPath; ; ) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return true;
    if (folder === '') return false;
    const parent = folder.lastIndexOf('/node_modules/');
    folder = parent < 0 ? '' : folder.slice(0, parent);
  }
}

for (const file of lockfiles) {
  const { packages } = JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
  entries += Object.keys(packages).length;
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!resolves(packages, path, name)) problems.push(`${path} names ${name}, which ${file} lacks`);
    }
    if (path !== '' && entry.link !== true && entry.integrity === undefined) {
      problems.push(`${path} in ${file} has no integrity hash`);
    }
    // .npmrc leaves these addresses out: the lockfile then works with whatever registry a machine is set to.
    if (typeof entry.resolved === 'string' && entry.link !== true) {
      problems.push(`${path} in ${file} is pinned to one registry's address`);
    }
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`lockfiles: ${entries} entries, every platform's packages present`);
