// Compiles assembly/ into src/kernels/wasm/binaries.ts: the WebAssembly modules in hexadecimal digits, so that no tool,
// bundler or browser has a file to fetch. (Base64 is shorter, but compresses worse: its digits do not stand for whole
// bytes.) Does nothing where that file was made of the same sources.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}src/kernels/wasm/binaries.ts`;
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

const stamp = `// ${digest()}`;
if (!existsSync(target) || !readFileSync(target, 'utf8').startsWith(stamp)) await build();

async function build() {
  const parts = [
    stamp,
    '// Made by scripts/build-kernels.mjs of the sources in assembly/; not to be edited, not in version control.',
    '',
  ];
  for (const { name, about, options } of builds) {
    const binary = await compile(options);
    parts.push(
      `/** ${about} */`,
      `export const ${name}: string =\n  '${Buffer.from(binary).toString('hex')}';`,
      '',
    );
  }
  writeFileSync(target, parts.join('\n'));
}

async function compile(options) {
  let binary;
  const { error, stderr } = await asc.main(
    ['assembly/index.ts', '--outFile', 'kernels.wasm', ...common, ...options],
    {
      readFile: (name, base) => {
        const path = `${base === '.' ? root : `${base}/`}${name}`;
        return existsSync(path) ? readFileSync(path, 'utf8') : null;
      },
      writeFile: (_name, contents) => {
        binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`assembly/ does not compile:\n${stderr.toString()}`);
  // AS112: vectors in the signature of an exported function. They are exported to other sources only.
  const warnings = stderr.toString().split(/(?=^WARNING)/m);
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
