// Writes NOTICE: the licences of the packages that the build copies into dist/cli. After `npm run build`:
//   node scripts/notice.mjs           writes it
//   node scripts/notice.mjs --check   fails when it no longer agrees with what is bundled
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Folders of the packages whose files the source maps name. */
function bundledPackages() {
  const folders = new Set();
  const maps = readdirSync(`${root}dist/cli`, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.map'),
  );
  for (const map of maps) {
    for (const source of JSON.parse(readFileSync(`${root}dist/cli/${map}`, 'utf8')).sources) {
      const folder = /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(source)?.[0];
      if (folder !== undefined) folders.add(folder);
    }
  }
  return [...folders];
}

function entry(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${folder}/package.json`, 'utf8'));
  const file = readdirSync(root + folder).find((candidate) => /^licen[cs]e/i.test(candidate));
  if (file === undefined) throw new Error(`${folder} has no licence file`);
  const text = readFileSync(`${root}${folder}/${file}`, 'utf8').replaceAll('\r\n', '\n').trim();
  return { name, heading: `${name} ${version} (${license})`, text };
}

const rule = '-'.repeat(80);
const entries = bundledPackages()
  .map(entry)
  .sort((a, b) => (a.name < b.name ? -1 : 1));
const notice = [
  'mainstem is under the MIT licence, see LICENSE.',
  '',
  'The command, dist/cli, contains code of the packages below. The library itself, dist/index.js and',
  'dist/testing, contains no code of others: what it needs is installed beside it.',
  '',
  ...entries.flatMap(({ heading, text }) => [rule, heading, rule, '', text, '']),
].join('\n');

if (process.argv.includes('--check')) {
  if (readFileSync(`${root}NOTICE`, 'utf8').replaceAll('\r\n', '\n') !== notice) {
    console.error(
      `NOTICE is stale, run \`node scripts/notice.mjs\`; bundled: ${entries.map((e) => e.heading).join(', ')}`,
    );
    process.exit(1);
  }
  console.log(`notice: ${entries.length} bundled packages`);
} else {
  writeFileSync(`${root}NOTICE`, notice);
}
