// Compiles assembly/ into src/kernels/wasm/binaries.ts and sharedBinaries.ts: the WebAssembly modules in hexadecimal
// digits, so that no tool, bundler or browser has a file to fetch. (Base64 is shorter, but compresses worse: its digits
// do not stand for whole bytes.) Does nothing where those files were made of the same sources.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const common = [
  '--runtime',
  'stub',
  '--optimizeLevel',
  '3',
  '--importMemory',
  '--noAssert',
  '--enable',
  'simd',
];
const builds = [
  { name: 'plain', about: '128-bit SIMD, without fused multiply-add.', options: [] },
  {
    name: 'relaxed',
    about: 'The same with relaxed SIMD: a·b + c in one step.',
    options: ['--enable', 'relaxed-simd'],
  },
];
const files = [
  { target: 'src/kernels/wasm/binaries.ts', entry: 'assembly/index.ts', options: [] },
  // A module takes shared memory or other memory, never both, and no memory that may grow further than it says: 2 GiB.
  {
    target: 'src/kernels/wasm/sharedBinaries.ts',
    entry: 'assembly/shared.ts',
    options: ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '32768'],
  },
];

const stamp = `// ${digest()}`;
for (const file of files) {
  const target = root + file.target;
  if (!existsSync(target) || !readFileSync(target, 'utf8').startsWith(stamp)) await build(file);
}

async function build({ target, entry, options }) {
  const parts = [
    stamp,
    '// Made by scripts/build-kernels.mjs of the sources in assembly/; not to be edited, not in version control.',
    '',
  ];
  for (const { name, about, options: own } of builds) {
    const binary = await compile(entry, [...options, ...own]);
    parts.push(
      `/** ${about} */`,
      `export const ${name}: string =\n  '${Buffer.from(binary).toString('hex')}';`,
      '',
    );
  }
  writeFileSync(root + target, parts.join('\n'));
}

async function compile(entry, options) {
  let binary;
  const { error, stderr } = await asc.main([entry, '--outFile', 'kernels.wasm', ...common, ...options], {
    readFile: (name, base) => {
      const path = `${base === '.' ? root : `${base}/`}${name}`;
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    },
    writeFile: (_name, contents) => {
      binary = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`assembly/ does not compile:\n${stderr.toString()}`);
  // AS112: vectors in the signature of an exported function. They are exported to other sources only.
  const warnings = stripVTControlCharacters(stderr.toString()).split(/(?=^WARNING)/m);
  const real = warnings.filter((text) => text.trim() !== '' && !text.startsWith('WARNING AS112'));
  if (real.length > 0) console.warn(real.join(''));
  return binary;
}

/** What the binaries depend on: the sources, this file, and the compiler. */
function digest() {
  const hash = createHash('sha256');
  for (const name of readdirSync(`${root}assembly`, { recursive: true }).sort()) {
    if (name.endsWith('.ts')) hash.update(`${name}\0`).update(readFileSync(`${root}assembly/${name}`));
  }
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  return hash.update(asc.version ?? '').digest('hex');
}
