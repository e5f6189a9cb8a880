// npm run bench [-- --quick] [-- --write] [-- name]: prints the tables whose name contains `name`; --write puts them
// into RESULTS.md. Measures the built package, so `npm run build` first.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Effort, Table } from './harness.ts';

const tables = [
  'training',
  'threads',
  'merging',
  'coordinators',
  'ticks',
  'wire',
  'connections',
  'coordination',
  'rules',
  'simulation',
  'bayesian',
  'mnist',
  'compression',
  'formulas',
  'startup',
  'peersRegression',
  'peersNetworks',
  'peersMerging',
  'peersPredicting',
];
const root = fileURLToPath(new URL('..', import.meta.url));
const options = process.argv.slice(2);
const isQuick = options.includes('--quick');
const inChild = options.find((option) => option.startsWith('--table='))?.slice('--table='.length);

if (inChild === undefined) await measureAll();
else await measureOne(inChild);

async function measureOne(name: string): Promise<void> {
  const { toMarkdown } = await import('./harness.ts');
  const { measure } = (await import(`./${name}.ts`)) as { measure(effort: Effort): Promise<Table[]> };
  const effort = isQuick
    ? { repetitions: 3, sampleMs: 10, scale: 1 / 8 }
    : { repetitions: 15, sampleMs: 100, scale: 1 };
  for (const table of await measure(effort)) console.log(toMarkdown(table));
}

/** Each table has a process of its own: what one has taught the compiler about a loop must not slow the next. */
async function measureAll(): Promise<void> {
  if (!existsSync(`${root}dist/index.js`))
    throw new Error('dist/index.js is missing, run `npm run build` first');
  const filter = options.find((option) => !option.startsWith('--')) ?? '';
  const parts = [await heading()];
  console.log(parts[0]);
  for (const name of tables.filter((table) => table.includes(filter))) {
    const args = ['--import', 'tsx', `${root}benchmarks/run.ts`, `--table=${name}`];
    const { status, stdout } = spawnSync(process.execPath, isQuick ? [...args, '--quick'] : args, {
      cwd: root,
      // tsx follows tsconfig's `paths`, which lead to src. This file has none: the built package is measured.
      env: { ...process.env, TSX_TSCONFIG_PATH: `${root}scripts/tsconfig.run.json` },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) throw new Error(`benchmark ${name} failed`);
    console.log(stdout);
    parts.push(stdout);
  }
  // Other work on the machine spoils absolute figures first, and the longest tick most.
  parts.push(`Load average over the last minute of the run: ${loadavg()[0]?.toFixed(1)}.`);
  console.log(parts.at(-1));
  if (!options.includes('--write')) return;
  if (filter !== '' || isQuick) throw new Error('--write writes all tables, measured in full');
  writeFileSync(`${root}benchmarks/RESULTS.md`, `${parts.join('\n').trimEnd()}\n`);
}

async function heading(): Promise<string> {
  const { describePeers } = await import('./contenders/versions.ts');
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `# Benchmark results

Measured with \`npm run bench -- --write\` on ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown CPU'}, ${memory} GiB,
Node ${process.versions.node} (V8 ${process.versions.v8}), ${type()} ${release()}. Medians of repetitions that take turns; a
ratio is the median of the ratios of neighbouring repetitions in the same run. Absolute figures are this machine's,
ratios travel better. How to read the tables of peers: benchmarks/README.md.

${await describePeers()}
`;
}
