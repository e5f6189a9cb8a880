// The README and the pages of docs/ that have examples, as a stranger meets them: the packed package, in an empty folder,
// each block run as printed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BLOCK_TIME_LIMIT_MS = 60_000;
const INSTALL_TIME_LIMIT_MS = 180_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const windows = process.platform === 'win32';
const failures = [];

function run(command, args, cwd, timeout) {
  // npm and npx are scripts on Windows, which only a shell starts.
  const shell = windows && command !== process.execPath;
  const result = spawnSync(command, args, {
    cwd,
    shell,
    timeout,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const reason = result.error?.code ?? result.signal ?? `exit code ${result.status}`;
  return { ok: result.status === 0, reason, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}

function mustRun(command, args, cwd) {
  const result = run(command, args, cwd, INSTALL_TIME_LIMIT_MS);
  if (!result.ok)
    throw new Error(`${command} ${args.join(' ')}: ${result.reason}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

function check(title, problem) {
  console.log(`${problem === undefined ? 'ok    ' : 'FAILED'} ${title}`);
  if (problem !== undefined) failures.push(`${title}\n${problem.trimEnd()}`);
}

/** Every fenced block: language, content, and the line where its code begins. */
function fencedBlocks(markdown) {
  const blocks = [];
  let open;
  markdown.split(/\r?\n/).forEach((line, index) => {
    const fence = /^\s*(`{3,})\s*(\S*)/.exec(line);
    if (open === undefined && fence !== null) {
      open = { fence: fence[1], language: fence[2], lines: [], firstLine: index + 2 };
    } else if (
      open !== undefined &&
      fence !== null &&
      fence[2] === '' &&
      fence[1].length >= open.fence.length
    ) {
      blocks.push({ ...open, code: open.lines.join('\n') });
      open = undefined;
    } else if (open !== undefined) {
      open.lines.push(line);
    }
  });
  if (open !== undefined) throw new Error(`line ${open.firstLine - 1}: a fence is not closed`);
  return blocks;
}

const trimmedLines = (text) =>
  text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.trim());

function difference(expected, actual) {
  const [want, got] = [trimmedLines(expected), trimmedLines(actual)];
  const at = want.findIndex((line, index) => line !== got[index]);
  if (at < 0 && want.length === got.length) return undefined;
  const index = at < 0 ? want.length : at;
  const show = (line) => (line === undefined ? '(nothing)' : JSON.stringify(line));
  return `line ${index + 1} of the output: expected ${show(want[index])}, got ${show(got[index])}\nwhole output:\n${actual}`;
}

function checkBlocks(folder, page) {
  const blocks = fencedBlocks(readFileSync(join(root, page), 'utf8'));
  const isCode = ({ language }) => ['js', 'javascript', 'mjs', 'ts', 'typescript'].includes(language);
  if (!blocks.some(isCode)) check(`${page} has code`, 'no fenced js block found');
  blocks.forEach((block, index) => {
    if (!isCode(block)) return;
    const file = `${page.replace(/\W/g, '-')}-line-${block.firstLine}.mjs`;
    writeFileSync(join(folder, file), block.code);
    const result = run(process.execPath, [file], folder, BLOCK_TIME_LIMIT_MS);
    const next = blocks[index + 1];
    const expected = next?.language === 'text' ? next.code : undefined;
    let problem;
    if (!result.ok) problem = `${result.reason}\n${result.stdout}${result.stderr}`;
    else if (expected !== undefined) problem = difference(expected, result.stdout);
    const comparison = expected === undefined ? '' : ', output as printed';
    check(`${page}:${block.firstLine} runs${comparison}`, problem);
  });
}

const TYPES_PROBE = `import { LinearRegression } from 'mainstem';
import * as testing from 'mainstem/testing';

export const model: LinearRegression = new LinearRegression();
export const names: string[] = Object.keys(testing);
`;

function checkTypes(folder) {
  writeFileSync(join(folder, 'probe.ts'), TYPES_PROBE);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ]) {
    // skipLibCheck off: the declarations that we publish, and those that they load, are checked too.
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      'false',
      '--target',
      'es2022',
      '--ignoreConfig',
    ];
    const args = [tsc, ...options, '--module', module, '--moduleResolution', moduleResolution, 'probe.ts'];
    const result = run(process.execPath, args, folder, INSTALL_TIME_LIMIT_MS);
    check(`types resolve under ${moduleResolution}`, result.ok ? undefined : result.stdout + result.stderr);
  }
}

/** ESM only, yet without top-level await: Node can `require` it too. */
function checkRequire(folder) {
  writeFileSync(join(folder, 'required.cjs'), "require('mainstem');\nrequire('mainstem/testing');\n");
  const result = run(process.execPath, ['required.cjs'], folder, BLOCK_TIME_LIMIT_MS);
  check('require() loads it', result.ok ? undefined : `${result.reason}\n${result.stderr}`);
}

function checkCommand(folder) {
  const result = run('npx', ['--no-install', 'mainstem', '--help'], folder, BLOCK_TIME_LIMIT_MS);
  let problem;
  if (!result.ok) problem = `${result.reason}\n${result.stdout}${result.stderr}`;
  else if (result.stdout.trim() === '') problem = 'it printed nothing';
  check('npx mainstem --help', problem);
}

const temporary = mkdtempSync(join(tmpdir(), 'mainstem-readme-'));
try {
  mustRun('npm', ['pack', '--pack-destination', temporary], root);
  const tarball = readdirSync(temporary).find((name) => name.endsWith('.tgz'));
  const folder = join(temporary, 'stranger');
  mkdirSync(folder);
  mustRun('npm', ['init', '-y'], folder);
  mustRun('npm', ['pkg', 'set', 'type=module'], folder);
  mustRun('npm', ['install', '--no-audit', '--no-fund', `../${tarball}`], folder);
  for (const page of [
    'README.md',
    'docs/coordination.md',
    'docs/compression.md',
    'docs/simulation.md',
    'docs/bayesian.md',
  ])
    checkBlocks(folder, page);
  checkRequire(folder);
  checkCommand(folder);
  checkTypes(folder);
} catch (error) {
  check('pack and install', error.message);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

if (failures.length > 0) {
  console.error(`\ncheck-readme: ${failures.length} failed\n\n${failures.join('\n\n')}`);
  process.exitCode = 1;
}
