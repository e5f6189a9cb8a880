// Runs examples/*/index.ts (or main.ts) against the built package; an argument keeps the names that contain it.
//   npm run examples -- tutorial
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TIME_LIMIT_MS = 120_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const filter = process.argv[2] ?? '';

if (!existsSync(`${root}dist/index.js`)) {
  console.error('examples: dist/index.js is missing, run `npm run build` first');
  process.exit(1);
}

const examples = readdirSync(`${root}examples`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name.includes(filter))
  .map(({ name }) => ({
    name,
    file: ['index.ts', 'main.ts']
      .map((file) => `examples/${name}/${file}`)
      .find((file) => existsSync(root + file)),
  }))
  .filter(({ file }) => file !== undefined)
  .sort((a, b) => (a.name < b.name ? -1 : 1));

if (examples.length === 0) {
  console.error(`examples: none with "${filter}" in its name`);
  process.exit(1);
}

const failed = [];
for (const { name, file } of examples) {
  const startMs = performance.now();
  const { status, signal, error, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    cwd: root,
    // tsx follows tsconfig's `paths`, which lead to src. This file has none: examples get the built package.
    env: { ...process.env, TSX_TSCONFIG_PATH: `${root}scripts/tsconfig.run.json` },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const outcome = status === 0 ? '' : `: FAILED (${error?.code ?? signal ?? `exit code ${status}`})`;
  console.log(`\n--- ${name}, ${seconds} s${outcome}`);
  console.log((stdout + stderr).trimEnd());
  if (status !== 0) failed.push(name);
}

console.log(
  `\nexamples: ${examples.length - failed.length} passed, ${failed.length} failed ${failed.join(' ')}`.trimEnd(),
);
process.exitCode = failed.length > 0 ? 1 : 0;
