// Writes NOTICE: the licences of the packages that the build copies into dist/cli and dist/formulas. After
// `npm run build`:
//   node scripts/notice.mjs           writes it
//   node scripts/notice.mjs --check   fails when it no longer agrees with what is bundled
// Either way it fails where any other file of dist contains code of others: the core entry must not.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Parts of dist that contain code of others, and what they are to users. */
const bundles = { cli: 'The command, dist/cli', formulas: 'The subpath mainstem/formulas, dist/formulas' };

/** Folder of each bundled package → the parts of dist whose source maps name it. */
function bundledPackages() {
  const parts = new Map();
  const maps = readdirSync(`${root}dist`, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.map'));
  for (const map of maps) {
    for (const source of JSON.parse(readFileSync(`${root}dist/${map}`, 'utf8')).sources) {
      const folder = /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(source)?.[0];
      if (folder === undefined) continue;
      const part = map.split('/')[0];
      if (!Object.hasOwn(bundles, part)) throw new Error(`dist/${map} contains ${folder}`);
      if (!parts.has(folder)) parts.set(folder, new Set());
      parts.get(folder).add(part);
    }
  }
  return parts;
}

function entry([folder, parts]) {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${folder}/package.json`, 'utf8'));
  const files = readdirSync(root + folder);
  const licenceFile = files.find((candidate) => /^licen[cs]e/i.test(candidate));
  if (licenceFile === undefined) throw new Error(`${folder} has no licence file`);
  // The Apache licence, 4(d): a NOTICE file goes wherever the code goes.
  const noticeFile = files.find((candidate) => /^notice/i.test(candidate));
  const read = (file) => readFileSync(`${root}${folder}/${file}`, 'utf8').replaceAll('\r\n', '\n').trim();
  const text = [licenceFile, noticeFile].filter((file) => file !== undefined).map(read);
  return { name, parts, heading: `${name} ${version} (${license})`, text: text.join('\n\n') };
}

const rule = '-'.repeat(80);
const entries = [...bundledPackages()].map(entry).sort((a, b) => (a.name < b.name ? -1 : 1));
const notice = [
  'mainstem is under the MIT licence, see LICENSE.',
  '',
  ...Object.entries(bundles).map(([part, what]) => {
    const names = entries.filter(({ parts }) => parts.has(part)).map(({ name }) => name);
    return `${what}, contains code of: ${names.join(', ')}.`;
  }),
  'All else, dist/index.js among it, contains no code of others: what it needs is installed beside it.',
  'The licences, and notices where there are any:',
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
